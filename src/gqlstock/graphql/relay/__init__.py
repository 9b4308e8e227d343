"""What all objects and lists share: global ids, connections, lists below an object, batch fields."""
