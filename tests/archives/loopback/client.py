"""How tests ask it: limits so short that nobody waits, of the shape of the defaults."""

from __future__ import annotations

from hst123r.archives.patience import Patience

ROOT = "jtst01abq"
QUICK = Patience(connect_s=5, read_s=10, first_wait_s=0.01, longest_wait_s=0.05, rate_over_s=0.3)
IMPATIENT = {"read_s": 0.4}
"""For what hangs; elsewhere a busy machine must not look like a server that does."""
