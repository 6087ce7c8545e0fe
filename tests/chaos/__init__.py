"""Whole rehearsed nights in real processes, with faults at seeded random instants: ``python -m tests.chaos``."""
