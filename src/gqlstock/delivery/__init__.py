"""What happens after a commit: passes outbox entries to subscribers, webhooks and email."""
