"""What runs in the environment of JHAT: it reaches nobody, and says what went wrong."""

import json
import subprocess
import sys

import pytest

from hst123r.external import jhat_program

CALLS = {
    "a name": "socket.getaddrinfo('localhost', 80)",
    "a connection": "socket.create_connection(('127.0.0.1', 9))",
    "a socket": "socket.socket().connect(('127.0.0.1', 9))",
    "a socket that returns": "socket.socket().connect_ex(('127.0.0.1', 9))",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "the web": "urllib.request.urlopen('http://127.0.0.1:9/')",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_nothing_in_the_process_reaches_anybody(call):
    code = (
        "import runpy, socket, urllib.request\n"
        f"runpy.run_path({jhat_program.__file__!r}, run_name='x')['block_network']()\n{call}\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "hst123r runs JHAT without a network" in said.stderr.splitlines()[-1]


def test_what_jhat_says_is_the_answer(tmp_path):
    """A package of its name that gives up as it does."""
    (tmp_path / "jhat").mkdir()
    (tmp_path / "jhat/__init__.py").write_text(
        "class st_wcs_align:\n"
        "    def run_all(self, image, **keywords):\n"
        "        assert image == 'x_flt.fits'\n"
        "        assert keywords['refcatname'] == 'stars.txt'\n"
        "        assert keywords['telescope'] == 'hst'\n"
        "        raise RuntimeError('Only 1 objects pass the initial cut')\n"
    )
    (tmp_path / "jhat/simple_jwst_phot.py").write_text("")
    order = {
        "science": "x_flt.fits", "catalogue": "stars.txt", "search_arcsec": 1.0, "min_snr": 5.0,
        "threshold_sigma": 5.0, "brightest": 100, "sharpness": [0.3, 0.9], "roundness": [-1, 1],
    }  # fmt: skip
    (tmp_path / jhat_program.ORDER).write_text(json.dumps(order))
    code = (
        "import runpy, sys\nsys.path.insert(0, '.')\n"
        f"runpy.run_path({jhat_program.__file__!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 0
    said = json.loads((tmp_path / jhat_program.ANSWER).read_text())
    assert said == {"error": "RuntimeError: Only 1 objects pass the initial cut"}
