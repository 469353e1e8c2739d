"""The WCS that exposures start from: as delivered, restored, or built anew."""

from dataclasses import replace

import pytest
from astropy.io import fits
from loopback.server import Archive

from hst123r.alignment.refit_files import CHOSEN, REFERENCE
from hst123r.archives import endpoints
from hst123r.errors import ArchiveError, InputError
from hst123r.external.updatewcs import name_references
from hst123r.products.exposures import read_exposure
from hst123r.products.wcs_solutions import read_solutions
from hst123r.records.outcome import Product
from hst123r.stage import registry
from hst123r.stage.contract import Job, Scope
from hst123r.stages.wcs import WcsParams

ROOT = "jsi00101q"


@pytest.fixture
def exposure(data, add_headerlets):
    """Return an exposure with two headerlets as a product."""
    path = data / f"{ROOT}_flc.fits"
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["IDCTAB"] = "jref$toy_idc.fits"
        for version in (1, 2):
            hdus["SCI", version].header["WCSNAME"] = "IDC_toy-FIT_REL_GAIADR2"
    add_headerlets(path, IDC_toy=0.5, IDC_toy__GSC240=1.0)
    record = read_exposure(str(path), {"T": (150.1, 2.2)})
    labels = {"exposure": ROOT, "detector": record.detector, "filter": record.filter}
    return Product("exposure", ROOT, labels, {"science": str(path)}, record.as_facts())


@pytest.fixture
def start(divide, do, exposure):
    """Give the exposure its WCS; returns the outcome."""

    def call(**params):
        (job,) = divide("wcs", {"exposure": [exposure]}, params, {"T": "150.1 2.2"}).values()
        return do("wcs", job, params)

    return call


def measured(outcome, name):
    (found,) = [item.value for item in outcome.measurements if item.name == name]
    return found


def test_archive_keeps_the_file_and_records_the_name(start, exposure):
    outcome = start(start="archive")
    (product,) = outcome.products
    assert product.files == exposure.files
    assert product.facts["wcs"]["name"] == "IDC_toy-FIT_REL_GAIADR2"
    assert product.facts["wcs"]["catalogue"] == "GAIADR2"
    assert measured(outcome, "moved_north") == 0
    assert measured(outcome, "round_trip") < 1e-5
    assert outcome.quality == "good"


@pytest.mark.parametrize(
    ("solution", "name", "north"),
    [
        ("IDC", "IDC_toy", 0.5),
        ("GSC240", "IDC_toy-GSC240", 1.0),
        ("idc_toy-gsc240", "IDC_toy-GSC240", 1.0),
        ("GAIADR2", "IDC_toy-FIT_REL_GAIADR2", 0.0),
        ("FIT_REL_GAIADR2", "IDC_toy-FIT_REL_GAIADR2", 0.0),
    ],
)
def test_a_priori_restores_what_is_named(start, exposure, solution, name, north):
    before = fits.getval(exposure.files["science"], "CRVAL2", "SCI", 1)
    outcome = start(start="a-priori", solution=solution)
    (product,) = outcome.products
    assert product.facts["wcs"]["name"] == product.facts["wcs_name"] == name
    assert measured(outcome, "moved_north") == pytest.approx(north, abs=1e-4)
    assert measured(outcome, "moved_east") == pytest.approx(0, abs=1e-4)
    assert measured(outcome, "round_trip") < 1e-5
    # places are those of the new WCS; what was given is as it was
    x, y = product.facts["chips"][0]["targets"].get("T", [0, 0])
    record = read_exposure(product.files["science"], {"T": (150.1, 2.2)})
    assert record.chips[0].targets.get("T", [0, 0]) == [x, y]
    assert fits.getval(exposure.files["science"], "CRVAL2", "SCI", 1) == before
    assert read_solutions(product.files["science"])[0].name == name


def test_a_solution_that_is_not_there_is_an_error_with_the_names(start):
    said = start(start="a-priori", solution="HSC30")
    assert "it has no solution 'HSC30'" in said
    assert "IDC_toy-FIT_REL_GAIADR2, IDC_toy, IDC_toy-GSC240" in said


