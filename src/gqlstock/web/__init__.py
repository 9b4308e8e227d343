"""Pages and endpoints beside the API."""
