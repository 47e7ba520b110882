"""`python -m foveate`."""

from foveate.cli.process import run

if __name__ == "__main__":
    run()
