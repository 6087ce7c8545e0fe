"""Our optimizer beside its peers, on pools of measured data: `python -m benchmarks.optimizer --help`."""
