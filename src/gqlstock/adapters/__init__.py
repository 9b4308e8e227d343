"""Third-party client libraries, each in one file."""
