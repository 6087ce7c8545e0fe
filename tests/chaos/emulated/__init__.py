"""Whole nights in one process on a jumping clock, crashed at every boundary: ``python -m tests.chaos.emulated``."""
