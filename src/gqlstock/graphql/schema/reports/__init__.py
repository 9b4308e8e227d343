"""Reports, and the sum behind an availability."""
