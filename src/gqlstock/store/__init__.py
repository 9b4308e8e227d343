"""The tables, and every query on them. What rows mean is decided in ``rules``; what is done, in ``services``."""
