"""With `--offline` nothing reaches another machine; this machine stays reachable."""

import json
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from hst123r.engine.offline import forbidden
from hst123r.errors import ArchiveError


def test_other_machines_are_out_of_reach():
    with forbidden(), socket.socket() as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        one.settimeout(1)
        with pytest.raises(ArchiveError, match="192\\.0\\.2\\.1, port 80"):
            one.connect(("192.0.2.1", 80))
        with pytest.raises(ArchiveError, match="--offline forbids it"):
            other.sendto(b"", ("192.0.2.1", 80))
        with pytest.raises(ArchiveError, match=r"archive\.invalid"):
            socket.getaddrinfo("archive.invalid", 443)


def test_this_machine_is_not():
    with forbidden(), socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        socket.create_connection(("localhost", server.getsockname()[1])).close()
        one, other = socket.socketpair()
        one.close()
        other.close()


def test_it_ends_and_can_be_off():
    with forbidden():
        pass
    # sends nothing: a datagram socket only notes the address. A machine without a network says so
    free = socket.socket(type=socket.SOCK_DGRAM)
    with forbidden(when=False), free, suppress(OSError):
        free.connect(("192.0.2.1", 80))


JOB = """
import sys, urllib.request
from pathlib import Path
from hst123r.engine import worker
from hst123r.engine.handover import Order
from hst123r.records.outcome import Outcome
from hst123r.stage.contract import Job
from hst123r.stages.export import Export

class Curious(Export):
    def run(self, job, params, context):
        urllib.request.urlopen("http://archive.invalid/file.fits", timeout=5)
        return Outcome()

worker.registry.get = lambda name: Curious()
folder = Path(sys.argv[1])
(folder / "out").mkdir()
values = Export.params().as_json()
order = Order(1, "export", "export", Job("all"), values, str(folder), {}, 1, True, None, [], [], {})
order.save(folder)
sys.exit(worker.main({"folder": str(folder)}))
"""


def test_a_job_that_needs_the_network_is_refused_with_a_sentence(tmp_path):
    subprocess.run([sys.executable, "-c", JOB, str(tmp_path)], check=True, capture_output=True)
    error = json.loads((tmp_path / "result.json").read_text())["error"]
    assert error["exit_code"] == 5
    assert error["error"] == (
        "the network is needed (archive.invalid), and --offline forbids it. "
        "Run without --offline; what is done is kept"
    )


def test_a_run_that_needs_no_network_does_not_mind(bench, data, write_recipe):
    report = bench.run(write_recipe("exposures: {}"), until="fetch", offline=True)
    assert report.exit_code == 0
