"""Any row that was not yet asked for."""

import numpy as np
import wire


class AtRandom(wire.Agent):
    def choose(self, pending: list[int]) -> int:
        return self.rng.choice(np.flatnonzero(self.free(pending)))


if __name__ == "__main__":
    wire.serve(AtRandom)
