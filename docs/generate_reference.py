"""Write the reference pages of the campaign file and the lab file from the models themselves.

``python docs/generate_reference.py`` writes them, ``--check`` only says which are out of date.
"""

from __future__ import annotations

import sys
import types
import typing
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from orchestrator.campaign.attached import EarlierData, Pool  # noqa: E402 - after the path
from orchestrator.campaign.faults import AIDS_FOR, FAULTS  # noqa: E402
from orchestrator.campaign.labchecks import DRIVERS, REQUIRED, ROLES  # noqa: E402
from orchestrator.campaign.labspec import LabSpec  # noqa: E402
from orchestrator.campaign.problems import shown  # noqa: E402
from orchestrator.campaign.quantities import MEASURED_BY, UNITS  # noqa: E402
from orchestrator.campaign.spec import Campaign, FaultRule, Faults, Setting  # noqa: E402
from orchestrator.campaign.table import bare, expected, forms, noted, tables  # noqa: E402
from tests.campaign.bad_input import CASES, Case  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
GENERATED = "<!-- Written by docs/generate_reference.py: change the models, not this page. -->"


def pages() -> dict[Path, str]:
    """Path -> text of every page that is generated."""
    return {
        REFERENCE / "campaign-file.md": campaign_page(),
        REFERENCE / "lab-file.md": lab_page(),
        REFERENCE / "bad-input.md": bad_input_page(),
    }


def campaign_page() -> str:
    units = [[f"`{quantity}`", ", ".join(f"`{unit}`" for unit in units)] for quantity, units in UNITS.items()]
    return (
        "\n\n".join(
            [
                "# The campaign file",
                GENERATED,
                "A campaign is a TOML file; `nightshift check CAMPAIGN` says whether it is right. NAME "
                "stands for a name of yours, `[]` for a list whose tables are written `[[like this]]`. A key without "
                "a default must be given.",
                *_sections(Campaign),
                *_faults(),
                "## Units of the objective",
                "Inside, every quantity is in the unit listed first. A magnetisation in T is µ₀M, a coercivity in T "
                "is µ₀H.",
                _grid(["quantity", "units"], units),
            ]
        )
        + "\n"
    )


def lab_page() -> str:
    drivers = [[f"`{driver}`", f"`{role}`", _needs(role)] for driver, role in DRIVERS.items()]
    roles = [
        [f"`{kind}`", ", ".join(_many(role, *many) for role, many in rules.items())] for kind, rules in ROLES.items()
    ]
    signals = [[f"`{signal}`", ", ".join(f"`{q}`" for q in quantities)] for signal, quantities in MEASURED_BY.items()]
    return (
        "\n\n".join(
            [
                "# The lab file",
                GENERATED,
                "A lab is a TOML file; `nightshift check CAMPAIGN --lab LAB` says whether it is right "
                "and whether the campaign can be done in it. NAME stands for a name of yours. "
                "A key without a default must be given.",
                *_sections(LabSpec),
                "## Stations and their devices",
                _grid(["kind", "roles of its devices"], roles),
                "## Drivers",
                _grid(["driver", "role", "needs"], drivers),
                "## What a magnetometer measures",
                _grid(["`quantity` of the station", "objectives it can serve"], signals),
            ]
        )
        + "\n"
    )


def bad_input_page() -> str:
    parts = [
        "# What is said about bad input",
        GENERATED,
        "Every problem of a file is told at once, one line each: file, line, key, value, what is wrong; what to do. "
        "List entries count from 1. The tests run every row of these tables, on a good campaign file "
        "and a good lab file.",
    ]
    for kind, title in (
        ("campaign", "Campaign files"),
        ("lab", "Lab files"),
        ("fit", "Good campaigns in a lab that cannot do them"),
    ):
        rows = [
            [_change(case), "<br>".join(_code(line) for line in case.message)] for case in CASES if case.file == kind
        ]
        parts += [f"## {title}", _grid(["instead of → there is", "message"], rows)]
    return "\n\n".join(parts) + "\n"


