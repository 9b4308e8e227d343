"""gqlstock: the inventory server that headless shops put behind their storefront."""
