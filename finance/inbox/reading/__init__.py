"""A file's parts on their way to frames of records."""
