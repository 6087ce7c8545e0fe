"""How far the model can be trusted, and in words what a person should look at.

`diagnose` compares every observation with what the model predicts of it from all the others (see `leave_one_out`).
Each `Concern` says what is seen and what to do; its threshold is a constant below, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import binom

from orchestrator.optimizer import gp, kernels
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.leave_one_out import constant_densities, residuals
from orchestrator.optimizer.mixture import Mixture

FEWEST = 8  # values: with fewer, shares and densities are luck
OUTLIER_SIGMAS = 3.5  # of 200 observations of a right model one tenth of one is farther off
MOST_OUTLIERS = 5  # named at a time: with more the model is wrong, not they
INFORMED_ERRORS = 1.645  # standard errors by which densities must be higher than a constant's: 5 % one-sided
NOISE_SHARE = 0.8  # of the variance: what films differ by is then at most half of what repeats of one film do
SIGNIFICANCE = 0.01  # chance of calling a right model over-confident
WITHIN_TWO = 0.9545  # share of normal residuals within two standard deviations
FLAT = 0.25  # of the amplitude: what differs by less over its whole range is drowned by what the others do
AT_BOUND = 0.99  # of the bound: the search for the lengthscale ended there
SAME = 1e-9  # of the unit of warped values: closer than any instrument tells
LARGEST_RESIDUAL = 99.0  # said of any larger one


@dataclass(frozen=True)
class Concern:
    """`kind` for programs; `text`, what is seen and what to do, for people; `sample` where it is about one."""

    kind: str
    text: str
    sample: int | None = None


@dataclass(frozen=True)
class Diagnosis:
    """`residuals` by sample number: how many predictive standard deviations each value is off, larger being better
    than predicted.

    `within_one` and `within_two` are the shares of residuals within one and two; a right model has 0.68 and 0.95.
    `log_density` is the mean log density that values had before they were known, `constant_log_density` that by a
    model without inputs; both in warped units, only their difference says something.  These four are None for fewer
    than `FEWEST` values.  `hyperparameters` are the last fit, `history` those of all fits met, by the number of
    values that each was to.
    """

    observations: int
    residuals: Mapping[int, float] = field(default_factory=dict)
    within_one: float | None = None
    within_two: float | None = None
    log_density: float | None = None
    constant_log_density: float | None = None
    concerns: tuple[Concern, ...] = ()
    hyperparameters: Mapping[str, Any] | None = None
    history: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain = asdict(self)
        for table in ("residuals", "history"):
            plain[table] = {str(key): value for key, value in plain[table].items()}
        plain["concerns"] = list(plain["concerns"])
        return plain


def diagnose(mixture: Mixture, samples: Sequence[int], names: Sequence[str], reach: Sequence[float]) -> Diagnosis:
    """Of a model that has values of `samples` (k,), in their order, and `names` (d,) of its inputs.

    `reach` (K,) are the largest lengthscales that a fit of each process can end at, in scaled inputs.
    """
    k = len(samples)
    y = mixture.parts[0].y[:k, 0]
    if np.ptp(y) < SAME:
        return Diagnosis(k, concerns=(_constant(k),))
    z, density = residuals(mixture, k)
    told = {sample: round(float(r), 3) for sample, r in zip(samples, _shown(z), strict=True)}
    if k < FEWEST:
        return Diagnosis(k, told, concerns=(*_noisy(mixture, k),))
    constant = constant_densities(y)
    return Diagnosis(
        k,
        told,
        within_one=float(np.mean(np.abs(z) < 1)),
        within_two=float(np.mean(np.abs(z) < 2)),
        log_density=float(density.mean()),
        constant_log_density=float(constant.mean()),
        concerns=(
            *_noisy(mixture, k),
            *_outlying(mixture, z, samples),
            *_uninformed(density - constant),
            *_overconfident(z),
            *_irrelevant(mixture, names, reach),
        ),
    )


def _shown(z: Array) -> Array:
    return np.clip(z, -LARGEST_RESIDUAL, LARGEST_RESIDUAL)


def _constant(k: int) -> Concern:
    return Concern(
        "constant",
        f"all {k} values are the same: see that the instrument responds to the sample and is not at the end of its "
        "range; if the values are right, search a wider space",
    )


def _noisy(mixture: Mixture, k: int) -> Iterator[Concern]:
    """Learned and known noise as a share of the variance, by the mean of the processes."""
    shares = []
    for part in mixture.parts:
        noise = part.hyper.noise + float(np.median(part.v[:k]))
        shares.append(noise / (noise + part.hyper.amplitude))
    share = float(np.mean(shares))
    if share >= NOISE_SHARE:
        yield Concern(
            "noise",
            f"noise explains {100 * share:.0f} % of what the values differ by: check contacts and alignment, and "
            "measure one film several times to see how well it repeats",
        )


def _outlying(mixture: Mixture, z: Array, samples: Sequence[int]) -> Iterator[Concern]:
    """The farthest first, then what is far off without it: an outlier makes its neighbours look like some."""
    left = list(samples)
    for _ in range(MOST_OUTLIERS):
        i = int(np.argmax(np.abs(z)))
        if abs(z[i]) < OUTLIER_SIGMAS or len(left) <= FEWEST:
            return
        sample = left.pop(i)
        name = f"sample {sample}" if sample > 0 else f"earlier observation {1 - sample}"
        yield Concern(
            "outlier",
            f"{name} is {abs(_shown(z)[i]):.1f} standard deviations {'above' if z[i] > 0 else 'below'} what all the "
            "others predict of it: look at its loop, measure it again, or make it again before it is trusted",
            sample,
        )
        mixture = Mixture(tuple(_without(part, i) for part in mixture.parts))
        z, _ = residuals(mixture, len(left))


def _without(part: gp.Posterior, i: int) -> gp.Posterior:
    X, y, v = np.delete(part.X, i, 0), np.delete(part.y[:, 0], i), np.delete(part.v, i)
    return gp.condition(X, y, v, part.hyper, trend=part.trend)


def _uninformed(higher: Array) -> Iterator[Concern]:
    """By a paired test of the log densities (k,) that are so much `higher` than a constant's."""
    if higher.mean() <= INFORMED_ERRORS * higher.std(ddof=1) / math.sqrt(len(higher)):
        yield Concern(
            "uninformed",
            "the model is not seen to predict better than the mean of all values: what was varied does not show in "
            "them yet; check that films are what was asked for and that measurements repeat, or vary something else",
        )


