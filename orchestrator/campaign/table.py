"""The base of every table in a campaign or lab file, and how what is wrong in one is worded."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr, Tag, ValidationError
from pydantic.fields import FieldInfo

from orchestrator.campaign.problems import NOTHING, SECRET, Findings, Key, Problem, SpecError, shown
from orchestrator.campaign.toml_source import Source

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True)]
Text = Annotated[str, Field(strict=True)]


class Table(BaseModel):
    """A table of the file: frozen, and every key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    _source: Source | None = PrivateAttr(default=None)

    @property
    def source(self) -> Source | None:
        """The file it was read from; None if it was built otherwise."""
        return self._source

    def __eq__(self, other: object) -> bool:
        """Whether it says the same, wherever it was read from."""
        return type(other) is type(self) and self.__dict__ == other.__dict__


NAME = r"^[a-z][a-z0-9_]{0,31}$"
NAME_RIGHT = "at most 32 small letters, digits and underscores, a letter first"

T = TypeVar("T", bound=Table)


def key(
    description: str, *, unit: str = "", right: str = "", inside: str = "", secret: bool = False, **constraints: Any
) -> Any:
    """A key of a table: what it means and its unit.

    `right`: what would be right, where the type alone does not say it; `inside`: the same for what a list or a
    table of free names holds; `secret`: never show the value, nor write it down with the rest of the file.
    """
    extra: dict[str, JsonValue] = {"unit": unit, "right": right, "inside": inside, "secret": secret}
    return Field(
        description=description, json_schema_extra=extra, exclude=secret or None, repr=not secret, **constraints
    )


def noted(info: FieldInfo | None, what: str) -> str:
    """The unit, or whatever else `key` was told about a field; "" if nothing."""
    extra = info.json_schema_extra if info else None
    return str(extra.get(what) or "") if isinstance(extra, dict) else ""


def validated(model: type[T], source: Source) -> T:
    """`source` as `model`.  Raises `SpecError` with every problem found, in the order of the file."""
    try:
        table = model.model_validate(source.tables)
        table._source = source
        return table
    except ValidationError as error:
        problems = [problem for details in error.errors() for problem in _problems(model, source, details)]
        raise SpecError(located(source, problems)) from None


def located(source: Source, problems: Iterable[Problem]) -> list[str]:
    """Each problem once, with file and line, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: source.line(problem.key))
    return list(dict.fromkeys(source.located(problem) for problem in ordered))


def nearest(word: Any, known: Iterable[str]) -> str:
    """``did you mean x? known here: x, y``, for a word that is not known."""
    lowered = {name.lower(): name for name in known}
    alike = difflib.get_close_matches(str(word).lower(), lowered, n=1, cutoff=0.6)
    return (f'did you mean "{lowered[alike[0]]}"? ' if alike else "") + "known here: " + ", ".join(lowered.values())


def tables(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table below `model` with its path; NAME and [] stand for a free name and for a list."""
    yield path, model
    for name, info in model.model_fields.items():
        yield from _tables_in(info.annotation, f"{path}.{name}" if path else name)


