"""BoTorch with its defaults: SingleTaskGP, LogEI over the best value; qLogEI where rows are pending."""

import numpy as np
import torch
import wire
from botorch.acquisition import LogExpectedImprovement, qLogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.mlls import ExactMarginalLogLikelihood

CHUNK = 2048  # rows scored at a time, as its own optimize_acqf_discrete does


class Botorch(wire.Agent):
    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)
        torch.manual_seed(self.seed)

    def choose(self, pending: list[int]) -> int:
        X = torch.as_tensor(self.pool.unit, dtype=torch.double)
        y = torch.as_tensor(self.values, dtype=torch.double)[:, None]
        model = SingleTaskGP(X[self.rows], y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        if pending:
            acquisition = qLogExpectedImprovement(model, best_f=y.max(), X_pending=X[pending])
        else:
            acquisition = LogExpectedImprovement(model, best_f=y.max())
        with torch.no_grad():
            scores = torch.cat([acquisition(part[:, None, :]) for part in X.split(CHUNK)])
        return self.best_free(np.nan_to_num(scores.numpy(), nan=-np.inf), pending)


if __name__ == "__main__":
    wire.serve(Botorch)
