"""What browsers are told: a snapshot, then what changed, only those who may know."""
