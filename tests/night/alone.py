"""A daemon by itself, in a lab that is there already: begins the campaign, or carries on with it.

Reads one JSON line on standard input (``home``, ``campaign``, ``addresses``, ``clock``), prints the summary as one.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from orchestrator.lab import open_clock
from orchestrator.night import carry_on, load, run_at
from orchestrator.service.home import Home


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    told = json.loads(sys.stdin.readline())
    home, clock = Home(Path(told["home"])), open_clock(told["clock"])
    if home.begun:
        summary = carry_on(home, told["addresses"], clock, told["clock"], by="tester")
    else:
        campaign, lab = load(Path(told["campaign"]), None, None)
        summary = run_at(campaign, lab, home, told["addresses"], clock, told["clock"], by="tester")
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
