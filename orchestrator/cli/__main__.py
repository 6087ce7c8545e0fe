"""``python -m orchestrator.cli`` is the `nightshift` command."""

from orchestrator.cli import main

if __name__ == "__main__":  # also imported by the processes that it spawns
    main(prog_name="nightshift")
