"""The schema: it translates and authorizes, and decides nothing."""
