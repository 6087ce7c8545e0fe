"""Commands that act on the search of a running campaign: those of `orchestrator.campaign.actions`.

Each action is a command with its name; fields that stand for one thing are arguments, the rest are options.  What
has to do with the queue is one command.  What the actions are is said here once more, so that listing the commands
imports no models; a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from orchestrator.campaign.elements import SYMBOLS
from orchestrator.cli.common import checked, home_option, operator, the_home

SAID = """Prints what was done; what is so already changes nothing.
Exit codes: 0 taken, 2 bad input or nobody to take it, 5 refused; a refusal says why, and who was first."""

WHAT = {
    "sample": "Queue a sample of your own: it takes the next turn, and the next free substrate.",
    "veto": "Do not make a suggested sample: its substrate is free again, and it is not suggested again.",
    "reject": "Do not believe the value of a sample: the model no longer sees it; journal and report keep it.",
    "accept": "Take a rejection back: the model sees the value again.",
    "repeat": "Measure a sample again: its value no longer counts, and the next one does.",
    "note": "Remark on a sample, for journal and report.",
    "budget": "Change what the campaign may spend.",
    "weights": "Change how much each objective counts against the others; refused where there is only one.",
}
NEED_A_REASON = ("veto", "reject")

Give = Callable[..., None]


def _options(command: Give) -> Give:
    """Whom to ask, and the options of every command that is journaled."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),
        click.option("--seen", type=int, help="The last entry you know of, as `status` tells it [default: the last]."),
        click.option("--key", default="", help="The request's own name: said again with it, it is done once."),
        click.option("--by", default=None, help="Who, for the journal [default: the user logged in]."),
        click.option("--reason", default="", help="Why, for the journal."),
    ):
        command = option(command)
    return home_option(command)


def _say(action: str, fields: Mapping[str, Any], told: dict[str, Any]) -> None:
    """Ask for `action`, and print what its giver is told; `told` are the options of `_options`."""
    from orchestrator.campaign.actions import SearchRequest, parsed
    from orchestrator.service.asking import give

    @checked
    def say() -> None:
        request = SearchRequest(
            parsed(action, fields), told["by"] or operator(), told["reason"], told["key"], told["seen"]
        )
        answer = give(the_home(told["home"]), request)
        click.echo(json.dumps(answer) if told["as_json"] else _in_words(answer))
        if answer["note"] and not told["as_json"]:
            click.echo(answer["note"], err=True)

    say()


def _in_words(answer: Mapping[str, Any]) -> str:
    if answer["action"] == "sample":
        return f"own sample {answer['number']} is queued"
    done = "done" if answer["changed"] else "as it was"
    return f"{answer['action']} of {answer['about']}: {done}, entry {answer['entry']}"


def _amounts(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    """NAME=NUMBER... as a table."""
    found: dict[str, float] = {}
    for pair in given:
        name, _, number = pair.partition("=")
        try:
            value = float(number)
        except ValueError:
            raise click.BadParameter(f"{pair!r}: give NAME=NUMBER, such as Fe=60") from None
        if name in found:
            raise click.BadParameter(f"{name} is given twice: give each once")
        found[name] = value
    return found


def _of_sample(name: str, *texts: str) -> click.Command:
    """The command of an action on one sample: its number, and perhaps texts."""

    def give(**given: Any) -> None:
        fields = {field: given.pop(field) for field in ("sample", *texts)}
        _say(name, fields, given)

    for text in reversed(texts):
        give = click.argument(text)(give)
    return click.command(name, help=_help(name))(_options(click.argument("sample", type=int, metavar="N")(give)))


def _help(name: str) -> str:
    """What the action does, and what is said of every command."""
    why = "  It takes a --reason." if name in NEED_A_REASON else ""
    return f"{WHAT[name]}{why}\n\n{SAID}"


@click.command("sample", help=_help("sample"))
@click.argument("amounts", nargs=-1, required=True, callback=_amounts, metavar="ELEMENT=AT% [SETTING=VALUE]...")
@_options
def sample(amounts: dict[str, float], **given: Any) -> None:
    composition = {name: number for name, number in amounts.items() if name in SYMBOLS}
    settings = {name: number for name, number in amounts.items() if name not in SYMBOLS}
    _say("sample", {"composition": composition, "settings": settings}, given)


@click.command("budget", help=_help("budget"))
@click.option("--samples", type=int, help="Films to make in all.")
@click.option("--lab-hours", type=float, help="Lab time from the start, h.")
@_options
def budget(samples: int | None, lab_hours: float | None, **given: Any) -> None:
    _say("budget", {"samples": samples, "lab_hours": lab_hours}, given)


@click.command("weights", help=_help("weights"))
@click.argument("weights", nargs=-1, required=True, callback=_amounts, metavar="QUANTITY=WEIGHT...")
@_options
def weigh(weights: dict[str, float], **given: Any) -> None:
    _say("weights", {"weights": weights}, given)


@click.command("queue", help=f"The samples of your own that wait for their turn, and changes to their order.\n\n{SAID}")
@click.option("--first", type=int, metavar="N", help="Put own sample N first.")
@click.option("--withdraw", type=int, metavar="N", help="Take own sample N out of the queue.")
@_options
def queue(first: int | None, withdraw: int | None, **given: Any) -> None:
    if first is not None and withdraw is not None:
        raise click.UsageError("--first and --withdraw are two requests: give one after the other")
    if first is not None:
        _say("reorder", {"queued": first, "position": 1}, given)
    elif withdraw is not None:
        _say("withdraw", {"queued": withdraw}, given)
    else:
        _list(given["home"], as_json=given["as_json"])


def _list(home: Path | None, *, as_json: bool) -> None:
    """What waits, by the journal: whether a daemon runs or not."""
    from orchestrator.campaign.actions import made_of
    from orchestrator.service.status import progress_of

    @checked
    def tell() -> None:
        waiting = progress_of(the_home(home).need_journal()).queue
        if as_json:
            click.echo(json.dumps({"queue": list(waiting)}))
            return
        for own in waiting:
            why = f" ({own['reason']})" if own["reason"] else ""
            click.echo(f"{own['number']:>4}  {made_of(own['composition'], own['settings'])}  by {own['by']}{why}")
        if not waiting:
            click.echo("nothing is queued")

    tell()


veto, reject, accept, repeat = map(_of_sample, ("veto", "reject", "accept", "repeat"))
note = _of_sample("note", "text")
