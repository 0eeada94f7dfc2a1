"""`ppu finance`: reconcile, settle, report from the command line."""
