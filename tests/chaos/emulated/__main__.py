"""``python -m tests.chaos.emulated``: crash emulated nights at their boundaries, and see what became of the films."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HASHING = {"PYTHONHASHSEED": "0"}
"""Sets of names are in the same order in every run: without that, a night would not be the same twice."""


def run(*, kills: int, seed: int, out: Path | None, as_json: bool) -> int:
    """``python -m tests.chaos --emulated``: in a process of its own, in which threads are replaced; the exit code."""
    command = [
        sys.executable,
        "-m",
        __spec__.name.removesuffix(".__main__"),
        "--points",
        str(kills),
        "--seed",
        str(seed),
    ]
    command += ["--out", str(out / "emulated.jsonl")] if out else []
    command += ["--json"] if as_json else []
    return subprocess.run(command, check=False, env=os.environ | HASHING).returncode


def main() -> None:
    """Replace threads and time, then import the rest."""
    if any(os.environ.get(name) != value for name, value in HASHING.items()):
        os.execve(sys.executable, [sys.executable, "-m", "tests.chaos.emulated", *sys.argv[1:]], os.environ | HASHING)
    from tests.chaos.emulated import threads

    threads.install()
    from tests.chaos.emulated.command import crash_nights

    code = crash_nights.main(standalone_mode=False)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)  # nobody is left to join the strands


if __name__ == "__main__":
    main()
