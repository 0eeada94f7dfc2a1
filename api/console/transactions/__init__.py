"""Transactions: the list, its address, and the list as a file."""
