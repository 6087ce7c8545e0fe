"""BoTorch with its defaults for several objectives: a SingleTaskGP of each, qLogNEHVI or qLogEHVI (option `noisy`)
above the reference point; values are lists, larger the better."""

import numpy as np
import torch
import wire
from botorch.acquisition.multi_objective.logei import (
    qLogExpectedHypervolumeImprovement,
    qLogNoisyExpectedHypervolumeImprovement,
)
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.sampling import SobolQMCNormalSampler
from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning
from gpytorch.mlls import SumMarginalLogLikelihood

CHUNK = 512  # rows scored at a time: the samples of all of them are held
SAMPLES = 128  # as in its tutorial on several objectives


class Botorch(wire.Agent):
    def __init__(self, *given: object, reference: list[float], noisy: bool = True, **options: object) -> None:
        super().__init__(*given, **options)
        self._reference, self._noisy = reference, noisy
        torch.manual_seed(self.seed)

    def choose(self, pending: list[int]) -> int:
        X = torch.as_tensor(self.pool.unit, dtype=torch.double)
        Y = torch.as_tensor(np.array(self.values), dtype=torch.double)
        model = ModelListGP(*(SingleTaskGP(X[self.rows], Y[:, k : k + 1]) for k in range(Y.shape[1])))
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        sampler = SobolQMCNormalSampler(sample_shape=torch.Size([SAMPLES]), seed=self.seed)
        given = {"model": model, "sampler": sampler, "X_pending": X[pending] if pending else None}
        if self._noisy:
            acquisition = qLogNoisyExpectedHypervolumeImprovement(
                ref_point=self._reference, X_baseline=X[self.rows], prune_baseline=True, **given
            )
        else:
            reference = torch.as_tensor(self._reference, dtype=torch.double)
            partitioning = FastNondominatedPartitioning(ref_point=reference, Y=Y)
            acquisition = qLogExpectedHypervolumeImprovement(
                ref_point=self._reference, partitioning=partitioning, **given
            )
        with torch.no_grad():
            scores = torch.cat([acquisition(part[:, None, :]) for part in X.split(CHUNK)])
        return self.best_free(np.nan_to_num(scores.numpy(), nan=-np.inf), pending)


if __name__ == "__main__":
    wire.serve(Botorch)
