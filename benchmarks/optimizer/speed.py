"""Seconds of a full decision, and how they grow with the observations and with the pool.

    python -m benchmarks.optimizer.speed [--agents nightshift,botorch,...] [--decisions 10] [--results FILE.jsonl]
        [--plot FILE.svg] [--large nightshift] [--json]

A pool of m compositions of six elements on the simplex lattice, and a smooth function with two hills on it.  An
agent is told n random rows; its first decision, which also digests these, is not counted.  Then it decides, is
told, decides: a decision is all that it does from one to the next, refits included, CPU and wall as its own
process measures them.  Every agent has the same thread limit and, in each cell, a process of its own, whose
most memory is noted.  A cell ends after --decisions, or after --cell-seconds with at least 3.

Agents of --large also decide at n = 200 in a pool of 10^6, and at n = 2000 in one of 10^4.  With --results,
cells are kept as JSON lines, and those that are there are not measured again.  Let the machine do nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.optimizer import environment
from benchmarks.optimizer.pools import Floats
from benchmarks.optimizer.process import AgentFailed, AgentGone, AgentProcess, Took
from benchmarks.optimizer.roster import COMPARED, Entrant, UnknownAgent, entrants

ELEMENTS = ("A", "B", "C", "D", "E", "F")
OBSERVATIONS, POOLS = (50, 100, 200), (1_000, 10_000, 100_000)
CELLS = tuple((n, m) for m in POOLS for n in OBSERVATIONS)
LARGE_CELLS = ((200, 1_000_000), (2000, 10_000))
FEWEST = 3
GIB = 2**30


@dataclass(frozen=True)
class Cell:
    """What one agent took at `n` observations in a pool of `m`; None where it did not answer, or failed."""

    agent: str
    version: str
    n: int
    m: int
    decisions: int = 0
    wall: float | None = None
    cpu: float | None = None
    worst_wall: float | None = None
    worst_cpu: float | None = None
    peak_bytes: int | None = None
    error: str | None = None


def simplex(m: int, parts: int = len(ELEMENTS)) -> Floats:
    """`m` different compositions (m, parts), drawn from the coarsest lattice of the simplex that has as many."""
    steps = next(steps for steps in range(1, 1000) if math.comb(steps + parts - 1, parts - 1) >= m)
    bars = np.array(list(combinations(range(steps + parts - 1), parts - 1)))
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), steps + parts - 1)], axis=1)
    lattice = (np.diff(edges, axis=1) - 1) / steps
    return np.asarray(lattice[np.sort(np.random.default_rng(m).choice(len(lattice), m, replace=False))])


def hills(X: Floats) -> Floats:
    """A broad hill and a narrow one, and a ripple."""
    broad, narrow = np.array([0.4, 0.3, 0.1, 0.1, 0.1, 0.0]), np.array([0.0, 0.1, 0.2, 0.2, 0.0, 0.5])
    height = np.exp(-8.0 * ((X - broad) ** 2).sum(axis=1)) + 1.2 * np.exp(-30.0 * ((X - narrow) ** 2).sum(axis=1))
    return np.asarray(height + 0.05 * np.sin(12.0 * X[:, 0]) * np.cos(9.0 * X[:, 3]))


def measure(entrant: Entrant, n: int, X: Floats, inputs: Path, limits: argparse.Namespace) -> Cell:
    """One cell."""
    at = (entrant.name, entrant.version, n, len(X))
    try:
        with AgentProcess(entrant, limits.threads, limits.answer_seconds) as process:
            took = _decisions(process, n, X, inputs, limits)
            peak = process.peak_bytes()
    except (AgentFailed, AgentGone) as error:
        return Cell(*at, error=str(error).strip().splitlines()[-1])
    wall, cpu = [t.wall for t in took], [t.cpu for t in took]
    return Cell(*at, len(took), float(np.median(wall)), float(np.median(cpu)), max(wall), max(cpu), peak)


def _decisions(process: AgentProcess, n: int, X: Floats, inputs: Path, limits: argparse.Namespace) -> list[Took]:
    y = hills(X)
    process.begin(inputs, ELEMENTS, ELEMENTS, 0, n + limits.decisions + 1)
    for row in np.random.default_rng(n).choice(len(X), n, replace=False).tolist():
        process.tell(row, float(y[row]))
    row, _ = process.ask([])
    took: list[Took] = []
    ends = time.perf_counter() + limits.cell_seconds
    while len(took) < limits.decisions and (len(took) < FEWEST or time.perf_counter() < ends):
        told = process.tell(row, float(y[row]))
        row, asked = process.ask([])
        took.append(told + asked)
    return took


def main(arguments: Sequence[str] | None = None) -> int:
    """The command.  0: a table was made; 2: nothing to measure."""
    given = _arguments(arguments)
    try:
        found, left_out = entrants(given.agents.split(","), given.env)
    except UnknownAgent as error:
        sys.stderr.write(f"{error}\n")
        return 2
    cells = _measured(found, given)
    if given.plot is not None:
        _draw(cells, given.plot)
    print(json.dumps([asdict(cell) for cell in cells], indent=1) if given.json else _text(cells))
    for words in left_out:
        sys.stderr.write(f"{words}\n")
    return 0


def _measured(found: Sequence[Entrant], given: argparse.Namespace) -> list[Cell]:
    """All cells, those of --results first looked up there."""
    kept = {(cell.agent, cell.version, cell.n, cell.m): cell for cell in _read(given.results)}
    wanted = [(who, n, m) for n, m in given.cells for who in found]
    wanted += [(who, n, m) for n, m in LARGE_CELLS for who in found if who.name in given.large.split(",")]
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory(prefix="optimizer-speed-") as folder:
        for who, n, m in wanted:
            cell = kept.get((who.name, who.version, n, m))
            if cell is None:
                inputs = Path(folder) / f"{m}.npy"
                if not inputs.exists():
                    np.save(inputs, simplex(m))
                cell = measure(who, n, np.load(inputs), inputs, given)
                _keep(cell, given.results)
                sys.stderr.write(f"{cell.agent}, n = {n}, pool of {m}: {_seconds(cell)}\n")
            cells.append(cell)
    return cells


def _read(path: Path | None) -> list[Cell]:
    if path is None or not path.exists():
        return []
    return [Cell(**json.loads(line)) for line in path.read_text().splitlines()]


def _keep(cell: Cell, path: Path | None) -> None:
    if path is not None:
        with path.open("a") as lines:
            lines.write(json.dumps(asdict(cell)) + "\n")


def _text(cells: Sequence[Cell]) -> str:
    lines = ["Seconds a decision, median (worst), and the most memory of the process:"]
    for n, m in dict.fromkeys((cell.n, cell.m) for cell in cells):
        here = [cell for cell in cells if (cell.n, cell.m) == (n, m)]
        lines += ["", f"n = {n}, pool of {m}"]
        head = f"  {'agent':<21} {'wall':>9} {'(worst)':>9} {'CPU':>9} {'(worst)':>9} {'GiB':>6}"
        lines.append(f"{head}   wall over {here[0].agent}'s")
        lines += [_line(cell, here[0]) for cell in here]
    return "\n".join([*lines, "", *(f"{name:<21} {version}" for name, version in _versions(cells).items())])


def _line(cell: Cell, first: Cell) -> str:
    if cell.error is not None:
        return f"  {cell.agent:<21} {cell.error}"
    numbers = (cell.wall, cell.worst_wall, cell.cpu, cell.worst_cpu)
    seconds = " ".join(f"{number:>9.3g}" for number in numbers if number is not None)
    times = f"{cell.wall / first.wall:.3g} times" if cell.wall and first.wall and cell is not first else ""
    return f"  {cell.agent:<21} {seconds} {(cell.peak_bytes or 0) / GIB:>6.2f}   {times}"


def _seconds(cell: Cell) -> str:
    if cell.wall is None or cell.worst_wall is None:
        return cell.error or "nothing"
    return f"{cell.wall:.3g} s, worst of {cell.decisions} {cell.worst_wall:.3g} s"


def _versions(cells: Iterable[Cell]) -> dict[str, str]:
    return {cell.agent: cell.version for cell in cells}


def _draw(cells: Sequence[Cell], path: Path) -> None:
    """Median CPU seconds against the pool (largest n that all have) and against n (the middle pool)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    by_pool, by_n = figure.subplots(1, 2, sharey=True)
    for name in _versions(cells):
        own = sorted((c for c in cells if c.agent == name and c.cpu is not None), key=lambda c: (c.n, c.m))
        here = [c for c in own if c.n == OBSERVATIONS[-1]]
        by_pool.loglog([c.m for c in here], [c.cpu for c in here], "o-", label=name)
        here = [c for c in own if c.m == POOLS[1]]
        by_n.loglog([c.n for c in here], [c.cpu for c in here], "o-", label=name)
    by_pool.set(xlabel="pool", ylabel="CPU seconds a decision", title=f"{OBSERVATIONS[-1]} observations")
    by_n.set(xlabel="observations", title=f"pool of {POOLS[1]}")
    by_n.legend(frameon=False, fontsize="small", bbox_to_anchor=(1.0, 1.0), loc="upper left")
    figure.savefig(path)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimizer.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--agents", default=",".join(name for name in COMPARED if name != "random"))
    parser.add_argument("--cells", type=_cells, default=CELLS, help="such as 50x1000,200x100000 (n x pool)")
    parser.add_argument("--large", default="nightshift", help="agents that also decide in the large cells, or ''")
    parser.add_argument("--decisions", type=int, default=10)
    parser.add_argument("--cell-seconds", type=float, default=120.0)
    parser.add_argument("--answer-seconds", type=float, default=900.0, help="the longest that one answer may take")
    parser.add_argument("--threads", type=int, default=1, help="of each agent's numerical libraries")
    parser.add_argument("--env", type=Path, default=environment.FOLDER, help="the peers' environment")
    parser.add_argument("--results", type=Path, help="keep cells in this file, and go on from it")
    parser.add_argument("--plot", type=Path, help="draw the growth into this file")
    parser.add_argument("--json", action="store_true", help="a JSON list of cells instead of the table")
    return parser.parse_args(arguments)


def _cells(text: str) -> tuple[tuple[int, int], ...]:
    pairs = [part.split("x") for part in text.split(",")]
    return tuple((int(n), int(m)) for n, m in pairs)


if __name__ == "__main__":
    sys.exit(main())
