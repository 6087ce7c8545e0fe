"""Commands that look at samples: which there are, and why each was chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.campaign.lifecycle import Phase
from orchestrator.cli.common import FILE, checked, home_option, refuse, the_home

if TYPE_CHECKING:
    from orchestrator.campaign.entries import Recorded
    from orchestrator.campaign.sample import Sample
    from orchestrator.campaign.spec import Campaign
    from orchestrator.campaign.state import CampaignState

STATES = [phase.value for phase in Phase if phase is not Phase.REFERENCE]
VALIDITIES = ["valid", "censored", "failed"]


def told_of(home: Path | None) -> tuple[list[Recorded], CampaignState, Campaign]:
    """The entries of the campaign in `home`, its state, and what it began with.  Raises `JournalError`."""
    from orchestrator.campaign.spec import Campaign
    from orchestrator.campaign.state import fold
    from orchestrator.journal import JournalError, SqliteJournal

    path = the_home(home).need_journal()
    entries = list(SqliteJournal(path).read())
    state = fold(entries)
    if state.started is None:
        raise JournalError(f"{path}: tells of no campaign yet")
    return entries, state, Campaign.model_validate(state.started.campaign)


@click.command()
@click.argument("sample", type=click.IntRange(min=1))
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def why(sample: int, home: Path | None, as_json: bool) -> None:
    """Why SAMPLE (its number) was chosen: what the model expected of it, what it had to go by, what came second."""
    from orchestrator.campaign.why import NotSuggested, why_of
    from orchestrator.display import as_lines
    from orchestrator.explanation import explained
    from orchestrator.journal import SqliteJournal

    try:
        told = why_of(SqliteJournal(the_home(home).need_journal()).read(), sample)
    except NotSuggested as error:
        refuse(error.args[0])
    click.echo(json.dumps(told.as_dict()) if as_json else as_lines(explained(told)))


@click.command()
@home_option
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only those in this state; repeatable."
)
@click.option("--validity", "validities", multiple=True, type=click.Choice(VALIDITIES),
              help="Only those whose observation is so; repeatable.")  # fmt: skip
@click.option("--best", type=click.IntRange(min=1), help="Only so many valid ones, the best first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@checked
def samples(home: Path | None, states: tuple[str, ...], validities: tuple[str, ...], best: int | None,
            as_json: bool) -> None:  # fmt: skip
    """The samples of a campaign: state, composition asked and made, prediction and value."""
    from orchestrator.campaign.rows import samples as table_of
    from orchestrator.display import as_lines
    from orchestrator.explanation import sample_table
    from orchestrator.exporting import as_json as in_json

    _, state, campaign = told_of(home)
    chosen = [sample for sample in state.samples.values() if _wanted(sample, states, validities)]
    if best is not None:
        chosen = _best(chosen, state, best)
    if as_json:
        click.echo(in_json(table_of(state, campaign, chosen)), nl=False)
    else:
        click.echo(as_lines(sample_table(chosen, campaign)))
        click.echo(f"{len(chosen)} of {len(state.samples)} samples")


def _wanted(sample: Sample, states: tuple[str, ...], validities: tuple[str, ...]) -> bool:
    if states and sample.phase.value not in states:
        return False
    return not validities or (sample.observation is not None and sample.observation.validity in validities)


def _best(samples: list[Sample], state: CampaignState, count: int) -> list[Sample]:
    """The best valid ones within all limits, best first; with several objectives by their weights."""
    from orchestrator.campaign.fronts import by_worth

    held = {s.number: s for s in samples if s.rejected is None and s.observation is not None}
    ranked = by_worth(state.terms, [s.observation for s in held.values() if s.observation is not None])
    return [held[seen.sample] for seen in ranked[:count]]


@click.command()
@home_option
@click.option("--what", type=click.Choice(["samples", "loops"]), default="samples", show_default=True,
              help="A row for every sample, or for every point of every loop.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["csv", "json", "parquet"]),
              help="[default: by the ending of the output, else csv]")  # fmt: skip
@click.option("--output", type=FILE, help="The file to write, replaced if it is there [default: standard output].")
@checked
def export(home: Path | None, what: str, form: str | None, output: Path | None) -> None:
    """Samples or loops of a campaign as a table for other programs, with their units.

    Parquet needs an extra: pip install "nightshift-lab[parquet]".
    """
    from orchestrator.campaign.rows import loops
    from orchestrator.campaign.rows import samples as table_of
    from orchestrator.exporting import ExportError, as_csv, as_json, write_parquet

    form = form or (output.suffix.lstrip(".") if output else "csv")
    if form not in ("csv", "json", "parquet"):
        refuse(f"{output}: its ending names no format; give --format csv, json or parquet")
    if form == "parquet" and output is None:
        refuse("Parquet is no text: name a file with --output")
    entries, state, campaign = told_of(home)
    table = table_of(state, campaign) if what == "samples" else loops(entries)
    try:
        if form == "parquet":
            assert output is not None
            write_parquet(table, output)
            return
        text = as_csv(table) if form == "csv" else as_json(table)
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
    except ExportError as error:
        refuse(error)
    except OSError as error:
        refuse(f"{output}: cannot be written ({error.strerror})")
