"""The pages beside the API."""
