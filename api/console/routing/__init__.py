"""Routing preferences: the list, the editor with its preview, and files."""
