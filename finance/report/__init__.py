"""Reports: figures, forms, and how they are sent."""
