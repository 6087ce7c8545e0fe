"""The expected hypervolume improvement beside BoTorch's, in the environment that `benchmarks.optimizer` makes."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from benchmarks.optimizer.environment import FOLDER
from orchestrator.optimizer.hypervolume import Gain
from orchestrator.optimizer.pareto import boxes, hypervolume

pytestmark = [pytest.mark.foreign, pytest.mark.timeout(300)]

PYTHON = FOLDER / "bin" / "python"
ASKED = """
import json, sys, torch
from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
from botorch.utils.multi_objective.box_decompositions.non_dominated import NondominatedPartitioning
from botorch.utils.testing import MockModel, MockPosterior
answers = []
for case in json.load(sys.stdin):
    front, mean, sigma = (torch.tensor(case[name], dtype=torch.double) for name in ("front", "mean", "sigma"))
    reference = torch.zeros(front.shape[1], dtype=torch.double)
    partitioning = NondominatedPartitioning(ref_point=reference, Y=front)
    model = MockModel(MockPosterior(mean=mean[:, None, :], variance=(sigma**2)[:, None, :]))
    acquisition = ExpectedHypervolumeImprovement(model, ref_point=reference.tolist(), partitioning=partitioning)
    values = acquisition(torch.zeros(len(mean), 1, 1, dtype=torch.double))
    answers.append([values.tolist(), float(partitioning.compute_hypervolume())])
print(json.dumps(answers))
"""


def test_expectations_and_hypervolumes_are_those_of_botorch() -> None:
    if not PYTHON.exists():
        pytest.skip(f"no peers' environment in {FOLDER}: `python -m benchmarks.optimizer` makes it")
    rng = np.random.default_rng(3)
    cases = [
        {
            "front": rng.uniform(0.1, 3, (int(rng.integers(1, 12)), M)).tolist(),
            "mean": rng.uniform(-1, 4, (20, M)).tolist(),
            "sigma": rng.uniform(0.1, 2, (20, M)).tolist(),
        }
        for M in (2, 2, 3, 3, 4)
    ]
    asked = [str(PYTHON), "-c", ASKED]
    done = subprocess.run(asked, input=json.dumps(cases), capture_output=True, text=True, timeout=280, check=False)
    if done.returncode and "No module named" in done.stderr:
        pytest.skip(f"the peers' environment has no BoTorch: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    for case, (values, volume) in zip(cases, json.loads(done.stdout), strict=True):
        front, mean, sigma = (np.array(case[name]) for name in ("front", "mean", "sigma"))
        reference = np.zeros(front.shape[1])
        gain = Gain.of(boxes(front, reference), [lambda t: t] * len(reference))
        told = [(m[:, None], s[:, None]) for m, s in zip(mean.T, sigma.T, strict=True)]
        assert np.exp(gain.log_expected(told)) == pytest.approx(values, rel=1e-6, abs=1e-12)
        assert hypervolume(front, reference) == pytest.approx(volume, rel=1e-9)