def _tables_in(annotation: Any, path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    annotation = bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from tables(annotation, path)
    elif members := forms(annotation) or kinds(annotation):
        for table in members.values():
            yield from _tables_in(table, path)
    elif typing.get_origin(annotation) is dict:
        yield from _tables_in(typing.get_args(annotation)[1], f"{path}.NAME")
    elif typing.get_origin(annotation) is tuple:
        yield from _tables_in(typing.get_args(annotation)[0], f"{path}[]")


# --- from pydantic's errors to problems ----------------------------------------------------------------


@dataclass
class _Place:
    """What a file should have at a key: the type, the field that holds it, and the table around it."""

    key: Key
    annotation: Any
    info: FieldInfo | None = None
    table: type[BaseModel] | None = None
    inside: bool = False  # a list or a table of free names that the field holds

    def right(self) -> str:
        """What the file should say here."""
        words = noted(self.info, "inside" if self.inside else "right")
        return "give " + (words or expected(self.annotation, self.info))


def _problems(model: type[Table], source: Source, details: Mapping[str, Any]) -> list[Problem]:
    place = _find(model, details["loc"])
    at, right, context, given = place.key, place.right(), details.get("ctx", {}), details["input"]
    if isinstance(cause := context.get("error"), Findings):
        return [problem.under(at) for problem in cause.problems]
    match details["type"]:
        case "missing" if isinstance(at[-1], int):
            at, wrong, right = at[:-1], f"has {len(given)} entries", "give " + noted(place.info, "right")
        case "missing":
            given, wrong = NOTHING, "is missing"
        case "extra_forbidden":
            wrong, right = "is not a known key", _home(model, place)
        case "union_tag_not_found":
            at, given, wrong = (*at, "kind"), NOTHING, "is missing"
            right = "give " + expected(place.annotation, None)
        case "union_tag_invalid":
            at, given, wrong = (*at, "kind"), given.get("kind"), "is no kind of station"
            right = "give " + expected(place.annotation, None)
        case "finite_number":
            wrong = "is not a finite number"
        case "greater_than_equal":
            wrong = f"is less than {plain(context['ge'])}"
        case "greater_than":
            wrong = f"is not more than {plain(context['gt'])}"
        case "less_than_equal":
            wrong = f"is more than {plain(context['le'])}"
        case "literal_error" if isinstance(given, str):
            wrong, right = "is not known", nearest(given, _choices(place.annotation))
        case "string_pattern_mismatch" if details["loc"][-1] == "[key]":
            given, wrong, right = NOTHING, "is no name that can be used here", f"give {NAME_RIGHT}"
        case "string_pattern_mismatch" | "string_too_short":
            wrong = "is not allowed here" if given else "is empty"
        case "too_short" if len(given) >= context["min_length"]:
            return []  # pydantic did not count the entries that are wrong themselves
        case "too_short" | "too_long":
            wrong = f"has {len(given)} entries"
        case kind if kind.endswith("_type") or kind == "literal_error":
            wrong = "has the wrong type"
        case _:
            wrong = str(details["msg"])
    return [Problem(at, SECRET if _secret(place) and given is not NOTHING else given, wrong, right)]


def _secret(place: _Place) -> bool:
    """Whether what stands here must not be shown: a misspelt key may hold what its neighbour should."""
    if place.info is not None or place.table is None:
        return bool(noted(place.info, "secret"))
    return any(noted(info, "secret") for info in place.table.model_fields.values())


def _home(model: type[BaseModel], place: _Place) -> str:
    """Where an unknown key may have been meant."""
    name = str(place.key[-1])
    known = place.table.model_fields if place.table else {}
    homes = [path for path, table in tables(model) if name in table.model_fields]
    if not homes:
        return nearest(name, known)
    where = " or ".join(f"[{path}]" if path else "the top of the file" for path in dict.fromkeys(homes))
    return f"it belongs to {where}; known here: {', '.join(known)}"


def _find(model: type[BaseModel], location: tuple[str | int, ...]) -> _Place:
    """Follow pydantic's `location` from `model`; it also names the members of unions, which no file does."""
    place = _Place((), model)
    for part in location:
        kind = place.annotation = bare(place.annotation)
        if tagged := forms(kind):
            place.annotation = tagged.get(str(part), kind)
            place.info = _as(place.info, place.annotation)
        elif members := kinds(kind):
            place.annotation = members.get(str(part), kind)
        elif part == "[key]":
            break
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            info = kind.model_fields.get(str(part))
            place = _Place((*place.key, part), info.annotation if info else None, info, kind)
        else:
            arguments = typing.get_args(kind) or (None,)
            inner = arguments[min(part, len(arguments) - 1)] if isinstance(part, int) else arguments[-1]
            inner = arguments[0] if inner is Ellipsis else inner
            place = _Place((*place.key, part), inner, place.info, place.table, inside=True)
    place.annotation = bare(place.annotation)
    return place


def _as(info: FieldInfo | None, form: Any) -> FieldInfo:
    """What `info` says of its key, with the bounds of one of the forms that the value may have."""
    bounded = FieldInfo.from_annotation(form)
    bounded.json_schema_extra = info.json_schema_extra if info else None
    return bounded


def interval_of(info: FieldInfo) -> tuple[float, float]:
    """Between which numbers a key is, one of whose forms is a number with both bounds."""
    rules = FieldInfo.from_annotation(forms(bare(info.annotation))["number"]).metadata
    low, high = (next(getattr(rule, name) for rule in rules if hasattr(rule, name)) for name in ("ge", "le"))
    return float(low), float(high)


def bare(annotation: Any) -> Any:
    """`annotation` without `Annotated` and without "or None"."""
    while True:
        if typing.get_origin(annotation) is Annotated:
            annotation = typing.get_args(annotation)[0]
        elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
            members = [member for member in typing.get_args(annotation) if member is not type(None)]
            if len(members) != 1:
                return annotation
            annotation = members[0]
        else:
            return annotation


def forms(annotation: Any) -> dict[str, Any]:
    """What a value may be instead of one another, by the tags that pydantic's locations name."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return {}
    return {
        told.tag: member
        for member in typing.get_args(annotation)
        if typing.get_origin(member) is Annotated
        for told in typing.get_args(member)[1:]
        if isinstance(told, Tag)
    }


def kinds(annotation: Any) -> dict[str, type[BaseModel]]:
    """The tables that a table may be, by their `kind`."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType) or forms(annotation):
        return {}
    members = [member for member in typing.get_args(annotation) if hasattr(member, "model_fields")]
    return {kind: table for table in members for kind in _choices(table.model_fields["kind"].annotation)}


def _choices(annotation: Any) -> list[str]:
    return [str(choice) for choice in typing.get_args(bare(annotation))]


def expected(annotation: Any, info: FieldInfo | None) -> str:
    """What would be right where `annotation` stands: ``a number from 0.15 to 5 Pa``."""
    annotation = bare(annotation)
    if tagged := forms(annotation):
        return expected(tagged["number"], _as(info, tagged["number"]))
    if members := kinds(annotation):
        return "one of " + ", ".join(shown(kind) for kind in members)
    if typing.get_origin(annotation) is Literal:
        return "one of " + ", ".join(shown(choice) for choice in typing.get_args(annotation))
    origin = typing.get_origin(annotation) or annotation
    names = {float: "a number", int: "a whole number", str: "text in quotes", bool: "true or false"}
    names |= {dict: "a table", tuple: "a list [...]", list: "a list [...]"}
    name = names.get(origin, "a table" if isinstance(origin, type) and issubclass(origin, BaseModel) else "a value")
    if origin not in (float, int):
        return name
    unit = noted(info, "unit") if origin is float else ""
    bounds = interval(info)
    if unit in ("", "1"):
        return f"{name} {bounds}".strip()
    return f"{name} {bounds} {unit}" if bounds else f"{name} in {unit}"


def interval(info: FieldInfo | None) -> str:
    """The bounds of a number: ``from 0.1 to 50``, ``at least 1``, ``above 0``; "" if it has none."""
    bounds = {
        name: getattr(rule, name)
        for rule in (info.metadata if info else ())
        for name in ("ge", "gt", "le")
        if getattr(rule, name, None) is not None
    }
    match bounds:
        case {"ge": low, "le": high}:
            return f"from {plain(low)} to {plain(high)}"
        case {"gt": low, "le": high}:
            return f"above {plain(low)} and at most {plain(high)}"
        case {"ge": low}:
            return f"of at least {plain(low)}"
        case {"gt": low}:
            return f"above {plain(low)}"
        case {"le": high}:
            return f"of at most {plain(high)}"
        case _:
            return ""


def plain(number: float) -> str:
    """`number` without an exponent where it is whole."""
    return str(int(number)) if number == int(number) else f"{number:g}"
