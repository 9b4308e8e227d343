"""What every object and list has in common: ids, connections, lists below an object, batch fields."""
