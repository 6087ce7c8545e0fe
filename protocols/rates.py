"""Deposition rates, powers, doses and compositions: pure.

Notation, for the elements i of one film:

    x_i     atomic fraction, summing to 1
    V_i     molar volume, cm3/mol
    R_i     thickness rate on the substrate, nm/s, if the gun ran alone:  R_i = k_i P_i^n,  n = 0.97
    P_i     discharge power, W
    k_i     rate at 1 W, nm/s; measured for every film, since it falls as the target erodes
    d_i     thickness of element i in the film, nm:  d_i = R_i t
    t       time the substrate shutter was open, s

Atoms arrive in proportion to R_i / V_i, so x_i = (d_i / V_i) / sum_j (d_j / V_j).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

POWER_EXPONENT = 0.97
POWER_EXPONENT_SIGMA = 0.03
"""Sputter rate against power, as measured on several confocal tools."""

LOWEST_POWER_W = 4.0
"""Discharges of small magnetrons die near 3 W; one watt is kept as a margin."""

MOLAR_VOLUME_CM3 = {
    "Al": 9.99, "Si": 12.06, "Ti": 10.62, "V": 8.49, "Cr": 7.23, "Mn": 7.53, "Fe": 7.10, "Co": 6.65,
    "Ni": 6.59, "Cu": 7.09, "Ga": 11.8, "Pd": 8.85, "Ta": 10.87, "W": 9.55, "Ir": 8.52, "Pt": 9.10,
    "Au": 10.2,
}  # fmt: skip
"""Molar mass over bulk density, cm3/mol."""

DENSITY_G_CM3 = {
    "Al": 2.70, "Si": 2.32, "Ti": 4.50, "V": 5.96, "Cr": 7.20, "Mn": 7.20, "Fe": 7.86, "Co": 8.71,
    "Ni": 8.91, "Cu": 8.93, "Ga": 5.93, "Pd": 12.0, "Ta": 16.6, "W": 19.3, "Ir": 22.4, "Pt": 21.4,
    "Au": 19.3,
}  # fmt: skip
"""Densities that thickness monitors are set to, g/cm3."""


FEWEST_READINGS = 4
"""Of which a standard uncertainty of the mean can be told."""


@dataclass(frozen=True)
class Rate:
    """A gun's rate at 1 W, nm/s, with its standard uncertainty and the power it was measured at."""

    nm_s_w: float
    sigma: float
    at_w: float | None = None

    def at(self, power_w: float) -> float:
        """Rate on the substrate at `power_w`, nm/s."""
        return self.nm_s_w * power_w**POWER_EXPONENT

    def relative_sigma(self, power_w: float) -> float:
        """Relative uncertainty of the rate at `power_w`: it grows with the distance from `at_w`."""
        stretch = 0.0 if self.at_w is None else POWER_EXPONENT_SIGMA * math.log(power_w / self.at_w)
        return math.hypot(self.sigma / self.nm_s_w, stretch)

    def as_dict(self) -> dict[str, float]:
        return {"nm_s_w": self.nm_s_w, "sigma": self.sigma}


def mean_sigma(readings: Sequence[float]) -> float:
    """Standard uncertainty of the mean of `readings`, in their unit, when they alone tell how much they scatter.

    The standard error from few readings may by chance be far too small, so it is that of Student's t with n - 1
    degrees of freedom: sqrt((n - 1) / (n - 3)) s / sqrt(n), JCGM 101:2008, 6.4.9.4.  Three readings have none:
    raises `ValueError` for fewer than four.
    """
    n = len(readings)
    if n < FEWEST_READINGS:
        raise ValueError(f"{n} readings do not tell how sure their mean is; take at least {FEWEST_READINGS}")
    return statistics.stdev(readings) * math.sqrt((n - 1) / ((n - 3) * n))


def rate_from(rate_nm_s: float, sigma_nm_s: float, power_w: float, tooling: float, tooling_sigma: float) -> Rate:
    """The rate on the substrate from one seen by the monitor; `tooling_sigma` is relative."""
    at_1_w = rate_nm_s * tooling / power_w**POWER_EXPONENT
    return Rate(at_1_w, at_1_w * math.hypot(sigma_nm_s / rate_nm_s, tooling_sigma), power_w)


def molar_volume(element: str) -> float:
    """cm3/mol.  Raises `ValueError` for an element whose sputter figures are not known."""
    try:
        return MOLAR_VOLUME_CM3[element]
    except KeyError:
        known = ", ".join(MOLAR_VOLUME_CM3)
        raise ValueError(f"no molar volume known for {element}; known are {known}") from None


@dataclass(frozen=True)
class Powers:
    """Power of each gun, W, and what had to be clipped, in words."""

    watts: dict[str, float]
    clipped: tuple[str, ...] = ()


