"""How a database is worked with, whatever is in it."""
