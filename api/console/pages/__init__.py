"""One page a file: what is read, and how it is shown."""
