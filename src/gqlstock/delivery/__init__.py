"""What happens after a commit: news from the outbox to whoever waits for it."""
