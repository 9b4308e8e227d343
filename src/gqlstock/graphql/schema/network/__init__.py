"""Organizations, websites and warehouses."""
