"""The engine: how stock changes, and how its current state is read."""
