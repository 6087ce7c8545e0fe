"""Several objectives: hypervolume against experiments, beside the peers' own methods for that."""
