"""One agent's process, as the runner sees it (the conversation is described in `agents/wire.py`)."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.optimizer.roster import ROOT, Entrant

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ANSWER_S = 1800.0
SAID_LAST = 2000  # characters of its stderr that an error repeats


class AgentFailed(Exception):
    """The agent reported an error of its own."""


class AgentGone(Exception):
    """The process ended or did not answer."""


@dataclass(frozen=True)
class Took:
    """Seconds of one answer, measured inside the agent's process."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.cpu + other.cpu)


class AgentProcess:
    """Started with the same thread limit for everybody.  A context manager."""

    def __init__(self, entrant: Entrant, threads: int = 1, answer_s: float = ANSWER_S) -> None:
        self._entrant, self._answer_s = entrant, answer_s
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(
            entrant.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=_surroundings(threads, entrant.agent.ours),
        )
        self._unread = b""

    def __enter__(self) -> AgentProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def begin(
        self, X: Path, features: Sequence[str], composition: Sequence[str], seed: int, budget: int, **options: Any
    ) -> Took:
        """Begin a search over the inputs kept in `X` (.npy)."""
        pool = {"file": str(X), "features": list(features), "composition": list(composition)}
        given = {"pool": pool, "seed": seed, "budget": budget, "options": {**self._entrant.agent.options, **options}}
        return _took(self._answer("begin", given))

    def tell(self, row: int, value: float | None) -> Took:
        return _took(self._answer("tell", [row, value]))

    def ask(self, pending: Sequence[int]) -> tuple[int, Took]:
        answer = self._answer("ask", list(pending))
        return answer["row"], _took(answer)

    def peak_bytes(self) -> int:
        """The most memory the process has had so far."""
        peak: int = self._answer("peak", None)["peak_bytes"]
        return peak

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                _close(stream)

    def _answer(self, verb: str, given: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({verb: given}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise AgentGone(self._last_words()) from error
        answer: dict[str, Any] = json.loads(self._line())
        if "error" in answer:
            raise AgentFailed(f"{self._entrant.name}: {answer['error']}")
        return answer

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        stdout = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            if not select.select([stdout], [], [], self._answer_s)[0]:
                self._process.kill()
                raise AgentFailed(f"{self._entrant.name}: no answer within {self._answer_s:g} s")
            more = os.read(stdout, 65536)
            if not more:
                raise AgentGone(self._last_words())
            self._unread += more
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _last_words(self) -> str:
        self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")[-SAID_LAST:]
        return f"{self._entrant.name} ended with {self._process.returncode}: {said}"


def _took(answer: Mapping[str, Any]) -> Took:
    return Took(answer["wall"], answer["cpu"])


def _surroundings(threads: int, ours: bool) -> dict[str, str]:
    """The environment variables of the process: ours finds our package, the peers find only their own."""
    surroundings = {**os.environ, **dict.fromkeys(THREAD_LIMITS, str(threads)), "PYTHONWARNINGS": "ignore"}
    surroundings.pop("PYTHONPATH", None)
    return {**surroundings, "PYTHONPATH": str(ROOT)} if ours else surroundings


def _close(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:  # the process has gone with words for it still unsent
        return
