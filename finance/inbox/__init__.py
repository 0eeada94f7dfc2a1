"""Files in: from the bytes of another party to records in the archive."""
