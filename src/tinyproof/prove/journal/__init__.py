"""What was tried, in the order in which it was tried: each entry with Target, Result and Analysis."""
