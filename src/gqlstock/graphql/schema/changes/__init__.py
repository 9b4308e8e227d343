"""What is told of each change of stock, and the cursors of all feeds."""
