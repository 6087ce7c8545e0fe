"""`python -m benchmarks.optimizer`."""

import sys

from benchmarks.optimizer.run import main

if __name__ == "__main__":
    sys.exit(main())
