"""The command ``skmdiff``, also ``python -m skmdiff``; what it does is in `_cli`."""

import sys

from ._cli.main import main, run_as_program

__all__ = ["main", "run_as_program"]

if __name__ == "__main__":
    sys.exit(run_as_program())
