"""Read models: each one file with its SQL beside it, fed in batches, equal to a fresh rebuild."""
