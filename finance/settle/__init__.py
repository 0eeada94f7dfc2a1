"""Settling: fees, settlements, their release and their entries."""
