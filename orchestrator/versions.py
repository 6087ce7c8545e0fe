"""Which Nightshift this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def version() -> str:
    """That of the installed distribution."""
    try:
        return version_of("nightshift-lab")
    except PackageNotFoundError:
        return "not installed"
