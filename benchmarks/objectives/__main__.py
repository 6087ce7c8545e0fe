"""`python -m benchmarks.objectives`."""

import sys

from benchmarks.objectives.run import main

if __name__ == "__main__":
    sys.exit(main())
