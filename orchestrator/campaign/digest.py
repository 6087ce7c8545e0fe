"""By which a campaign or a lab is known to be the same as before: pure."""

from __future__ import annotations

import hashlib
import json

from orchestrator.campaign.table import Table


def sha256_of(table: Table) -> str:
    """Digest of a file as it was validated: comments, order and secrets make no difference."""
    content = json.dumps(table.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
