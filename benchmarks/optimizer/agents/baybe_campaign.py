"""BayBE with its defaults: a campaign on a discrete space made of the pool, its default recommender.

Pending rows are told as pending experiments, failed ones are excluded.
"""

import numpy as np
import pandas as pd
import wire
from baybe import Campaign
from baybe.searchspace import SearchSpace, SubspaceDiscrete
from baybe.settings import active_settings
from baybe.targets import NumericalTarget


class BaybePool(wire.Pool):
    """With its search space, which takes long to make."""

    def __init__(self, pool: wire.Pool) -> None:
        super().__init__(pool.file, pool.features, pool.composition)
        varying = np.ptp(self.unit, axis=0) > 0  # it refuses parameters of one value
        names = [f"x{i}" for i in np.flatnonzero(varying)]
        table = pd.DataFrame(self.unit[:, varying], columns=names)
        self.space = SearchSpace(discrete=SubspaceDiscrete.from_dataframe(table))
        if len(self.space.discrete.exp_rep) != len(self):
            raise ValueError("BayBE's search space has other rows than the pool")
        self.table = self.space.discrete.exp_rep.reset_index(drop=True)


class Baybe(wire.Agent):
    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)
        active_settings.random_seed = self.seed
        self._campaign = Campaign(
            self.pool.space,
            NumericalTarget("y"),
            allow_recommending_already_measured=False,
            allow_recommending_already_recommended=False,
            allow_recommending_pending_experiments=False,
        )

    @classmethod
    def pool_of(cls, pool: wire.Pool) -> BaybePool:
        return BaybePool(pool)

    def tell(self, row: int, value: float | None) -> None:
        super().tell(row, value)
        if value is not None:
            self._campaign.add_measurements(self.pool.table.iloc[[row]].assign(y=value))
        else:
            self._campaign.toggle_discrete_candidates(self.pool.table.iloc[[row]], exclude=True)

    def choose(self, pending: list[int]) -> int:
        under_way = self.pool.table.iloc[pending] if pending else None
        chosen = self._campaign.recommend(batch_size=1, pending_experiments=under_way)
        return self.pool.space.discrete.exp_rep.index.get_loc(chosen.index[0])


if __name__ == "__main__":
    wire.serve(Baybe)
