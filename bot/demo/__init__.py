"""A whole production without Discord: the same services, queue, worker and outbox."""
