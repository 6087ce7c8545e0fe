"""Each input is calculated once: remembered, waited for, or gone on with.

::

    HOME/results/KEY.json    what was found (see `cache`)
    HOME/scratch/KEY/        a calculation under way, or cut off; removed when there is a result
    HOME/scratch/KEY.lock    held by the process that calculates it
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from orchestrator.locks import FileLock, Held
from orchestrator.virtual.cache import Cache
from orchestrator.virtual.calculator import Calculation, CalculationTimeout, NotConverged, ProgramCrashed


def once(home: Path, key: str, patience_s: float, run: Callable[[Path], Calculation]) -> Calculation:
    """The result for `key`: what is known of it, or else of `run`, which is given its folder.

    Whoever comes second waits, up to `patience_s` real seconds, for the result of the first.  A folder that was left by
    a death or a time-out is given to the next `run` as it is, so that it can go on from there; after a crash, which may
    have been for what is in it, it is not.  Raises `CalculationFailed`.
    """
    cache, folder = Cache(home / "results"), home / "scratch" / key
    if (kept := cache.get(key)) is not None:
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, patience_s):
        if (kept := cache.get(key)) is not None:
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        try:
            result = run(folder)
        except NotConverged as failure:
            cache.keep_failure(key, failure)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except ProgramCrashed:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        cache.keep(key, result)
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _alone(folder: Path, patience_s: float) -> FileLock:
    try:
        return FileLock(folder.with_suffix(".lock"), patience_s)
    except Held as held:
        raise CalculationTimeout(f"the same calculation is under way elsewhere, and does not end: {held}") from held
