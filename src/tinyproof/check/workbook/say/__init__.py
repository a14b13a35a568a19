"""A mistake in words: why, the mend, the excerpt around it."""
