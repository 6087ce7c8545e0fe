"""Measured tables as pools of experiments: what may be asked for, and what each experiment would show.

Notation
--------
m       different experiments of a pool
d       inputs
X       (m, d)  inputs, units of the table
y       (m,)    target, larger is better (a target to be minimised changes its sign)
sigma   (m,)    standard deviation of one repeat, unit of the target
good    (m,)    whether y is among the best 1 % (at least one; ties count)
"""

from __future__ import annotations

import csv
import hashlib
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEST_SHARE = 0.01
NOISE_SHARE = 0.1  # of the target's standard deviation, where a pool does not say
SPLITS = ("tune", "held-out")


class PoolError(Exception):
    """A pool cannot be read; the message says which and why."""


@dataclass(frozen=True)
class PoolSpec:
    """One entry of a pools file (see `pools.toml`)."""

    name: str
    file: str
    target: str
    direction: str
    features: tuple[str, ...]
    composition: tuple[str, ...] = ()
    split: str = ""
    noise: float = NOISE_SHARE
    noise_column: str = ""


@dataclass(frozen=True)
class Pool:
    """A pool as the notation has it."""

    spec: PoolSpec
    X: Floats
    y: Floats
    sigma: Floats

    @property
    def name(self) -> str:
        return self.spec.name

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        return self.best(math.ceil(BEST_SHARE * len(self.y)))

    def best(self, count: int) -> NDArray[np.bool_]:
        """Which experiments (m,) are among the best `count`."""
        return np.asarray(self.y >= np.sort(self.y)[-count])

    @cached_property
    def digest(self) -> str:
        """Of everything that a search depends on: the same table gives the same digest wherever it lies."""
        said = [self.spec.direction, *self.spec.features, "composition", *self.spec.composition]
        content = hashlib.sha256("\n".join(said).encode())
        for values in (self.X, self.y, self.sigma):
            content.update(np.ascontiguousarray(values).tobytes())
        return content.hexdigest()[:16]


def read_specs(path: Path) -> list[PoolSpec]:
    """The entries of a pools file.  Raises `PoolError`."""
    try:
        entries = list(_entries(tomllib.loads(path.read_text())))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PoolError(f"{path}: {error}") from error
    specs = [_spec(entry, f"{path}: pool {number}") for number, entry in enumerate(entries, 1)]
    if len({spec.name for spec in specs}) < len(specs):
        raise PoolError(f"{path}: two pools have the same name; give each its own `name`")
    if not specs:
        raise PoolError(f"{path}: no pools; each is a [[pool]] with file, target, direction and features")
    return specs


def read_pool(spec: PoolSpec, folder: Path) -> Pool:
    """The table of `spec`, found in `folder`; rows without a target are left out.  Raises `PoolError`.

    Rows with the same inputs are the same experiment: they are one row with their mean.
    """
    path = folder / spec.file
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        kept = [row for row in rows if (row[spec.target] or "").strip()]
        X = np.array([[float(row[name]) for name in spec.features] for row in kept])
        y = np.array([float(row[spec.target]) for row in kept])
        sigma = _sigma(spec, kept, y)
    except OSError as error:
        raise PoolError(f"{spec.name}: {path} is missing: {error.strerror}") from error
    except KeyError as error:
        raise PoolError(f"{spec.name}: {path} has no column {error}") from error
    except ValueError as error:
        raise PoolError(f"{spec.name}: {path}: {error}") from error
    if not len(y) or not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise PoolError(f"{spec.name}: {path}: no rows, or some that are not numbers")
    return Pool(spec, *_merged(X, y if spec.direction == "max" else -y, sigma))


def _entries(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tables that name a file: `[[pool]]`, `[[pools]]`, or `[some-name]` with its name from the heading."""
    for key, value in table.items():
        if isinstance(value, list):
            yield from (entry for entry in value if isinstance(entry, dict))
        elif isinstance(value, dict):
            if "file" in value:
                yield {"name": key, **value}
            else:
                yield from _entries(value)


def _spec(entry: dict[str, Any], where: str) -> PoolSpec:
    missing = [key for key in ("file", "target", "direction", "features") if key not in entry]
    if missing:
        raise PoolError(f"{where}: {', '.join(missing)} missing")
    unknown = sorted(set(entry) - set(PoolSpec.__dataclass_fields__))
    if unknown:
        raise PoolError(f"{where}: unknown key {', '.join(unknown)}")
    if entry["direction"] not in ("max", "min"):
        raise PoolError(f'{where}: direction is "max" or "min", not {entry["direction"]!r}')
    if entry.get("split", "") not in ("", *SPLITS):
        raise PoolError(f'{where}: split is "tune" or "held-out", not {entry["split"]!r}')
    features = tuple(entry["features"])
    composition = entry.get("composition", False)
    parts = tuple(composition) if isinstance(composition, list) else features if composition else ()
    if set(parts) - set(features):
        raise PoolError(f"{where}: composition names what is not in features")
    name = entry.get("name", f"{Path(entry['file']).stem} {entry['target']}")
    return PoolSpec(**{**entry, "name": name, "features": features, "composition": parts})


def _sigma(spec: PoolSpec, rows: list[dict[str, str]], y: Floats) -> Floats:
    if not spec.noise_column:
        return np.full(len(y), spec.noise * float(y.std()) if len(y) else 0.0)
    given = np.array([float(row[spec.noise_column] or "nan") for row in rows])
    known = given[np.isfinite(given)]
    if not len(known):
        raise ValueError(f"column {spec.noise_column!r} is empty")
    return np.where(np.isfinite(given), given, math.sqrt(float(np.mean(known**2))))


def _merged(X: Floats, y: Floats, sigma: Floats) -> tuple[Floats, Floats, Floats]:
    """Different rows of X in the order in which they first come, with means of y and sigma."""
    _, first, which = np.unique(X, axis=0, return_index=True, return_inverse=True)
    counts = np.bincount(which)
    order = np.argsort(first)
    means = [np.bincount(which, weights=values) / counts for values in (y, sigma)]
    return X[np.sort(first)], means[0][order], means[1][order]