def test_an_incomplete_solution_is_refused_and_a_delivered_one_is_told(start, exposure):
    with fits.open(exposure.files["science"], mode="update") as hdus:
        header = hdus["SCI", 1].header
        for i in range(header["A_ORDER"] + 1):
            header.pop(f"A_{i}_{header['A_ORDER'] - i}", None)
    said = start(start="a-priori", solution="GAIADR2")
    assert "is not complete: primary lacks SIP coefficients A" in said
    outcome = start(start="archive")
    assert [caveat.code for caveat in outcome.caveats] == ["incomplete_wcs"]
    assert outcome.quality == "caveat"


def test_missing_reference_files_are_named_with_the_command(divide, exposure, data, monkeypatch):
    monkeypatch.delenv("jref", raising=False)
    monkeypatch.delenv("CRDS_PATH", raising=False)
    params = {"start": "refit", "references": "refs"}
    with pytest.raises(InputError) as raised:
        divide("wcs", {"exposure": [exposure]}, params)
    assert "jref$toy_idc.fits (1 exposure)" in str(raised.value)
    assert "CRDS_PATH=refs crds sync --files toy_idc.fits" in str(raised.value)
    fits.setval(exposure.files["science"], "IDCTAB", value="N/A")
    with pytest.raises(InputError, match="names no IDCTAB"):
        divide("wcs", {"exposure": [exposure]}, params)


def test_reference_files_are_inputs_of_the_job(divide, exposure, tmp_path, monkeypatch):
    (tmp_path / "toy_idc.fits").write_bytes(b"x")
    monkeypatch.setenv("jref", f"{tmp_path}/")
    (job,) = divide("wcs", {"exposure": [exposure]}, {"start": "refit"}).values()
    (reference,) = job.inputs["reference file"]
    assert reference.name == "jref$toy_idc.fits"
    assert reference.files == {"reference": str(tmp_path / "toy_idc.fits")}
    (job,) = divide("wcs", {"exposure": [exposure]}, {"start": "archive"}).values()
    assert "reference file" not in job.inputs


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ("{solution: GSC240}", "`solution` is for `start: a-priori`"),
        ("{references: refs}", "`references` is for `start: refit`"),
        ("{astrometry_db: true}", "`astrometry_db` is for `start: refit`"),
        ("{start: refitted}", "refit"),
        ("{fetch_references: true}", "`fetch_references` is for `start: refit`"),
        (
            "{start: refit, crds_context: hst_0001.pmap}",
            "`crds_context` is for `fetch_references: true`",
        ),
        ("{start: refit, fetch_references: true, crds_context: latest}", "crds_context"),
    ],
)
def test_a_parameter_without_effect_is_an_error(run_recipe, data, write_recipe, params, says):
    answer = run_recipe(write_recipe(f"wcs: {params}"))
    assert answer.code == 2
    assert says in answer.err


@pytest.mark.heavy
def test_the_network_is_used_where_it_is_asked_for_and_not_offline(
    run_recipe, write_recipe, exposure, data, tmp_path, monkeypatch
):
    """No server listens at port 1, and none of another machine is asked."""
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "toy_idc.fits").write_bytes(b"x")
    select = "{exclude: [jsi00102q, jsi00201q, jsi00202q]}"
    stage = "wcs: {start: refit, references: refs, astrometry_db: true}"
    recipe = write_recipe(stage, select=select)
    monkeypatch.setenv("ASTROMETRY_SERVICE_URL", "http://127.0.0.1:1/")
    answer = run_recipe(recipe)
    assert answer.code == 5
    assert "http://127.0.0.1:1/availability: the astrometry database did not answer" in answer.err
    monkeypatch.setenv("ASTROMETRY_SERVICE_URL", "http://archive.invalid/")
    answer = run_recipe(recipe, "--offline")
    assert answer.code == 5
    assert "the network is needed (archive.invalid), and --offline forbids it" in answer.err


def test_an_answer_without_a_solution_is_a_caveat(exposure):
    """Such an exposure stands where its pointing put it, and one that has a solution does not."""
    from hst123r.stages.wcs import solution_caveats

    asked = WcsParams(start="refit", astrometry_db=True)
    solution = read_solutions(exposure.files["science"])[0]
    assert list(solution_caveats(solution, ROOT, asked)) == []
    bare = replace(solution, name="IDC_toy", catalogue="")
    (caveat,) = solution_caveats(bare, ROOT, asked)
    assert (caveat.code, caveat.subject) == ("no_solution", ROOT)
    assert list(solution_caveats(bare, ROOT, WcsParams(start="refit"))) == []


