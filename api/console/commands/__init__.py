"""What the console can change, by what is changed."""
