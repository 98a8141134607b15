"""`python -m snowgauge`."""

from snowgauge.cli.main import run

if __name__ == "__main__":
    run()
