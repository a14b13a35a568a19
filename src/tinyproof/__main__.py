"""`python -m tinyproof` is the command line."""

from tinyproof.cli import main

if __name__ == "__main__":
    main()
