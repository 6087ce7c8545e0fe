"""Who takes part: each agent's script, what it needs installed, and the version that its results are kept under."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.optimizer import environment

SCRIPTS = Path(__file__).parent / "agents"
ROOT = Path(__file__).parents[2]
OURS = tuple(sorted((ROOT / "orchestrator" / "optimizer").rglob("*.py")))


class UnknownAgent(Exception):
    """The message names the agents there are."""


@dataclass(frozen=True)
class Agent:
    """`script` runs in the peers' environment, or in this one with our package if `ours`.

    `own_start`: it chooses its first rows as well, instead of being told the shared random ones.
    """

    name: str
    script: str
    packages: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    ours: bool = False
    own_start: bool = False


FIRST_SAMPLES = 6  # of our own start, as campaign files have it by default
AGENTS = {
    agent.name: agent
    for agent in (
        Agent("nightshift", "ours.py", ("nightshift-lab",), ours=True),
        Agent(
            "nightshift-own-start", "ours.py", ("nightshift-lab",), {"start": FIRST_SAMPLES}, ours=True, own_start=True
        ),
        Agent("random", "at_random.py", ("numpy",)),
        Agent("sklearn-forest", "sklearn_forest.py", ("scikit-learn",)),
        Agent("sklearn-gp", "sklearn_gp.py", ("scikit-learn",)),
        Agent("physbo-ei", "physbo_policy.py", ("physbo",), {"score": "EI"}),
        Agent("physbo-ts", "physbo_policy.py", ("physbo",), {"score": "TS", "basis": 1000}),
        Agent("physbo-combo", "physbo_policy.py", ("physbo",), {"score": "TS", "basis": 5000, "learn_every": 20}),
        Agent("optuna", "optuna_gp.py", ("optuna", "torch")),
        Agent("scikit-optimize", "skopt_ei.py", ("scikit-optimize", "scikit-learn")),
        Agent("botorch", "botorch_logei.py", ("botorch", "gpytorch", "torch")),
        Agent("baybe", "baybe_campaign.py", ("baybe", "botorch", "torch")),
    )
}
COMPARED = tuple(name for name in AGENTS if name not in ("nightshift-own-start", "physbo-combo"))
"""By default: not those that take another start, or their hyper-parameters from COMBO's own benchmark."""


@dataclass(frozen=True)
class Entrant:
    """An agent that can be started: with `command`, under `version`."""

    agent: Agent
    version: str
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.agent.name


def entrants(
    names: Sequence[str], folder: Path | None, agents: Mapping[str, Agent] = AGENTS
) -> tuple[list[Entrant], list[str]]:
    """Those of `names`, of the `agents`, that can be started, and in words why the others cannot.

    `folder`: of the peers' environment, made if they need it; None starts them in this one.  Raises `UnknownAgent`.
    """
    unknown = sorted(set(names) - set(agents))
    if unknown:
        raise UnknownAgent(f"no agent {', '.join(unknown)}; there are {', '.join(agents)}")
    here = Path(sys.executable)
    peers = here if folder is None or all(agents[name].ours for name in names) else environment.prepare(folder)
    found, left_out = [], []
    for name in names:
        agent = agents[name]
        python = here if agent.ours else peers
        installed = environment.versions(python, agent.packages)
        missing = [package for package in agent.packages if package not in installed]
        if missing:
            left_out.append(f"{name} is left out: {', '.join(missing)} could not be installed")
        else:
            found.append(Entrant(agent, version(agent, installed), (str(python), str(SCRIPTS / agent.script))))
    return found, left_out


def version(agent: Agent, installed: dict[str, str]) -> str:
    """Releases of what it needs, and a digest of what we wrote for it: results of other code are not its own."""
    sources = [SCRIPTS / agent.script, SCRIPTS / "wire.py", *(OURS if agent.ours else ())]
    content = hashlib.sha256(repr(sorted(agent.options.items())).encode())
    for source in sources:
        content.update(ast.dump(_without_docstrings(ast.parse(source.read_text()))).encode())
    releases = " ".join(f"{name} {installed[name]}" for name in agent.packages)
    return f"{releases} ({content.hexdigest()[:8]})"


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """What a program says of itself is no part of what it does."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
    return tree


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
