"""How tests ask it: limits so short that nobody waits, of the shape of the defaults."""

from __future__ import annotations

from hst123r.archives.patience import Patience

ROOT = "jtst01abq"
QUICK = Patience(connect_s=2, read_s=0.4, first_wait_s=0.01, longest_wait_s=0.05, rate_over_s=0.3)
