"""gqlstock: the inventory server behind headless storefronts."""
