"""Finance's pages: files, matching, decisions, settlements, reports."""
