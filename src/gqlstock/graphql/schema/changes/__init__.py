"""Changes of stock, and the cursors of all feeds."""
