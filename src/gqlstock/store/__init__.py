"""The tables and every query on them. ``rules`` decide what rows mean; ``services`` decide what to do."""
