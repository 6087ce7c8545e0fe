"""Pages that scripts here write: kept up to date, or looked at whether they are."""

from __future__ import annotations

import sys
from pathlib import Path


def keep(page: Path, text: str, script: str) -> None:
    """Write `text` to `page`; with ``--check`` on the command line only say whether `script` has to be run for that."""
    if "--check" not in sys.argv[1:]:
        page.write_text(text)
    elif not page.exists() or page.read_text() != text:
        sys.exit(
            f"{page.relative_to(Path(__file__).resolve().parent.parent)} is out of date: run python docs/{script}.py"
        )