def test_a_recipe_starts_from_what_it_says(run_recipe, write_recipe, exposure, data):
    """Only the exposure with the solution is used; the next run has nothing to do."""
    select = "{exclude: [jsi00102q, jsi00201q, jsi00202q]}"
    recipe = write_recipe("wcs: {start: a-priori, solution: GSC240}", select=select)
    answer = run_recipe(recipe)
    assert answer.code == 0, answer.err
    made = answer.folder / "r" / "products" / "wcs" / ROOT / f"{ROOT}_flc.fits"
    assert read_solutions(made)[0].name == "IDC_toy-GSC240"
    assert "wcs        1 reused" in run_recipe(recipe).out


@pytest.mark.heavy
def test_a_block_for_a_filter_decides_for_its_exposures_alone(
    run_recipe, write_recipe, exposure, data, tmp_path
):
    """A refit asked for in a block finds its reference files; other filters ask for none."""
    select = "{exclude: [jsi00102q, jsi00201q, jsi00202q]}"
    through = exposure.labels["filter"]
    blocks = {
        f"{{for: {{{through}: {{start: a-priori, solution: GSC240}}}}}}": "IDC_toy-GSC240",
        "{for: {F435W: {start: a-priori, solution: GSC240}}}": "IDC_toy-FIT_REL_GAIADR2",
    }
    for block, name in blocks.items():
        answer = run_recipe(write_recipe(f"wcs: {block}", select=select))
        assert answer.code == 0, answer.err
        made = list((answer.folder / "r" / "products" / "wcs").glob(f"{ROOT}/{ROOT}_flc.fits"))
        path = made[0] if made else exposure.files["science"]
        assert read_solutions(path)[0].name == name
    block = f"{{for: {{{through}: {{start: refit, references: refs}}}}}}"
    answer = run_recipe(write_recipe(f"wcs: {block}", select=select))
    assert answer.code != 0
    assert "CRDS_PATH=refs crds sync --files toy_idc.fits" in answer.err


IDC = "toy_idc.fits"
FETCH = {"start": "refit", "fetch_references": True}


@pytest.fixture
def crds(monkeypatch):
    """A CRDS server that holds the table of the exposure, and another one."""
    monkeypatch.delenv("CRDS_PATH", raising=False)
    with Archive() as archive:
        monkeypatch.setenv(endpoints.CRDS_VARIABLE, archive.crds_url)
        archive.crds.add(IDC, b"the table" * 1000)
        archive.crds.add("best_idc.fits", b"a better one" * 1000)
        yield archive


@pytest.fixture
def fetching(exposure, tmp_path):
    """Divide the work of a stage that fetches; returns the job."""

    def call(params=FETCH, **how):
        scope = Scope("r", "", str(tmp_path), (), "wcs", work_folder=str(tmp_path / "w"), **how)
        checked = WcsParams.model_validate(params)
        (job,) = registry.get("wcs").divide({"exposure": [exposure]}, checked, scope)
        return job

    return call


def test_reference_files_are_fetched_once_and_verified_every_time(crds, fetching, tmp_path):
    place = tmp_path / "w" / "raw" / "crds" / "references" / "hst" / "acs" / IDC
    planned = fetching(dry=True)
    assert crds.log == []
    assert not place.exists()
    with pytest.raises(ArchiveError, match=r"toy_idc\.fits cannot be had or verified, and --off"):
        fetching(offline=True)
    assert [(row["archive"], row["what"]) for row in planned.notes["asks"]] == [
        ("CRDS", f"jref${IDC}")
    ]  # fmt: skip
    (file,) = fetching().inputs[REFERENCE]
    assert "asks" not in fetching(dry=True).notes
    assert file.files == {"reference": str(place)}
    assert planned.inputs[REFERENCE] == [file]
    number = len(crds.log)
    assert fetching(offline=True).inputs[REFERENCE] == fetching().inputs[REFERENCE] == [file]
    assert len(crds.log) == number
    # somebody, or the client of CRDS, left another file under the name
    place.chmod(0o644)
    place.write_bytes(b"the table" * 999 + b"the Table")
    with pytest.raises(ArchiveError, match=r"acs/toy_idc\.fits: it is not the file that CRDS has"):
        fetching(offline=True)
    fetching()
    assert place.read_bytes() == b"the table" * 1000


