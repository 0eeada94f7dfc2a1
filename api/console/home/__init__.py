"""Home: how business goes."""
