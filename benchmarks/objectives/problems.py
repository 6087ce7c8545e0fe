"""Tables with several targets as pools of experiments, and how much of what they hold a search has found.

Notation
--------
m       different experiments of a pool
M       objectives
X       (m, d)  inputs, units of the table
Y       (m, M)  targets, larger is better (one to be minimised changes its sign)
r       (M,)    reference point: below the worst of the pool's front in each objective by a tenth of the front's range
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.optimizer.pools import PoolError
from orchestrator.optimizer.pareto import hypervolume, non_dominated

Floats = NDArray[np.float64]
MARGIN = 0.1


@dataclass(frozen=True)
class Problem:
    """A pool as the notation has it."""

    name: str
    features: tuple[str, ...]
    composition: tuple[str, ...]
    X: Floats
    Y: Floats

    @cached_property
    def reference(self) -> Floats:
        front = self.Y[non_dominated(self.Y)]
        return np.asarray(front.min(axis=0) - MARGIN * np.ptp(front, axis=0))

    @cached_property
    def whole(self) -> float:
        """The hypervolume of the whole pool."""
        return hypervolume(self.Y, self.reference)

    @cached_property
    def digest(self) -> str:
        content = hashlib.sha256("\n".join([*self.features, "composition", *self.composition]).encode())
        for values in (self.X, self.Y):
            content.update(np.ascontiguousarray(values).tobytes())
        return content.hexdigest()[:16]

    def found(self, rows: Sequence[int]) -> Floats:
        """The share of the pool's hypervolume after each of the experiments `rows`, (len(rows),)."""
        shares = [hypervolume(self.Y[list(rows[: k + 1])], self.reference) for k in range(len(rows))]
        return np.array(shares) / self.whole


def read_problems(path: Path, folder: Path, names: Sequence[str] | None = None) -> tuple[list[Problem], list[str]]:
    """Those of the file `path` whose tables are in `folder`, and in words why the others are left out.

    Raises `PoolError` if the file cannot be read.
    """
    try:
        entries = tomllib.loads(path.read_text())["problem"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise PoolError(f"{path}: {error}") from error
    found, left_out = [], []
    for entry in entries:
        if names is None or entry["name"] in names:
            try:
                found.append(_read(entry, folder))
            except PoolError as error:
                left_out.append(f"left out: {error}")
    return found, left_out


def _read(entry: dict, folder: Path) -> Problem:
    """Rows without one of the targets are left out; those with the same inputs are one, with their means."""
    path = folder / entry["file"]
    features, targets = tuple(entry["features"]), entry["targets"]
    signs = np.array([1.0 if direction == "max" else -1.0 for direction in entry["directions"]])
    try:
        with path.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if all((row[t] or "").strip() for t in targets)]
        X = np.array([[float(row[name]) for name in features] for row in rows])
        Y = np.array([[float(row[name]) for name in targets] for row in rows]) * signs
    except (OSError, KeyError, ValueError) as error:
        raise PoolError(f"{entry['name']}: {path}: {error}") from error
    _, first, which = np.unique(X, axis=0, return_index=True, return_inverse=True)
    order, which = np.argsort(first), which.ravel()
    means = np.array([np.bincount(which, weights=column) / np.bincount(which) for column in Y.T]).T
    composition = features if entry.get("composition") is True else tuple(entry.get("composition") or ())
    return Problem(entry["name"], features, composition, X[np.sort(first)], means[order])
