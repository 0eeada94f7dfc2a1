"""Meters: finding one, and what is known of it."""
