"""``python -m hst123r`` is the command ``hst123r``."""

from hst123r.cli.main import entry

if __name__ == "__main__":
    entry()
