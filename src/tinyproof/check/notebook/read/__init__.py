"""Reading a notebook, a script or a repository as text: cells, statements, the files around them."""
