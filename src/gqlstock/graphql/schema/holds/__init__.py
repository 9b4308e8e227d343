"""Stock that is held for carts."""
