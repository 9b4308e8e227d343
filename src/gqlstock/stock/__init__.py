"""The engine: how stock changes, and how the present is read."""
