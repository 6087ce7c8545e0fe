"""Co-sputter one alloy film of a wanted composition and thickness.

Gas, strike, pre-sputter, calibrate each gun alone, set the powers, open the gun shutters; then the one
irreversible act: the substrate shutter opens.  The film grows in slices of at most `SLICE_S`, each passed
through a gate and booked in a dose ledger, so that what the film is made of is known whatever ends it.

Should this process die, the film is computed from what was written down of it: with the mark ``uncover`` before
the shutter opens, at every event, and with the mark ``cover`` once it is closed (`protocols.growth.Record`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.roles import DepositionStation
from protocols import chamber, rates
from protocols.calibration import CrystalFailed, calibrate_gun
from protocols.gates import (
    INSTANT_S,
    SLICE_S,
    Plan,
    ProtocolError,
    Stopped,
    closing,
    in_run,
    pause,
    require,
    secure,
    take_event,
)
from protocols.growth import Growth, Indicated, Ledger, Record
from protocols.rates import Rate

EVENT_S = 30.0
STEADY_S = 10.0
RECALIBRATE_BEYOND = 2.0
"""A gun is calibrated again at its own power when that differs by more than this factor."""
OLD_RATE_SIGMA = 0.05
"""Relative uncertainty of a rate that could not be measured for this film, between one film and the next."""
MONITOR_DISAGREES = 0.1


def deposit(
    station: DepositionStation,
    clock: Clock,
    *,
    composition: Mapping[str, float],
    thickness_nm: float,
    argon_pressure_pa: float,
    power_w: float,
    presputter_s: float = 180.0,
    rates: Mapping[str, Mapping[str, float]] | None = None,
    temperature_c: float | None = None,
) -> Plan:
    """`composition` in fractions, `power_w` of the strongest gun, `rates` known from earlier films."""
    if temperature_c is not None:
        raise ProtocolError(f"{station.name} does not heat its films yet; remove temperature_c from the campaign")
    film = Film(station, clock, composition, thickness_nm, argon_pressure_pa, power_w, rates or {})
    yield Msg("record", None, film.outcome())
    yield Msg("refresh", None, *film.devices)
    yield from in_run(closing(film.make(presputter_s), film.leave))
    return film.outcome()


class Film:
    """One film, from bare substrate to its outcome."""

    def __init__(
        self,
        station: DepositionStation,
        clock: Clock,
        composition: Mapping[str, float],
        thickness_nm: float,
        pressure_pa: float,
        power_w: float,
        known: Mapping[str, Mapping[str, float]],
    ) -> None:
        self.station = station
        self.clock = clock
        self.wanted = {element: x for element, x in composition.items() if x > 0}
        self.guns = chamber.guns_for(station, self.wanted)
        self.thickness_nm = thickness_nm
        self.pressure_pa = pressure_pa
        self.power_w = power_w
        self.known = {el: Rate(k["nm_s_w"], k["sigma"]) for el, k in known.items() if el in self.wanted}
        self.rates: dict[str, Rate] = {}
        self.watts: dict[str, float] = {}
        self.dose = rates.DoseLedger()
        self.energy = rates.EnergyLedger()
        self.begun = self.finished = False
        self.monitor_nm: float | None = None
        self.target_s = 0.0
        self.indicated: Indicated | None = None
        self.remarks: list[str] = []
        self.devices = [*self.guns.values(), station.gas, station.gauge, station.monitor]

    def make(self, presputter_s: float) -> Plan:
        station = self.station
        yield from chamber.pump_down(station)
        yield from chamber.gas_on(station, self.pressure_pa)
        guess = self._powers(self.known) if len(self.known) == len(self.wanted) else {}
        self.watts = dict(guess or dict.fromkeys(self.wanted, self.power_w))
        yield from chamber.strike(station, self.watts, self.pressure_pa, self.energy)
        yield from chamber.presputter(presputter_s)
        yield from self._calibrate()
        yield from self._open_guns()
        yield from self._grow()

    # --- before the film ------------------------------------------------------------------------------

    def _powers(self, known: Mapping[str, Rate], *, remark: bool = False) -> dict[str, float]:
        powers = rates.powers_for(
            self.wanted,
            known,
            self.power_w,
            limits_w={el: gun.power.limits or (0.0, float("inf")) for el, gun in self.guns.items()},
            digits=next(iter(self.guns.values())).power.precision,
        )
        if remark and powers.clipped:
            self.remarks.append(f"power clipped: {'; '.join(powers.clipped)}")
        return powers.watts

    def _calibrate(self) -> Plan:
        """Measure every rate, set the powers, and measure again where the power moved far."""
        try:
            for element in self.wanted:
                self.rates[element] = yield from calibrate_gun(self.station, element, self.watts[element])
            moved = yield from self._set_powers(remark=False)
            for element in moved:
                self.rates[element] = yield from calibrate_gun(self.station, element, self.watts[element])
            yield from self._set_powers(remark=True)
        except CrystalFailed as failure:
            if len(self.known) < len(self.wanted):
                raise
            yield Msg("apply", None, *((gun.shutter, "closed") for gun in self.guns.values()))
            for el, known in self.known.items():
                old = Rate(known.nm_s_w, max(known.sigma, OLD_RATE_SIGMA * known.nm_s_w))
                self.rates.setdefault(el, old)
            self.remarks.append(f"rates of an earlier film used: {failure}")
            yield from self._set_powers(remark=True)

    def _set_powers(self, *, remark: bool) -> Plan:
        """Elements whose power moved by more than a factor of `RECALIBRATE_BEYOND`."""
        powers = self._powers(self.rates, remark=remark)
        moved = []
        applied = yield Msg("apply", None, *((self.guns[el].power, watts) for el, watts in powers.items()))
        for element, watts in powers.items():
            before = self.watts[element]
            if max(watts / before, before / watts) > RECALIBRATE_BEYOND:
                moved.append(element)
            self.energy.running(element, watts, applied.done)
        self.watts = powers
        yield from pause(STEADY_S, "powers set")
        return moved

    def _open_guns(self) -> Plan:
        yield Msg("apply", None, *((gun.shutter, "open") for gun in self.guns.values()))
        yield from pause(STEADY_S, "gun shutters open")
        monitor = self.station.monitor
        zeroed = yield Msg("apply", None, (monitor.zero, 1))
        if not monitor.fault.get():
            self.indicated = Indicated(zeroed.done, self._indicated_nm_s(str(monitor.material.get())))

    # --- the film -------------------------------------------------------------------------------------

    def _grow(self) -> Plan:
        self.target_s = self.thickness_nm / self.growth.nm_s
        passed = yield Msg("gate", None, 0.0, 0.0, "depositing")
        if passed.verdict == "hold":
            yield Msg("held")
        yield from self._look_again()
        yield from take_event(self.devices)
        applied = yield from self._uncover()
        lag = (applied.done - applied.begun) / 2
        now, next_event = applied.done, applied.done + EVENT_S
        while (remaining := self.target_s - self.dose.open_s(now) - lag) > INSTANT_S:
            fraction = 1 - remaining / self.target_s
            passed = yield Msg("gate", None, min(SLICE_S, remaining), fraction, "depositing")
            now = passed.now
            if passed.verdict == "hold":
                yield from self._cover()
                yield Msg("held")
                yield from self._look_again()
                now = (yield from self._uncover()).done
            if now >= next_event:
                yield Msg("record", None, self.outcome())
                yield from take_event(self.devices)
                now, next_event = self.clock.now(), now + EVENT_S
        yield from self._cover(finished=True)
        yield from self._compare_with_monitor()
        yield from take_event(self.devices)

    def _uncover(self) -> Plan:
        """Open the substrate shutter.  From here on there is a film, unless the order never left us.

        Whether it opened, did not, or may have, is on disk before anything can close it: a shutter that is found
        closed with no more than the mark written down was never opened.
        """
        begun_before, self.begun = self.begun, True
        self.dose.opening(self.clock.now())
        try:
            yield Msg("mark", None, "uncover", film=self.record().as_dict())
            applied = yield Msg("apply", None, (self.station.monitor.substrate_shutter, "open"))
        except Exception as failure:
            if isinstance(failure, Stopped) and not failure.sent:
                self.dose.not_opened()
                self.begun = begun_before
            else:
                self.dose.may_have_opened()
            yield Msg("record", None, self.outcome(), synced=True)
            raise
        self.dose.opened(*applied)
        yield Msg("record", None, self.outcome(), synced=True)
        return applied

    def _look_again(self) -> Plan:
        """Whatever has happened, in a hold or just now, is seen before the film is uncovered: an interlock believes
        two readings."""
        for _ in range(2):
            yield Msg("refresh", None, *self.devices)
            passed = yield Msg("gate", None, 0.0)
        if passed.verdict == "hold":  # once more
            yield Msg("held")
            yield from self._look_again()

    def _cover(self, *, finished: bool = False) -> Plan:
        secured = yield from secure([(self.station.monitor.substrate_shutter, "closed")])
        require(secured)
        self.dose.closed(secured.begun, secured.done)
        self.finished = finished
        yield Msg("record", None, self.outcome())
        yield Msg("mark", None, "cover", film=self.record().as_dict())

    def _compare_with_monitor(self) -> Plan:
        """What the monitor would call the film's thickness.  With all guns lit it weighs, so it is a check only.

        The monitor stays in the flux while the substrate is covered, so rates are compared, not thicknesses.
        """
        monitor = self.station.monitor
        read_at = yield Msg("refresh", None, monitor)
        shown = monitor.thickness.get()
        if self.indicated is None or monitor.fault.get() or not shown > 0:
            self.remarks.append(f"the thickness monitor gives no check: {monitor.fault.get() or 'no thickness'}")
            return
        expected = self.indicated.nm_s * (read_at - self.indicated.zeroed_at)
        made = self.growth.nm_s * self.dose.seconds
        self.monitor_nm = made * shown / expected
        if abs(shown / expected - 1) > MONITOR_DISAGREES:
            self.remarks.append(f"the monitor saw {self.monitor_nm:.1f} nm where the rates give {made:.1f} nm")

    def _indicated_nm_s(self, material: str) -> float:
        """The rate that the monitor, set to `material`, should show with all guns open."""
        tooling = self.station.tooling
        mass = sum(nm_s / tooling.get(el, 1.0) * rates.DENSITY_G_CM3[el] for el, nm_s in self.growth.rates_nm_s.items())
        return mass / rates.DENSITY_G_CM3[material]

    # --- after the film -------------------------------------------------------------------------------

    def leave(self) -> Plan:
        """Always: shutters closed, plasmas off, gas off; and the books closed with what was measured."""
        secured = yield from chamber.leave_safe(self.station)
        if self.dose.is_open and secured.problems:
            self.remarks.append("the film may have grown on after its last entry: " + "; ".join(secured.problems))
        self.dose.closed(secured.begun, secured.done)
        self.energy.all_off(self.clock.now())
        yield Msg("record", None, self.outcome())
        require(secured)

    @property
    def growth(self) -> Growth:
        return Growth(
            {el: rate.at(self.watts[el]) for el, rate in self.rates.items()},
            {el: rate.relative_sigma(self.watts[el]) for el, rate in self.rates.items()},
            {el: self.watts[el] for el in self.rates},
        )

    def record(self) -> Record:
        """The film as it stands."""
        dose = self.dose
        ledger = Ledger(
            as_of=self.clock.now(),
            closed_s=dose.seconds,
            closed_sigma_s=dose.sigma_s,
            opening=dose.opening_since,
            answered=dose.answered,
            opened=dose.opened_at,
            target_s=self.target_s,
        )
        return Record(self.begun, self.finished, self.growth, ledger, self.indicated)

    def outcome(self) -> dict[str, Any]:
        """JSON-able; complete once `begun`."""
        return {
            "begun": self.begun,
            "finished": self.finished,
            **self.growth.film(self.dose.open_s(self.clock.now()), self.dose.sigma_s),
            "rates": {el: rate.as_dict() for el, rate in self.rates.items()},
            "monitor_thickness_nm": self.monitor_nm,
            "energy_kwh": dict(self.energy.kwh),
            "remarks": list(self.remarks),
            "film": self.record().as_dict(),
        }
