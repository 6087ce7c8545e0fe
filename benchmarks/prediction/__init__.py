"""How far the predicted end of a night is from its actual one: `python -m benchmarks.prediction`."""
