"""Calls of hst123 are found in shell scripts, with their lines."""

import pytest

from hst123r.errors import InputError
from hst123r.recipe.hst123.script import read_script

SCRIPT = """\
#!/bin/sh
# hst123 1.0 2.0 --download
cd data && hst123 10.5 -3.25 --download > log 2>&1 &
echo "run hst123 now"
nohup python3 /opt/bin/hst123.py 12:45:08.14 -00:27:32.8 \\
    --object 'SN 2019yvr' --drizzle-all \\
    --only-filter F555W,F814W; ls
OMP_NUM_THREADS=1 hst123 1.0 2.0 --redo  # again
"""


def test_the_calls_of_a_script():
    calls = read_script(SCRIPT, "reduce.sh")
    assert [(call.ra, call.dec) for call in calls] == [
        ("10.5", "-3.25"), ("12:45:08.14", "-00:27:32.8"), ("1.0", "2.0"),
    ]  # fmt: skip
    assert calls[0].values == {"download": True}
    assert calls[1].values == {
        "object": "SN 2019yvr", "drizzle-all": True, "only-filter": "F555W,F814W",
    }  # fmt: skip
    assert calls[2].values == {"redo": True}


@pytest.mark.parametrize(("script", "says"), [
    ("ls\nhst123 $RA $DEC --download", r"x.sh:2: only a shell knows what \$RA is"),
    ("for t in a b; do\n hst123 `cat $t` 1.0\ndone", "only a shell knows"),
    ("\nhst123 1.0 2.0 --object 'SN", "x.sh:2: a quote is not closed"),
    ("\n\nhst123 1.0 2.0 \\\n --nonsense", "x.sh:3: hst123 would not understand"),
    ("echo hello", "there is no call of hst123"),
    ("", "there is no call of hst123"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_line(script, says):
    with pytest.raises(InputError, match=says):
        read_script(script, "x.sh")