def test_a_cache_of_the_users_is_filled_and_its_broken_files_are_never_used(
    crds, fetching, tmp_path, monkeypatch
):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "cache"))
    (file,) = fetching().inputs[REFERENCE]
    assert file.files["reference"].startswith(str(tmp_path / "cache" / "references"))
    named = {**FETCH, "references": "refs"}
    (file,) = fetching(named).inputs[REFERENCE]
    assert file.files["reference"].startswith(str(tmp_path / "refs" / "references"))
    # also by a recipe that does not fetch
    local = {"start": "refit", "references": "refs"}
    assert fetching(local).inputs[REFERENCE] == [file]
    path = tmp_path / "refs" / "references" / "hst" / "acs" / IDC
    path.chmod(0o644)
    path.write_bytes(b"x")
    with pytest.raises(InputError, match="it is not the file that CRDS has"):
        fetching(local)


def test_a_context_chooses_other_files_and_stands_in_the_key(crds, fetching, exposure):
    crds.crds.best = {"idctab": "best_idc.fits", "npolfile": "NOT FOUND n/a", "d2imfile": "N/A"}
    params = {**FETCH, "crds_context": "hst_0001.pmap"}
    assert fetching(params, dry=True).arguments[CHOSEN] == {"context": "hst_0001.pmap"}
    with pytest.raises(ArchiveError, match=r"was not asked yet what hst_0001\.pmap chooses"):
        fetching(params, offline=True)
    job = fetching(params)
    files = {"IDCTAB": "jref$best_idc.fits", "NPOLFILE": "N/A", "D2IMFILE": "N/A"}
    assert job.arguments[CHOSEN] == {"context": "hst_0001.pmap", "files": files}
    assert [item.name for item in job.inputs[REFERENCE]] == ["jref$best_idc.fits"]
    assert fetching(params, offline=True) == job
    (question,) = job.notes["queries"]
    assert (question["service"], question["what"]) == ("crds", "hst_0001.pmap for jsi00101q")
    # its own header is left alone, and is what CRDS was asked about
    (asked,) = crds.requests("get_best_references")
    assert '"ROOTNAME": "jsi00101q"' in asked["body"]
    assert fits.getval(exposure.files["science"], "IDCTAB") == "jref$toy_idc.fits"


def test_a_header_gets_the_names_that_were_chosen(exposure):
    path = exposure.files["science"]
    fits.setval(path, "ODGEOFIL", value="jref$old_dxy.fits")
    name_references(path, {"IDCTAB": "jref$best_idc.fits", "DGEOFILE": "N/A"})
    header = fits.getheader(path)
    assert [header[k] for k in ("IDCTAB", "DGEOFILE", "ODGEOFIL")] == [
        "jref$best_idc.fits", "N/A", "N/A"
    ]  # fmt: skip


def test_what_the_astrometry_database_answered_is_recorded(exposure, tmp_path, monkeypatch):
    from hst123r.external import updatewcs
    from hst123r.stages import wcs

    def refit(folder, name, references, *, ask):
        return {"observation/read/jsi00101q": "ab" * 32} if ask else {}

    monkeypatch.setattr(updatewcs, "refit", refit)
    monkeypatch.setattr(wcs, "_copies", lambda source, _: dict(source.files))
    monkeypatch.setattr(wcs, "_hand_over", lambda files, _: files)
    job = Job(ROOT, {}, {"exposure": [exposure], REFERENCE: []})
    for ask in (True, False):
        _, used = wcs._refit(job, WcsParams(start="refit", astrometry_db=ask), None)
        assert used == ask * [
            {"keyword": "ASTROMETRY", "name": "observation/read/jsi00101q",
             "digest": f"sha256:{'ab' * 32}"}
        ]  # fmt: skip
