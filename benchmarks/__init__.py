"""Scripts that measure and print a table; each says in its docstring how it is run."""
