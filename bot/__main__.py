"""``python -m bot`` and the ``onmodel`` script."""

import sys

from bot.cli import main as run_command


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(run_command())


if __name__ == "__main__":
    main()
