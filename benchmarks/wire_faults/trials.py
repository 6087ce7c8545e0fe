"""Trials of one driver: an operation, a fault, and what came of it."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from benchmarks.wire_faults import world
from benchmarks.wire_faults.faults import kinds_for
from benchmarks.wire_faults.line import Line, served
from drivers.errors import InstrumentError
from drivers.link import Port
from orchestrator.campaign import labchecks
from simulators.worldlog import WorldLog

ACTS: dict[str, dict[str, tuple[Any, Any]]] = {
    "gun": {"power": (40.0, 60.0)},
    "gas": {"flow": (10.0, 25.0)},
    "heater": {"temperature": (100.0, 200.0), "heating": ("on", "off")},
    "pump": {"running": ("off", "on")},
    "monitor": {"material": ("Fe", "Co"), "substrate_shutter": ("open", "closed")},
    "magnet": {"current": (0.25, 0.5)},
    "signal": {"sensitivity": (1e-3, 5e-3), "time_constant": (0.1, 0.3)},
    "hall_meter": {"current": (1e-3, 2e-3)},
}
"""Role -> setting -> two values between which it is set to and fro."""
TOLERANCE = 0.02
"""How far a value that was set may be rounded."""
MORE_EXCHANGES = 12
"""In the stated time of a trial: exchanges more than on a clean line, each with a time-out, twice over."""
PROCESSOR_S = 5.0
"""And for the machine, which may be busy."""
RIGHT, FAILED, WRONG, HANG, STRANGE, LOST = "right", "failed", "WRONG", "HANG", "STRANGE", "LOST"


@dataclass
class Result:
    """What became of a driver's trials, by fault and outcome, and the first of each kind that is not well."""

    driver: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    hazards: int = 0
    longest_s: float = 0.0
    stated_s: float = 0.0

    def total(self, outcome: str) -> int:
        return sum(count for (_, what), count in self.counts.items() if what == outcome)

    @property
    def trials(self) -> int:
        return sum(self.counts.values())

    @property
    def good(self) -> bool:
        return not self.hazards and not any(self.total(outcome) for outcome in (WRONG, HANG, STRANGE, LOST))


class Bench:
    """A driver on a line that can be spoiled; every conversation runs on its port's thread."""

    def __init__(self, driver: str, rng: Random, timeout_s: float) -> None:
        self.driver, self.rng, self.timeout_s = driver, rng, timeout_s
        self.clock = world.StillClock()
        self.log = WorldLog()
        self.line = Line(world.instrument(driver, self.clock, self.log), rng, timeout_s)
        self.device: Any = None

    @contextmanager
    def connected(self) -> Iterator[Bench]:
        cls = world.driver_class(self.driver)
        with served(self.line):
            open_link = partial(cls.open_link, world.address(self.driver, self.line.port), self.timeout_s)
            port = Port(open_link(), open_link)
            try:
                self.device = cls(port, name=world.NAME, clock=self.clock, **world.settings_for(self.driver))
                self.converse(self.device.identify)
                yield self
            finally:
                port.close()

    def converse(self, conversation: Callable[[], Any], patience_s: float = 60.0) -> Any:
        return self.device.port.submit(conversation).result(patience_s)

    def readings(self) -> dict[str, Any]:
        return {name: getattr(self.device, name).get() for name in self.device.component_names}

    def clean_refresh(self) -> dict[str, Any]:
        """What a clean line says; the device is connected to again if it has to be."""
        while not self.line.quiet():
            time.sleep(0.005)
        self.line.clean()
        try:
            self.converse(self.device.refresh)
        except InstrumentError:
            self.converse(self.device._reconnect)
        return self.readings()


def try_driver(driver: str, faults: int, seed: int, timeout_s: float = 0.15) -> Result:
    """`faults` trials of `driver`; those in which the fault did not come to strike are made again."""
    rng = Random(f"{seed}/{driver}")
    result = Result(driver)
    with world.without_noise(), Bench(driver, rng, timeout_s).connected() as bench:
        operations = _operations(bench)
        kinds = kinds_for(driver)
        while result.trials < faults:
            kind = kinds[result.trials % len(kinds)]
            _trial(bench, operations[rng.randrange(len(operations))], kind, result)
        result.hazards = len(bench.log.of("hazard"))
    return result


@dataclass
class Operation:
    """`perform` does it; `wanted` is what is then to be read, besides what a clean line says."""

    name: str
    perform: Callable[[], Any]
    wanted: dict[str, Any]


