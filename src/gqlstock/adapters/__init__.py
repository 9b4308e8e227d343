"""Outside client libraries, each in one file."""
