"""Is a stored result what its own answers say? Every figure is counted again; weights are evaluated again."""
