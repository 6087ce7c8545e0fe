"""Inficon SQM-160 film-thickness monitor; its relay drives the substrate shutter.

RS-232, 19200 8N1.  Rates are in A/s and thicknesses of ``N`` in kA on the wire, nm/s and nm here.  (What
``W`` says of thickness depends on the display mode, so that only its rate and frequency are used.)  ``Y`` tells
once that the monitor restarted: thickness and film are then not what they were, and the fault stays until `zero`.
``Z`` erases every film and is never sent.

Source: PyMeasure ``inficon.SQM160`` and its tests, SweepMe, PyExpLabSys, a LabRAD server for the same unit.
Unverified on hardware: fields of the film program ``A``; kA for ``N`` (two drivers agree, one says A).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ophyd import Component as Cpt

from drivers.clock import Clock
from drivers.errors import Fault, Garbled, NoReply, Refused, WrongInstrument
from drivers.instrument import Instrument, Reading, Setting
from drivers.link import Link, Port, SerialLink, exchange, insist
from drivers.wire import sqm160
from drivers.wire.errors import Malformed

T = TypeVar("T")

NM_PER_A = 0.1
NM_PER_KA = 100.0
SLOW_S = 30.0
"""Lab seconds between looks at what changes slowly: crystal life, the relay."""
REFUSALS = {"C": "invalid command", "D": "bad value", "E": "wrong mode"}


@dataclass(frozen=True)
class Material:
    """Film number on the monitor, density in g/cm3, and Z-ratio."""

    film: int
    density_g_cc: float
    z_ratio: float


# Densities and Z-ratios: Inficon's material table (Al Cr Mn Fe Co Cu Ga Ir Au); handbook values for the rest.
MATERIALS = {
    element: Material(film, density, z_ratio)
    for film, (element, density, z_ratio) in enumerate(
        [
            ("Al", 2.70, 1.08),
            ("Si", 2.32, 0.712),
            ("Ti", 4.50, 0.628),
            ("V", 5.96, 0.53),
            ("Cr", 7.20, 0.305),
            ("Mn", 7.20, 0.377),
            ("Fe", 7.86, 0.349),
            ("Co", 8.71, 0.343),
            ("Ni", 8.91, 0.331),
            ("Cu", 8.93, 0.437),
            ("Ga", 5.93, 0.593),
            ("Pd", 12.0, 0.357),
            ("Ta", 16.6, 0.262),
            ("W", 19.3, 0.163),
            ("Ir", 22.4, 0.129),
            ("Pt", 21.4, 0.245),
            ("Au", 19.3, 0.381),
        ],
        start=1,
    )
}


class InficonSqm160(Instrument):
    """The crystal on `sensor`.  Tooling is programmed as 100 %: what is read holds at the sensor."""

    role = "monitor"
    driver = "inficon-sqm160"

    material = Cpt(Setting, value="unknown", choices=tuple(MATERIALS), write="_write_material")
    zero = Cpt(Setting, value=0, precision=0, choices=(1,), write="_write_zero")
    substrate_shutter = Cpt(Setting, value="unknown", choices=("open", "closed"), write="_write_shutter")
    rate = Cpt(Reading, units="nm/s", precision=4)
    thickness = Cpt(Reading, units="nm", precision=2)
    frequency = Cpt(Reading, units="Hz", precision=2)
    life = Cpt(Reading, units="%", precision=1)
    fault = Cpt(Reading, value="")

    def __init__(
        self,
        port: Port,
        *,
        name: str,
        clock: Clock,
        limits: dict[str, tuple[float, float]] | None = None,
        sensor: int = 1,
    ) -> None:
        super().__init__(port, name=name, clock=clock, limits=limits)
        self.sensor = sensor
        self._was_reset = False
        self._looked_slowly = float("-inf")

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=19200, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Model and firmware; a restart before now is of no interest.  `WrongInstrument`, `LinkError`."""
        try:
            version = self._ask("@")
            sensors = self._ask_number("J")
        except (Garbled, Refused) as error:
            raise WrongInstrument(f"{error}; is this an SQM-160?") from error
        if not version.startswith("MON"):
            raise WrongInstrument(f"{self.name}: calls itself {version!r}, not 'MON Ver ...'")
        if not 1 <= self.sensor <= sensors:
            raise WrongInstrument(f"{self.name}: has {sensors:g} sensors, but the lab file names {self.sensor}")
        self._ask_flag("Y")
        self._was_reset = False
        return f"SQM-160, {version}, sensor {self.sensor} of {sensors:g}"

    def refresh(self) -> None:
        rate_a_s, frequency_hz = self._rate_and_frequency()
        thickness_ka = self._ask_number(f"N{self.sensor}")
        self._was_reset |= self._ask_flag("Y")
        if self._was_reset or self.clock.now() - self._looked_slowly > SLOW_S:
            self._look_slowly()
        self.rate.update(rate_a_s * NM_PER_A)
        self.thickness.update(thickness_ka * NM_PER_KA)
        self.frequency.update(frequency_hz)
        self.fault.update(self._complaint(frequency_hz))

    def make_safe(self) -> None:
        """Substrate shutter closed."""
        insist(lambda: self._write_shutter("closed"))

    def _write_material(self, element: str) -> None:
        self._select(element)
        self.material.update(element)

    def _write_zero(self, _: int) -> None:
        """Thickness and timer to zero; after a restart, first the film again."""
        if self._was_reset and self.material.get() in MATERIALS:
            self._select(self.material.get())
        self._act("S")
        self._act("T")
        self._was_reset = False
        self.zero.update(1)
        self.refresh()

    def _write_shutter(self, state: str) -> None:
        self._act("U1" if state == "open" else "U0")
        self._read_shutter()
        if self.substrate_shutter.get() != state:
            raise Fault(f"{self.name}: the shutter relay should be {state} and reads otherwise; check it")

    # --- films ----------------------------------------------------------------------------------------

    def _select(self, element: str) -> None:
        """Program the film of `element` if it differs, and make it the active one."""
        material = MATERIALS[element]
        if not self._programmed(material):
            self._act(
                f"A{material.film}{element:<8} {material.density_g_cc:.2f} 100 {material.z_ratio:.3f} "
                f"0.000 0.000 0 {1 << (self.sensor - 1)}"
            )
            if not self._programmed(material):
                raise Refused(f"{self.name}: film {material.film} does not take density and Z of {element}")
        self._act(f"D{material.film}")

    def _programmed(self, material: Material) -> bool:
        """Does the film have this density, tooling 100 % and this Z-ratio?"""
        program = self._ask(f"A{material.film}?")
        try:
            density, tooling, z_ratio = map(sqm160.parse_number, program.rsplit(None, 7)[-7:-4])
        except ValueError as error:
            raise Garbled(f"{self.name}: film {material.film} is described as {program!r}") from error
        return (
            abs(density - material.density_g_cc) < 0.006
            and abs(tooling - 100) < 0.6
            and abs(z_ratio - material.z_ratio) < 0.0006
        )

    def _complaint(self, frequency_hz: float) -> str:
        if frequency_hz <= 0 or self.life.get() <= 0:
            return "crystal failed"
        return "was reset" if self._was_reset else ""

    def _look_slowly(self) -> None:
        self.life.update(self._ask_number(f"R{self.sensor}"))
        self._read_shutter()
        self._looked_slowly = self.clock.now()

    def _read_shutter(self) -> None:
        self.substrate_shutter.update("open" if self._ask_flag("U?") else "closed")

    def _rate_and_frequency(self) -> tuple[float, float]:
        """A/s and Hz of the sensor, out of all sensors' rate, thickness and frequency."""
        words = self._ask("W").split()
        at = 1 + 3 * (self.sensor - 1)
        try:
            rate, _, frequency = map(sqm160.parse_number, words[at : at + 3])
        except ValueError as error:
            raise Garbled(f"{self.name}: {' '.join(words)!r} to W lacks sensor {self.sensor}") from error
        return rate, frequency

    # --- wire -----------------------------------------------------------------------------------------

    def _ask_number(self, message: str) -> float:
        return self._ask(message, sqm160.parse_number)

    def _ask_flag(self, message: str) -> bool:
        return self._ask(message, sqm160.parse_flag)

    def _ask(self, message: str, parse: Callable[[str], T] = str.strip) -> T:
        """A question, asked once more if its answer is missing or spoiled."""
        try:
            return self._act(message, parse)
        except (NoReply, Garbled):
            return self._act(message, parse)

    def _act(self, message: str, parse: Callable[[str], T] = str.strip) -> T:
        request = sqm160.request(message)
        frame = exchange(self.link, request, sqm160.unit_framing)
        try:
            status, answer = sqm160.parse_reply(frame)
            if status in REFUSALS:
                raise Refused(f"{self.name}: {message!r} was refused: {REFUSALS[status]} ({frame!r})")
            if status not in "AB":
                raise Garbled(f"{self.name}: unknown status {status!r} after {message!r} ({frame!r})")
            return parse(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: answer to {message!r}: {error}") from error
