"""Results kept on disk by what was calculated: the same input is calculated once, whoever asks for it.

One file for each input, named by the digest of it; written beside and moved into place, so that whoever reads sees all
of it or nothing.  A file that cannot be read counts as none, and is calculated anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from orchestrator.virtual.calculator import Calculation, NotConverged, UnsuitableComposition

log = logging.getLogger(__name__)

LASTING = {kind.__name__: kind for kind in (NotConverged, UnsuitableComposition)}


def digest(files: Mapping[str, str], *more: str) -> str:
    """Of input files (name -> text), and of whatever else decides the result."""
    text = json.dumps([sorted(files.items()), more], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Cache:
    """The folder at `path`, which is made when something is first kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, key: str) -> Calculation | None:
        """What was found for `key`, marked as remembered; None if nothing is known.

        Raises `NotConverged` or `UnsuitableComposition` if that is what was found.
        """
        kept = self._read(key)
        if kept is None:
            return None
        if "failed" in kept:
            raise LASTING[kept["failed"]](kept["message"])
        try:
            found = Calculation(**kept["result"])
            numbers = (found.moment, found.moment_sigma, found.volume, found.seconds)
            if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
                raise ValueError(f"numbers are missing in {numbers}")
        except (TypeError, ValueError) as error:
            log.warning("%s: is no result (%s), and is calculated anew", self._file(key), error)
            return None
        return replace(found, seconds=0.0, remembered=True)

    def keep(self, key: str, result: Calculation) -> None:
        self._write(key, {"result": asdict(replace(result, details=dict(result.details)))})

    def keep_failure(self, key: str, failure: NotConverged | UnsuitableComposition) -> None:
        """One that the same calculation would meet again."""
        self._write(key, {"failed": type(failure).__name__, "message": str(failure)})

    def _file(self, key: str) -> Path:
        return self.path / f"{key}.json"

    def _read(self, key: str) -> dict[str, Any] | None:
        try:
            kept = json.loads(self._file(key).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s: cannot be read (%s), and is calculated anew", self._file(key), error)
            return None
        if isinstance(kept, dict) and (isinstance(kept.get("result"), dict) or kept.get("failed") in LASTING):
            return {"message": "", **kept}
        log.warning("%s: holds no result, and is calculated anew", self._file(key))
        return None

    def _write(self, key: str, content: dict[str, Any]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        new = self.path / f"{key}.{os.getpid()}.new"
        with new.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file(key))
