"""The program `tinyproof`, and `python -m tinyproof`: the command line, Ctrl-C answered from its first moment."""

import sys

try:
    from tinyproof.cli import main
except KeyboardInterrupt:
    print("tinyproof: stopped", file=sys.stderr)
    sys.exit(130)

if __name__ == "__main__":
    main()