def _operations(bench: Bench) -> list[Callable[[], Operation]]:
    """Refreshing twice as often as each act."""
    role = labchecks.DRIVERS[bench.driver]
    made: list[Callable[[], Operation]] = []

    def refresh() -> Operation:
        return Operation("refresh", bench.device.refresh, {})

    def act(setting: str, values: tuple[Any, Any]) -> Operation:
        value = values[bench.rng.randrange(2)]
        write = getattr(bench.device, getattr(bench.device, setting)._write)
        return Operation(f"{setting} = {value}", partial(write, value), {setting: value})

    def relay() -> Operation:
        number, on = bench.rng.randint(2, 5), bench.rng.random() < 0.5
        return Operation(f"relay {number} {on}", partial(bench.device.switch, number, on), {"relay": (number, on)})

    for setting, values in ACTS.get(role, {}).items():
        made += [refresh, refresh, partial(act, setting, values)]
    if role == "relays":
        made += [refresh, relay]
    return made or [refresh]


def _trial(bench: Bench, make: Callable[[], Operation], kind: str, result: Result) -> None:
    before = bench.clean_refresh()
    operation = make()
    bench.line.spoil(kind, bench.rng.randrange(6 if operation.wanted else max(1, _exchanges(bench))))
    stated_s = (MORE_EXCHANGES * 2 + 2 * _exchanges(bench)) * bench.timeout_s + PROCESSOR_S
    begun = time.monotonic()
    outcome, why = RIGHT, ""
    try:
        bench.converse(operation.perform, stated_s)
    except TimeoutError:
        outcome, why = HANG, f"longer than {stated_s:.1f} s"
    except InstrumentError as error:
        outcome, why = FAILED, f"{type(error).__name__}: {error}"
        result.errors[type(error).__name__] += 1
    except Exception as error:  # noqa: BLE001 - what a driver may not raise is what is looked for
        outcome, why = STRANGE, f"{type(error).__name__}: {error}"
    result.longest_s = max(result.longest_s, time.monotonic() - begun)
    result.stated_s = max(result.stated_s, stated_s)
    if not bench.line.struck:
        bench.line.clean()
        if outcome == RIGHT:
            return
    during = bench.readings()
    outcome, why = _judged(bench, operation, before, during, outcome, why)
    result.counts[kind, outcome] += 1
    if outcome not in (RIGHT, FAILED):
        result.notes.append(f"{kind}, {operation.name}: {outcome}: {why}")


def _judged(
    bench: Bench, operation: Operation, before: dict[str, Any], during: dict[str, Any], outcome: str, why: str
) -> tuple[str, str]:
    try:
        after = bench.clean_refresh()
        if outcome == FAILED:
            bench.converse(operation.perform)  # on a clean line it ends well
            after = bench.clean_refresh()
    except (InstrumentError, TimeoutError) as error:
        return LOST, f"after {why or outcome}: {type(error).__name__}: {error}"
    if wrong := _unlike(after, operation.wanted):
        return (WRONG if outcome == RIGHT else LOST), f"a clean line then says {wrong}"
    if outcome == RIGHT and not operation.wanted and (wrong := _differing(before, during)):
        return WRONG, f"read {wrong}"
    return outcome, why


def _exchanges(bench: Bench) -> int:
    return max(1, getattr(bench, "_exchanges", 0) or _count(bench))


def _count(bench: Bench) -> int:
    """Exchanges of one refresh on a clean line."""
    bench.line.clean()
    bench.converse(bench.device.refresh)
    bench._exchanges = bench.line.answers  # type: ignore[attr-defined]
    return bench.line.answers


def _unlike(after: dict[str, Any], wanted: dict[str, Any]) -> str:
    for name, value in wanted.items():
        if name == "relay":
            number, on = value
            if (str(number) in str(after["energised"]).split()) != on:
                return f"relays {after['energised']!r} where relay {number} should be {'on' if on else 'off'}"
        elif not _alike(after[name], value, TOLERANCE):
            return f"{name} {after[name]!r} instead of {value!r}"
    return ""


def _differing(before: dict[str, Any], during: dict[str, Any]) -> str:
    wrong = [f"{name} {during[name]!r} instead of {value!r}" for name, value in before.items()]
    return "; ".join(
        text for text, (name, value) in zip(wrong, before.items(), strict=True) if not _alike(during[name], value, 1e-6)
    )


def _alike(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return abs(one - other) <= tolerance * max(1.0, abs(other))
    return bool(one == other)
