"""What one writes in ten lines with scikit-learn: Matern-5/2, a lengthscale for each input, learned noise, EI.

Pending rows are not asked for again and otherwise ignored: scikit-learn has no word for them.
"""

import warnings

import numpy as np
import wire
from improvement import expected_improvement
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel


class GaussianProcess(wire.Agent):
    def choose(self, pending: list[int]) -> int:
        X = self.pool.unit
        kernel = ConstantKernel() * Matern(np.ones(X.shape[1]), nu=2.5) + WhiteKernel(1e-2)
        model = GaussianProcessRegressor(kernel, normalize_y=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its optimiser reports parameters at their bounds
            model.fit(X[self.rows], self.values)
        mean, sigma = model.predict(X, return_std=True)
        return self.best_free(expected_improvement(mean, sigma, max(self.values)), pending)


if __name__ == "__main__":
    wire.serve(GaussianProcess)
