"""What runs in the environment of JHAT: it reaches nobody, and says what went wrong."""

import json
import subprocess
import sys
import time
from pathlib import Path

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
    """A package of its name that gives up as it does, once it has our stars on its stack."""
    (tmp_path / "jhat").mkdir()
    (tmp_path / "jhat/__init__.py").write_text(
        "from pathlib import Path\n"
        "from jhat.simple_jwst_phot import hst_photclass\n"
        "class st_wcs_align:\n"
        "    def run_all(self, image, **keywords):\n"
        "        assert image == 'x_flc.fits'\n"
        "        assert keywords['refcatname'] == 'stars.txt'\n"
        "        assert keywords['telescope'] == 'hst'\n"
        "        assert keywords['load_photcat_if_exists'] and keywords['rematch_refcat']\n"
        "        said = Path(f\"{keywords['outsubdir']}/x.phot.txt\").read_text()\n"
        "        phot = hst_photclass()\n"
        "        phot.load_image(image)\n"
        "        raise RuntimeError(f'{said} {phot.t}')\n"
    )
    (tmp_path / "jhat/simple_jwst_phot.py").write_text(
        "class Plane:\n"
        "    def all_world2pix(self, ra, dec, origin):\n"
        "        return [ra[0] + 1 - origin], [dec[0] + 2 - origin]\n"
        "class hst_photclass:\n"
        "    sci_wcs, do_driz = Plane(), True\n"
        "    def __init__(self):\n"
        "        self.t = {'ra': [5.0], 'dec': [6.0], 'x': [0.0], 'y': [0.0]}\n"
        "    def load_image(self, image):\n"
        "        assert image == 'x_flc.fits'\n"
    )
    (tmp_path / "mine.txt").write_text("our stars")
    order = {
        "science": "x_flc.fits", "catalogue": "stars.txt", "stars": "mine.txt",
        "search_arcsec": 1.0,
    }  # fmt: skip
    (tmp_path / jhat_program.ORDER).write_text(json.dumps(order))
    code = (
        "import runpy, sys\nsys.path.insert(0, '.')\n"
        f"runpy.run_path({jhat_program.__file__!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 0
    said = json.loads((tmp_path / jhat_program.ANSWER).read_text())
    on_the_stack = "{'ra': [5.0], 'dec': [6.0], 'x': [6.0], 'y': [8.0]}"
    assert said == {"error": f"RuntimeError: our stars {on_the_stack}"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is of Linux")
def test_it_dies_with_its_job(tmp_path):
    """A job that is killed leaves no JHAT behind, which would run for minutes."""
    (tmp_path / "jhat").mkdir()
    (tmp_path / "jhat/__init__.py").write_text(
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    (tmp_path / jhat_program.ORDER).write_text("{}")
    run = f"import runpy; runpy.run_path({jhat_program.__file__!r}, run_name='__main__')"
    inner = ["-c", f"import sys; sys.path.insert(0, '.'); {run}"]
    outer = f"import subprocess, sys; subprocess.run([sys.executable, *{inner!r}])"
    job = subprocess.Popen([sys.executable, "-c", outer], cwd=tmp_path)
    place, deadline = tmp_path / "pid", time.monotonic() + 30
    while not (place.exists() and place.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = place.read_text()
    job.kill()
    job.wait()
    state = Path(f"/proc/{pid}/stat")
    while state.exists() and time.monotonic() < deadline:
        # nobody may be there to take it away
        if state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        time.sleep(0.05)
    assert time.monotonic() < deadline
