"""In doubt and queue: what waits, and what ended without effect."""
