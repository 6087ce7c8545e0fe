"""Write the reference page of the instruments from drivers, registries and tests.

``python docs/generate_instruments.py`` writes it, ``--check`` only says whether it is out of date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.wire_faults.faults import CHECKSUM  # noqa: E402
from docs.generated import keep  # noqa: E402
from drivers.errors import InstrumentError  # noqa: E402
from orchestrator import lab  # noqa: E402 - after the path
from orchestrator.campaign.labchecks import DRIVERS  # noqa: E402
from simulators import serve  # noqa: E402
from tests.foreign.registry import PARTNERS, PUBLISHED  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "instruments.md"
HEAD = """# Instruments

<!-- Written by docs/generate_instruments.py from drivers, registries and tests: change those, not this page. -->

Each driver and each simulator is written from the instrument's manual or from drivers published by others; they share
framing and checksums (`drivers/wire`) and nothing else.  Every driver of a role passes the same tests
(`tests/drivers/test_roles_*.py`), so that another make in the lab file changes no plan.
**None is verified on hardware yet.**

{count} drivers, of which {partnered} have been tried by or on somebody else's code in tests that run here; the bytes of
{published} are held to bytes that others published.

## Table

{table}

*Checked*: whether its protocol carries a checksum.  Where it does not, a wrong digit on the line is not to be told from
a right one.  What each driver makes of a bad line: `python -m benchmarks.wire_faults --driver NAME`.

## What is assumed

{assumed}

## Known deviations of partners

From the tests in `tests/foreign`, with whose they are.

{deviations}
"""
COLUMNS = (
    "instrument",
    "role",
    "driver",
    "transport",
    "checked",
    "simulator",
    "drives our simulator",
    "simulator for our driver",
    "published bytes",
    "verified on hardware",
)


def page() -> str:
    """The page as it should be."""
    tried = {partner.driver for partner in PARTNERS}
    rows = [list(COLUMNS), ["---"] * len(COLUMNS), *(_row(driver) for driver in DRIVERS)]
    return HEAD.format(
        count=len(DRIVERS),
        partnered=len(tried),
        published=len({entry.driver for entry in PUBLISHED}),
        table="\n".join(f"| {' | '.join(row)} |" for row in rows),
        assumed="\n".join(_assumed()),
        deviations="\n".join(_deviations()),
    )


def _row(driver: str) -> list[str]:
    cls = _class(driver)
    served = serve.DRIVERS[driver]
    theirs = {
        has_our: ", ".join(
            partner.partner for partner in PARTNERS if (partner.driver, partner.has_our) == (driver, has_our)
        )
        for has_our in ("simulator", "driver")
    }
    return [
        _instrument(cls),
        DRIVERS[driver],
        f"`{driver}`",
        _transport(cls),
        "yes" if driver in CHECKSUM else "no",
        f"`{served.module}`",
        theirs["simulator"],
        theirs["driver"],
        ", ".join(entry.published for entry in PUBLISHED if entry.driver == driver),
        "no",
    ]


def _class(driver: str) -> Any:
    module, _, name = lab.DRIVERS[driver].partition(":")
    return getattr(import_module(module), name)


def _instrument(cls: Any) -> str:
    """The first words of its module, and its own where it shares that with others."""
    words = _first_words(str(sys.modules[cls.__module__].__doc__))
    classes = [path for path in lab.DRIVERS.values() if path.startswith(f"{cls.__module__}:")]
    own = _first_words(inspect.getdoc(cls) or "")
    return f"{words}: {own[0].lower()}{own[1:]}" if len(classes) > 1 else words


def _first_words(text: str) -> str:
    plain = re.sub(r" \(.*?\)", "", text, flags=re.DOTALL)
    return " ".join(re.split(r"[:;.,](?:\s|$)", plain, maxsplit=1)[0].split())


class _Told(Exception):
    """What a driver opens its link with."""


def _transport(cls: Any) -> str:
    """From how the driver opens its link: nothing is opened."""
    module = sys.modules[cls.open_link.__module__]
    links = {
        name: kind
        for name in ("SerialLink", "VisaLink", "TcpLink", "MultiVuLink")
        if (kind := getattr(module, name, None))
    }
    words = {"VisaLink": "VISA", "TcpLink": "TCP", "MultiVuLink": "TCP"}

    def tell(name: str) -> Any:
        def opened(address: str, **how: Any) -> Any:
            if name != "SerialLink":
                raise _Told(words[name])
            frame = f"{how.get('bytesize', 8)}{how.get('parity', 'N')}1"
            raise _Told(f"serial {how.get('baudrate', 9600)} {frame}")

        return opened

    told = []
    for address in ("/dev/ttyUSB0", "tcp://host:1", "TCPIP0::host::1::SOCKET"):
        with mock.patch.multiple(module, **{name: tell(name) for name in links}):
            try:
                cls.open_link(address)
            except _Told as what:
                told.append(str(what))
            except InstrumentError:  # an address that this driver does not take
                continue
    return " or ".join(dict.fromkeys(told))


def _assumed() -> Iterator[str]:
    """What the drivers say of themselves, one line for each module."""
    for path in dict.fromkeys(path.partition(":")[0] for path in lab.DRIVERS.values()):
        text = inspect.getdoc(sys.modules[path]) or ""
        names = ", ".join(f"`{driver}`" for driver, where in lab.DRIVERS.items() if where.partition(":")[0] == path)
        said = re.search(r"Unverified on hardware(.*?)(?=\n\n|\Z)", text, re.DOTALL)
        words = " ".join(said[1].split()).lstrip(":;. ") if said else ""
        yield f"- {names}: {words or 'nothing in particular; unverified as a whole.'}"


def _deviations() -> Iterator[str]:
    for module in dict.fromkeys(partner.test.rpartition(".")[0] for partner in PARTNERS):
        text = inspect.getdoc(import_module(module)) or ""
        for bullet in re.findall(r"^\* (.*?)(?=^\* |\n\n|\Z)", text, re.DOTALL | re.MULTILINE):
            yield f"- {' '.join(bullet.replace('``', '`').split())}"


if __name__ == "__main__":
    keep(PAGE, page(), "generate_instruments")
