"""The astrometry database, through stwcs itself, against a server of this machine."""

import contextlib
import gzip
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from astropy.io import fits

from hst123r.external.astrometry import limited
from hst123r.products.wcs_solutions import read_solutions

FITTED = "IDC_postsm4-FIT_REL_GAIADR2"
REFERENCES = ("jref$postsm4_idc.fits", "qbu16424j_npl.fits", "new_wfc_d2i.fits")
OBSERVATION = (
    f"<observation><bestSolutionID>7</bestSolutionID><solution><solutionID>7</solutionID>"
    f"<wcsName>{FITTED}</wcsName></solution></observation>"
)
GUIDE_STARS = (
    "<gs><msg>Success found</msg><deltaRA>1e-4</deltaRA><deltaDEC>1e-4</deltaDEC>"
    "<deltaROLL>0</deltaROLL><deltaSCALE>1</deltaSCALE><outputCatalog>GSC240</outputCatalog>"
    "<dGSinputRA>{0}</dGSinputRA><dGSinputDEC>{1}</dGSinputDEC>"
    "<dGSoutputRA>{0}</dGSoutputRA><dGSoutputDEC>{2}</dGSoutputDEC></gs>"
)


class Service:
    """Answers by the end of the path; a status, a text, bytes, or seconds to wait."""

    def __init__(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                service.asked.append(self.path)
                answer = next(v for k, v in service.answers.items() if k in self.path)
                if isinstance(answer, float):
                    time.sleep(answer)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                if isinstance(answer, str | bytes):
                    self.wfile.write(answer.encode() if isinstance(answer, str) else answer)

            def log_message(self, *_):
                pass

        self.asked, self.answers = [], {"availability": "up"}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{self.server.server_port}/"
        self.variables = {
            "ASTROMETRY_SERVICE_URL": place, "GSSS_WEBSERVICES_URL": f"{place}gsss",
            "NO_PROXY": "127.0.0.1",
        }  # fmt: skip

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture
def ask(outside, service):
    """Refit an exposure in a folder with what the service knows."""

    def call(path, references=None, **more):
        return outside(
            "refit", path.parent, image=path.name, references=references or {},
            variables=service.variables, options={"ask": True, "timeout_s": 2.0}, **more,
        )  # fmt: skip

    return call


@pytest.mark.parametrize(
    ("answer", "says"),
    [(503, "status 503"), (20.0, "ReadTimeout"), (None, "ConnectionError")],
)
def test_a_service_that_does_not_answer_is_said_at_once(data, service, ask, answer, says):
    """And not after two minutes, nor never."""
    service.answers["availability"] = answer
    if answer is None:
        service.close()
    began = time.monotonic()
    said = ask(data / "jsi00101q_flc.fits")
    assert "the astrometry database did not answer" in said["error"]
    assert says in said["error"]
    assert service.variables["ASTROMETRY_SERVICE_URL"] + "availability" in said["error"]
    assert time.monotonic() - began < 60


def test_offline_it_is_not_asked(data, service, ask):
    service.variables["ASTROMETRY_SERVICE_URL"] = "http://archive.invalid/"
    said = ask(data / "jsi00101q_flc.fits", offline=True)
    assert "the network is needed (archive.invalid), and --offline forbids it" in said["error"]


def test_others_who_ask_are_not_limited_afterwards():
    import requests

    before = requests.get
    with limited(1.0) as asked:
        assert requests.get is not before
    assert requests.get is before
    assert (asked.failed, asked.answers) == ([], {})


def test_what_was_answered_is_known_by_its_digest_and_not_by_who_answered(service):
    import requests

    service.answers |= {"observation/read": OBSERVATION}
    base = service.variables["ASTROMETRY_SERVICE_URL"]
    with limited(5.0) as asked:
        requests.get(f"{base}availability")
        body = requests.get(f"{base}observation/read/j94f05bgq").content
        requests.get(f"{base}observation/read/j94f05bgq?wcsname=x")
    assert asked.failed == []
    assert set(asked.answers) == {
        "observation/read/j94f05bgq", "observation/read/j94f05bgq?wcsname=x"
    }  # fmt: skip
    assert asked.answers["observation/read/j94f05bgq"] == hashlib.sha256(body).hexdigest()


@pytest.fixture(scope="module")
def refitted(shared_data, outside, module_folder):
    """An exposure before and after a refit, and a headerlet that moves it 1 arcsec to the north."""
    from stwcs.wcsutil.headerlet import create_headerlet

    folder = module_folder("refitted")
    path = folder / "j94f05bgq_flt.fits"
    given = shared_data / "acs_wfc" / "j94f05bgq_flt_stwcs.fits.gz"
    path.write_bytes(gzip.decompress(given.read_bytes()))
    fits.setval(path, "IDCTAB", value=REFERENCES[0])
    jref = shared_data / "ref" / "jref"
    references = {name: str(jref / name.rpartition("$")[2]) for name in REFERENCES}
    original = path.read_bytes()
    outside("refit", folder, image=path.name, references=references)
    with contextlib.chdir(folder):
        # stwcs leaves a log where it is called
        packed = create_headerlet(path.name, sciext="SCI", hdrname="db", wcskey="PRIMARY")
    for hdu in packed:
        hdu.header["WCSNAME"] = FITTED
        if hdu.name == "SIPWCS":
            hdu.header["CRVAL2"] += 1 / 3600
    packed.writeto(folder / "headerlet.fits")
    return path, original, references, (folder / "headerlet.fits").read_bytes()


@pytest.fixture
def real(refitted, ask, tmp_path):
    """Refit the real exposure; return what was said, the file, and how far it went north."""
    before, original, references, _ = refitted

    def call():
        path = tmp_path / before.name
        path.write_bytes(original)
        said = ask(path, references)
        north = fits.getval(path, "CRVAL2", "SCI", 1) - fits.getval(before, "CRVAL2", "SCI", 1)
        return said, path, north * 3600

    return call


@pytest.mark.real
def test_the_solution_that_it_calls_the_best_is_put_into_use(refitted, service, real):
    service.answers |= {"wcsname=": refitted[3], "observation/read": OBSERVATION}
    said, path, north = real()
    assert "error" not in said
    assert service.asked[0] == "/availability"
    assert service.asked[-1].endswith(f"j94f05bgq?wcsname={FITTED}")
    solution = read_solutions(path)[0]
    assert (solution.name, solution.catalogue, solution.lacks) == (FITTED, "GAIADR2", [])
    assert north == pytest.approx(1.0, abs=1e-6)
    with fits.open(path) as hdus:
        assert hdus[0].header["NEXTEND"] == len(hdus) - 1


@pytest.mark.real
def test_of_an_unknown_exposure_the_guide_stars_are_asked(refitted, service, real):
    ra, dec = (fits.getval(refitted[0], name, "SCI", 1) for name in ("CRVAL1", "CRVAL2"))
    moved = GUIDE_STARS.format(ra, dec + 0.1, dec + 0.1 + 2 / 3600)
    service.answers |= {"observation/read": 404, "GSCconvert": moved}
    said, path, north = real()
    assert "error" not in said
    assert read_solutions(path)[0].name == "IDC_postsm4-GSC240"
    assert north == pytest.approx(2.0, abs=0.01)


@pytest.mark.heavy
@pytest.mark.real
@pytest.mark.parametrize(
    "answers",
    [
        {"observation/read": 500},
        {"wcsname=": 404, "observation/read": OBSERVATION},
        {"observation/read": 404, "GSCconvert": 500},
        {"observation/read": 20.0},
    ],
)
def test_what_stwcs_would_pass_over_is_said(service, real, answers):
    service.answers |= answers
    said, _, _ = real()
    assert "the astrometry database did not answer" in said["error"]