def _sections(model: type[BaseModel]) -> list[str]:
    parts = []
    seen: set[tuple[str, type[BaseModel]]] = set()
    for path, table in tables(model):
        path = "film.KEY" if table is Setting else path
        if (path, table) in seen or table in (Faults, FaultRule, Pool, EarlierData):
            continue
        seen.add((path, table))
        kind = next((f", `kind = {shown(k)}`" for k in _kinds(table)), "")
        parts.append(f"## {f'`[{path}]`' if path else 'Top of the file'}{kind}")
        parts.append(" ".join(str(table.__doc__).split("\n\n")[0].split()))
        rows = [
            [f"`{name}`", _type(info), _default(info), " ".join((info.description or "").split())]
            for name, info in table.model_fields.items()
        ]
        parts.append(_grid(["key", "value", "default", "meaning"], rows))
    return parts


def _faults() -> list[str]:
    """The rules of all classes of fault as one section: they have the same keys, and each its own defaults."""
    keys = FaultRule.model_fields.items()
    classes = [
        [
            f"`{fault}`",
            " ".join((Faults.model_fields[fault].description or "").split()),
            ", ".join(AIDS_FOR[fault]),
            *(f"`{shown(getattr(Faults().of(fault), name))}`" for name, _ in keys),
        ]
        for fault in FAULTS
    ]
    return [
        "## `[recovery.faults.CLASS]`",
        "What to do about each class of fault, once it is certain what happened to the film. `skip` gives the sample "
        "up and goes on. `hold` finishes what is under way, begins nothing more, and waits for `nightshift resume`. "
        "`wake` makes every station safe, calls the operator and ends the night. The further attempts are those of the "
        "third column: `reconnect` opens the ports anew that do not answer, `recalibrate` forgets the rates that were "
        "known, `remeasure` measures the loop again. See [how to write a recovery policy]"
        "(../how-to/recovery-policy.md).",
        _grid(
            ["key", "value", "default", "meaning"],
            [[f"`{name}`", _type(info), "by class", " ".join((info.description or "").split())] for name, info in keys],
        ),
        _grid(["class", "what happened", "further attempts", *(f"`{name}`" for name, _ in keys)], classes),
    ]


def _kinds(table: type[BaseModel]) -> tuple[Any, ...]:
    info = table.model_fields.get("kind")
    return typing.get_args(info.annotation) if info else ()


def _type(info: FieldInfo) -> str:
    return noted(info, "right") or _contents(info.annotation, info)


def _contents(annotation: Any, info: FieldInfo) -> str:
    annotation = bare(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return f"table: NAME = {noted(info, 'inside') or _contents(arguments[1], info)}"
    if origin is tuple:
        return f"list: {noted(info, 'inside') or _contents(arguments[0], info)}"
    if forms(annotation):
        return expected(annotation, info) + ', a table, or "pool"'
    if origin in (typing.Union, types.UnionType):
        return (
            "a table"
            if any(hasattr(member, "model_fields") for member in arguments)
            else "true, false, a number or text"
        )
    if origin is Literal:
        return " or ".join(f"`{shown(choice)}`" for choice in arguments)
    return expected(annotation, info)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    if info.default is None:
        return "absent"
    if isinstance(info.default, BaseModel):
        changed = {name: getattr(info.default, name) for name in sorted(info.default.model_fields_set)}
        return f"`{shown(changed)}`" if changed else "its own defaults"
    return f"`{shown(info.default)}`"


def _needs(role: str) -> str:
    return "<br>".join(f"`{path}`: {right.removeprefix('give ')}" for path, right in REQUIRED.get(role, {}).items())


def _many(role: str, least: int, most: int | None) -> str:
    return {(1, None): "one or more ", (0, 1): "at most one "}.get((least, most), "") + f"`{role}`"


def _change(case: Case) -> str:
    """The lines that differ."""
    old, new = case.old.strip("\n").split("\n"), case.new.strip("\n").split("\n")
    while old and new and old[0] == new[0] and len(old) > 1:
        old, new = old[1:], new[1:]
    return f"{_code(' / '.join(old))} → {_code(' / '.join(new)) if any(new) else 'nothing'}"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("\n", " ") for cell in line) + " |" for line in lines)


def main() -> None:
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
    if "--check" in sys.argv:
        sys.exit(f"out of date: {names}; run python docs/generate_reference.py" if stale else 0)
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    sys.stdout.write(f"written: {names}\n" if stale else "up to date\n")


if __name__ == "__main__":
    main()
