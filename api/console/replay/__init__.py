"""Replay: what stood when, step by step, from the events up to then and no others."""
