"""``gqlstock demo``: a simulated shop on a temporary database. ``wares`` defines what it sells."""
