"""What a command does from end to end, each read from top to bottom."""
