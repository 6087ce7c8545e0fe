"""An autonomous campaign of real first-principles calculations: ``python -m benchmarks.elk``.

The pool is bcc Fe1-xCox in steps of 1 at.%, each row a calculation by Elk (Debian package ``elk-lapw``) in the virtual
crystal.  The optimizer that chooses films chooses calculations; nobody intervenes.  It passes if after at most 12
calculations the recommended composition is at the Slater-Pauling maximum, x = 0.25 to 0.35.

Results are kept in ``--home``: a run that was cut off goes on, and the same run again takes a second.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Observation
from orchestrator.virtual.calculator import CalculationFailed
from orchestrator.virtual.elk import Elk
from orchestrator.virtual.elk_files import Mesh
from orchestrator.virtual.program import Program

LOW, HIGH = 0.25, 0.35


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calculations", type=int, default=12, help="the budget")
    parser.add_argument("--cores", type=int, default=2, help="threads of each calculation")
    parser.add_argument("--timeout-s", type=float, default=3600.0, help="real seconds for one calculation")
    parser.add_argument("--k-spacing", type=float, default=0.32, help="1/angstrom; 0.32 is 10 x 10 x 10 points")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, default=Path("elk-campaign"), help="folder of results")
    parser.add_argument("--out", type=Path, help="file for the outcome, as JSON")
    given = parser.parse_args()
    program = Program(("elk-lapw",), timeout_s=given.timeout_s, cores=given.cores)
    elk = Elk(given.home, program, Mesh(k_spacing=given.k_spacing), structure="bcc")
    x = np.arange(101) / 100
    pool = Table(np.stack([1 - x, x], axis=1), [Feature("Fe", "fraction"), Feature("Co", "fraction")])
    optimizer = Optimizer(pool, OptimizerSettings(initial_samples=4), given.seed, budget=given.calculations)
    begun, told = time.monotonic(), []
    for number in range(1, given.calculations + 1):
        chosen = optimizer.suggest()
        assert chosen.row is not None
        cobalt = float(x[chosen.row])
        try:
            found = elk.calculate({"Fe": 1 - cobalt, "Co": cobalt})
            value, sigma, note = found.moment, found.moment_sigma, f"{found.seconds:6.0f} s"
        except CalculationFailed as failure:
            value, sigma, note = None, None, f"{type(failure).__name__}: {failure}"
        validity = "failed" if value is None else "valid"
        optimizer.observe(Observation(number, value=value, sigma=sigma, validity=validity, row=chosen.row))
        told.append({"x": cobalt, "moment": value, "method": chosen.method, "note": note})
        shown = "-" if value is None else f"{value:.4f}"
        print(f"{number:3d}  x = {cobalt:.2f}  {chosen.method:13s}  {shown:>7s} muB/atom  {note}", flush=True)
    best = optimizer.recommend()
    if best is None or best.row is None:
        print("no recommendation: too few calculations succeeded")
        return 1
    at = float(x[best.row])
    passed = LOW <= at <= HIGH
    print(f"recommended x = {at:.2f}, {best.mean:.3f} +- {best.sigma:.3f} muB/atom, {time.monotonic() - begun:.0f} s")
    print(f"the Slater-Pauling maximum (x = {LOW} to {HIGH}) was {'found' if passed else 'NOT found'}")
    if given.out:
        outcome = {"seed": given.seed, "recommended": at, "passed": passed, "calculations": told}
        given.out.write_text(json.dumps(outcome, indent=1) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
