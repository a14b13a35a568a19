"""The program `tinyproof`, and `python -m tinyproof`: the command line, Ctrl-C answered from its first moment."""

import sys


def main() -> None:
    """Run the command line. Exits with 130 where it is stopped before it has begun."""
    try:
        from tinyproof.cli import main as run
    except KeyboardInterrupt:
        print("tinyproof: stopped", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