def powers_for(
    fractions: Mapping[str, float],
    rates: Mapping[str, Rate],
    strongest_w: float,
    *,
    limits_w: Mapping[str, tuple[float, float]] | None = None,
    digits: int | None = None,
) -> Powers:
    """Powers that give `fractions`, the strongest gun at `strongest_w`.

    All are raised in proportion, as far as the guns' limits allow, where the weakest would otherwise be below
    `LOWEST_POWER_W`; what still is outside the limits is clipped.  `limits_w` are the guns' limits; `digits` the
    decimals of a set point, None for no rounding.
    """
    relative = {
        element: (x * molar_volume(element) / rates[element].nm_s_w) ** (1 / POWER_EXPONENT)
        for element, x in fractions.items()
        if x > 0
    }
    limits = {element: (limits_w or {}).get(element, (0.0, math.inf)) for element in relative}
    scale = strongest_w / max(relative.values())
    headroom = min(limits[element][1] / (share * scale) for element, share in relative.items())
    if math.isfinite(headroom):
        scale *= max(1.0, min(headroom, LOWEST_POWER_W / (min(relative.values()) * scale)))
    watts, clipped = {}, []
    for element, share in relative.items():
        wanted = share * scale
        low, high = limits[element]
        allowed = min(max(wanted, low, LOWEST_POWER_W), high)
        if not math.isclose(allowed, wanted):
            clipped.append(f"{element}: {wanted:.1f} W wanted, {allowed:.1f} W allowed")
        watts[element] = allowed if digits is None else round(allowed, digits)
    return Powers(watts, tuple(clipped))


def achieved(thicknesses_nm: Mapping[str, float]) -> dict[str, float]:
    """Atomic fractions of a film made of `thicknesses_nm` of each element, mixed."""
    amounts = {element: nm / molar_volume(element) for element, nm in thicknesses_nm.items()}
    total = sum(amounts.values())
    if not total > 0:
        return dict.fromkeys(thicknesses_nm, 0.0)
    return {element: amount / total for element, amount in amounts.items()}


def fraction_sigmas(fractions: Mapping[str, float], relative: Mapping[str, float]) -> dict[str, float]:
    """Uncertainties of `fractions` when the dose of each element has an independent `relative` one.

    From d ln x_i = d ln d_i - sum_j x_j d ln d_j; errors common to all elements (time) cancel.
    """
    spread = {element: x * relative[element] for element, x in fractions.items()}
    everything = sum(s * s for s in spread.values())
    return {
        element: x * math.sqrt(max(0.0, everything - spread[element] ** 2) + ((1 - x) * relative[element]) ** 2)
        for element, x in fractions.items()
    }


@dataclass
class DoseLedger:
    """For how long the substrate shutter was open, from the exchanges that moved it.

    The shutter moved at an unknown moment of its exchange, so each exchange adds (duration)^2 / 12 to the
    variance of the time.
    """

    seconds: float = 0.0
    variance_s2: float = 0.0
    _opening: float | None = field(default=None, repr=False)
    _opened: float | None = field(default=None, repr=False)
    answered: bool = field(default=False, repr=False)
    """Whether the last order to open was answered, well or not."""

    @property
    def is_open(self) -> bool:
        """Whether flux may be reaching the substrate."""
        return self._opening is not None

    @property
    def opening_since(self) -> float | None:
        """Lab time since when the shutter may be open."""
        return self._opening

    @property
    def opened_at(self) -> float | None:
        """Lab time at which it was seen to open; None if it is closed, or not seen yet."""
        return self._opened

    def opening(self, now: float) -> None:
        """The order to open is about to be given."""
        self._opening = now
        self.answered = False

    def not_opened(self) -> None:
        """The order to open never left us."""
        self._opening = None

    def may_have_opened(self) -> None:
        """The order to open was answered, and not well."""
        self.answered = True

    def opened(self, begun: float, done: float) -> None:
        self.answered = True
        self._opened = (begun + done) / 2
        self.variance_s2 += (done - begun) ** 2 / 12

    def open_s(self, now: float) -> float:
        """Seconds open until `now`."""
        return self.seconds + (0.0 if self._opened is None else now - self._opened)

    def closed(self, begun: float, done: float) -> None:
        """Book the time up to an exchange that closed the shutter; does nothing if it was closed."""
        if self._opening is None:
            return
        if self._opened is None:  # opened at some moment since `opening`, or never
            self.seconds += (done - self._opening) / 2
            self.variance_s2 += (done - self._opening) ** 2 / 12
        else:
            self.seconds += (begun + done) / 2 - self._opened
            self.variance_s2 += (done - begun) ** 2 / 12
        self._opening = self._opened = None

    @property
    def sigma_s(self) -> float:
        return math.sqrt(self.variance_s2)


@dataclass
class EnergyLedger:
    """Energy spent in each target, kWh: what wears it."""

    kwh: dict[str, float] = field(default_factory=dict)
    _running: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    def running(self, element: str, watts: float, now: float) -> None:
        """From `now` the gun runs at `watts`; 0 for off."""
        since, before = self._running.get(element, (now, 0.0))
        self.kwh[element] = self.kwh.get(element, 0.0) + before * (now - since) / 3.6e6
        self._running[element] = (now, watts)

    def all_off(self, now: float) -> None:
        for element in list(self._running):
            self.running(element, 0.0, now)
