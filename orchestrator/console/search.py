"""POST /api/search/...: acting on the search.  How to add one is told in `orchestrator.console.desk`."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/search")
