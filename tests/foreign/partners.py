"""Drivers and simulators of others, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from simulators.clock import ScaledClock
from tests.drivers.magnetometer_fixtures import Served, Silent


def needs(package: str) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed (the `foreign` extra)")


def run(script: str, *arguments: str) -> dict[str, Any]:
    """What a script of the partner's printed, as JSON on its last line."""
    with tempfile.TemporaryDirectory() as folder:  # some leave log files where they stand
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=folder,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def serving(script: str, form: str) -> Iterator[Served]:
    """A simulator of the partner's, which prints its port first; `form` makes its address of that."""
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as partner,
    ):
        try:
            assert partner.stdout is not None
            served = Served(Silent(), ScaledClock.starting_now(1.0))
            served.address = form.format(int(partner.stdout.readline()))
            yield served
        finally:
            partner.terminate()
