"""From the ledger to a worker and back: dispatcher, executors and outbox."""
