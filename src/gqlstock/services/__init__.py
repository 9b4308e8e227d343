"""The use cases: one function is one thing a caller can ask for, and one transaction."""
