"""What the finance worker does by itself."""