def _overconfident(z: Array) -> Iterator[Concern]:
    """By a one-sided binomial test of the number within two standard deviations."""
    inside = int(np.sum(np.abs(z) < 2))
    if binom.cdf(inside, len(z), WITHIN_TWO) < SIGNIFICANCE:
        yield Concern(
            "over-confident",
            f"{len(z) - inside} of {len(z)} values are more than 2 standard deviations off their prediction, where "
            f"about {len(z) * (1 - WITHIN_TWO):.0f} should be: believe the model's uncertainties less; see whether "
            "the sigma of the measurements is too small or something drifts",
        )


def _irrelevant(mixture: Mixture, names: Sequence[str], reach: Sequence[float]) -> Iterator[Concern]:
    """Inputs, scaled to a range of 1, along which every smooth process is flat, or its search ended at the bound.

    The rough process does not count: its lengthscales say how fast it forgets, not how far it varies.
    """
    smooth = [(p.hyper, r) for p, r in zip(mixture.parts, reach, strict=True) if p.hyper.kernel == "matern52"]
    for j, name in enumerate(names):
        if smooth and all(_flat(hyper, j) or _at_bound(hyper.lengthscales[j], most) for hyper, most in smooth):
            yield Concern(
                "irrelevant",
                f"{name} does not matter so far: the fit finds the objective flat along it; vary it over a wider "
                "range, or fix it and spend the films on the others",
            )


def _at_bound(lengthscale: float, most: float) -> bool:
    return lengthscale >= AT_BOUND * most


def _flat(hyper: gp.Hyperparameters, j: int) -> bool:
    """Whether the values at the two ends of input j differ by less than `FLAT` amplitudes, by standard deviation."""
    end = np.zeros((1, 1))
    alike = kernels.correlation(end, end + 1.0 / hyper.lengthscales[j], hyper.kernel)[0, 0]
    return math.sqrt(max(2.0 * (1.0 - float(alike)), 0.0)) < FLAT
