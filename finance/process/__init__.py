"""Reconciliation processes as a person sets them up."""
