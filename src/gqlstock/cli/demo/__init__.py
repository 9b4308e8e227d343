"""``gqlstock demo``: a shop with a story, on a database that is gone afterwards. What it sells stands in ``wares``."""
