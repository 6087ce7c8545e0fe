"""One station: its run engine, gates, interlocks, documents and analysis, in a process of its own."""
