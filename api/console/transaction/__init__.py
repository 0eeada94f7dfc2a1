"""What became of one message, told from its events: pure, apart from reading them."""
