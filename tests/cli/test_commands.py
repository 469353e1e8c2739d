"""Commands: what they print, where, and how they end."""

import csv
import io
import json
import shutil
import subprocess
import sys

import pytest
from astropy.io import fits
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hst123r.errors import EXIT_CODES
from hst123r.recipe.load import load
from hst123r.recipe.model import NAME_PATTERN
from hst123r.recipe.template import text
from hst123r.records.position import SkyPosition, parse


@pytest.fixture
def recipe(data, write_recipe):
    return write_recipe("exposures: {}")


@pytest.fixture
def done(hst123r, recipe):
    answer = hst123r("run", recipe)
    assert answer.code == 0, answer.err
    return recipe


def test_help_is_fast_because_it_imports_nothing_heavy():
    program = (
        "import sys; from hst123r.cli.main import invoke; invoke(['--help']); "
        "heavy = {'astropy', 'numpy', 'drizzlepac', 'pydantic', 'ruamel', 'sqlite_utils', "
        "'sqlite3', 'rich', 'matplotlib', 'photutils'}; print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.splitlines()[-1] == "[]"


def test_a_plan_imports_no_astronomy():
    program = (
        "import sys; from hst123r.cli.main import invoke; invoke(['plan', 'quickstart']); "
        "heavy = {'astropy', 'drizzlepac', 'pandas', 'matplotlib', 'photutils', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.splitlines()[-1] == "[]"


def test_every_command_has_help_with_an_example(hst123r):
    from hst123r.cli.main import Commands

    for name in Commands().list_commands(None):
        answer = hst123r(name, "--help")
        assert answer.code == 0
        assert f"hst123r {name}" in answer.out
    assert "Exit codes: 0 all good" in hst123r("--help").out.replace("\n  ", " ")


def test_version_names_what_matters(hst123r):
    answer = hst123r("--version")
    assert answer.out.startswith("hst123r 0.1.0 (")
    assert "drizzlepac" in answer.out
    assert "astropy" in answer.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rnu", "x.yaml"), "did you mean 'run'?"),
        (("run",), "Missing argument 'RECIPE'"),
        (("run", "nothing.yaml"), "nothing.yaml: there is no such recipe"),
        (("check", "."), ".: this is a folder; a recipe is one file. There is none in it"),
        (("run", "quickstart", "--jobs", "0"), "at least one job"),
        (("run", "quickstart", "--until", "drizle"), "there is no such stage in this recipe"),
        (("run", "quickstart", "--redo", "alin"), "did you mean 'align'?"),
        (("plan", "quickstart", "--ignore", "weather"), "there is no such reason"),
        (("run", "quickstart", "--set", "align.tolerance=0.5 pix"), "is below 1 pix"),
        (("run", "quickstart", "--set", "align.search_radius=1.5 pix"), "no whole number"),
        (("history", "-C", "nowhere"), "nowhere"),
        (("history",), "no run of hst123r in this directory"),
        (("show", "1"), "no run of hst123r"),
        (("show", "1", "2"), "only wcs has a FILE behind it"),
        (("show", "wcs"), "needs the FILE"),
        (("show", "wcs", "gone.fits"), "there is no such file"),
        (("simulate", "quickstart"), "Missing option"),
        (("new", "bad name", "--target", "1 2"), "hst123r: 'bad name' cannot be a name"),
        (("new", "a/bad name", "--target", "1 2"), "a/bad name: 'bad name' cannot be a name"),
        (("new", "x", "--target", "somewhere"), "is not a position"),
    ],
)  # fmt: skip
def test_a_users_mistake_is_a_sentence_and_exit_code_2(hst123r, arguments, says):
    answer = hst123r(*arguments)
    assert answer.code == 2
    assert says in answer.err
    assert answer.out == ""


def test_a_negative_declination_needs_no_trick(hst123r, tmp_path):
    answer = hst123r("new", "sn", "--target", "12:45:08.14 -00:27:32.8")
    assert answer.code == 0
    assert "12:45:08.1400 -00:27:32.800 = 191.2839167 -0.4591111" in answer.out
    assert hst123r("check", "sn.yaml").code == 0
    again = hst123r("new", "sn", "--target", "1 2")
    assert again.code == 2
    assert "there is such a file already" in again.err


def test_check_echoes_both_forms_and_resolves(hst123r, recipe):
    answer = hst123r("check", recipe, "--resolved", "--set", "exposures.epoch_gap=2 day")
    assert answer.code == 0
    assert "10:00:24.0000 +02:12:00.000" in answer.out
    assert "150.1000000 +2.2000000" in answer.out
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["exposures", "epoch_gap", "2", "day", "--set"] in lines
    assert ["stage", "for", "parameter", "value", "unit", "origin"] in lines
    text = recipe.read_text().splitlines()
    number = next(i for i, line in enumerate(text) if "fetch" in line)
    place = f"recipe.yaml:{number + 1}:{text[number].index('path') + 1}"
    assert ["fetch", "path", "data", place] in lines
    assert ["select", "min_exposure", "15", "s", "stage", "default"] in lines
    data = json.loads(hst123r("check", recipe, "--json").out)
    assert data["targets"][0]["degrees"] == "150.1000000 +2.2000000"


def test_a_shipped_recipe_is_found_beside_its_own_work_directory(hst123r, tmp_path):
    (tmp_path / "quickstart").mkdir()
    assert hst123r("check", "quickstart").code == 0


def test_resolved_shows_blocks_only_where_they_are_in_force(hst123r, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "hst123r: 1\nname: s\ntargets: [{name: T, position: '1 2'}]\n"
        "select: {detectors: [ACS/HRC, WFC3/IR], for: {ACS/HRC: {min_exposure: 5 s}}}\n"
        "stages: [fetch: {from: directory, path: d}, drizzle: {name: stacks}]\n"
    )
    options = ("check", "s.yaml", "--resolved", "--json")
    rows = json.loads(hst123r(*options).out)["parameters"]
    found = {(row["stage"], row["for"], row["parameter"]): row for row in rows}
    block = found["select", "ACS/HRC", "min_exposure"]
    assert (block["value"], block["unit"], block["origin"]) == ("5", "s", "s.yaml:4:57")
    assert found["stacks", "WFC3/IR", "scale"]["origin"] == "detector WFC3/IR"
    assert {row["for"] for row in rows} == {"", "ACS/HRC", "WFC3/IR"}
    narrow = json.loads(hst123r(*options, "--set", "select.detectors=[WFC3/IR]").out)["parameters"]
    assert {row["for"] for row in narrow if row["stage"] == "stacks"} == {"", "WFC3/IR"}


def test_resolved_shows_each_parameter_of_a_simulation(hst123r):
    answer = hst123r("check", "quickstart", "--resolved", "--json", "--set",
                     "fetch.simulation.seed=8")  # fmt: skip
    rows = json.loads(answer.out)["parameters"]
    found = {row["parameter"]: row for row in rows if row["stage"] == "fetch"}
    assert found["simulation.seed"]["value"] == "8"
    assert found["simulation.seed"]["origin"] == "--set"
    assert found["simulation.stars.radius"]["unit"] == "arcsec"
    assert found["simulation.stars.radius"]["origin"].startswith("quickstart:")
    assert found["simulation.stars.slope"]["origin"] == "stage default"
    assert found["simulation.transient.magnitudes"]["value"] == "[21.5, 25.0]"
    assert found["simulation.observations[1].filter"]["value"] == "F814W"
    assert "simulation" not in found


NAMES = st.from_regex(NAME_PATTERN, fullmatch=True).filter(lambda text: not text.endswith("\n"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=NAMES, ra=st.floats(0, 359.99), dec=st.floats(-90, 90), form=st.integers(0, 2))
@example(name="2019", ra=10.0, dec=5.0, form=0)
@example(name="1e5", ra=10.0, dec=5.0, form=0)
@example(name="true", ra=10.0, dec=5.0, form=1)
@example(name="null", ra=10.0, dec=5.0, form=2)
def test_a_new_recipe_is_a_good_recipe(tmp_path, name, ra, dec, form):
    position = SkyPosition(ra, dec)
    hours, degrees = position.sexagesimal.split()
    h, m, s = hours.split(":")
    written = (
        position.decimal,
        position.sexagesimal,
        f"{h}h{m}m{s}s, " + degrees.replace(":", "d", 1).replace(":", "'") + '"',
    )[form]
    path = tmp_path / "new.yaml"
    path.write_text(text(name, name, written, parse(written)), encoding="utf-8")
    recipe = load(path)
    assert (recipe.name, recipe.targets[0].name) == (name, name)
    assert recipe.targets[0].position.separation_arcsec(position) < 1e-3


def test_check_prints_every_error_and_nothing_else(hst123r, tmp_path):
    (tmp_path / "bad.yaml").write_text("hst123r: 1\nname: x\ntargets: []\nstages: [{fetsh: {}}]\n")
    answer = hst123r("check", "bad.yaml")
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.splitlines() == [
        "bad.yaml:3:10: targets: is empty, at least 1 needed",
        "bad.yaml:4:11: stages[0].fetsh: there is no stage 'fetsh', did you mean 'fetch'?",
    ]


def test_plan_exit_codes(hst123r, recipe):
    answer = hst123r("plan", recipe)
    assert answer.code == 10
    assert answer.out.splitlines()[1].split() == ["fetch", "4", "run", "no", "record", "of", "it"]
    assert hst123r("run", recipe, "--dry-run").code == 10
    assert hst123r("run", recipe).code == 0
    answer = hst123r("plan", recipe)
    assert answer.code == 0
    *lines, last = answer.out.splitlines()[1:]
    assert all("reuse" in line for line in lines)
    assert last == "locked by recipe.lock.yaml; everything is as it was locked"


def test_results_go_to_stdout_and_progress_to_stderr(hst123r, recipe):
    answer = hst123r("run", recipe, "--json")
    report = json.loads(answer.out)
    assert report["exit_code"] == 0
    assert [stage["stage"] for stage in report["stages"]] == ["fetch", "select", "exposures"]
    assert "fetch:jsi00101q: started (no record of it)" in answer.err


def test_exposures_shows_those_in_use_and_those_left_out(hst123r, data, write_recipe):
    with fits.open(data / "jsi00101q_flc.fits", mode="update") as hdus:
        hdus[0].header["EXPFLAG"] = "TDF-DOWN AT EXPSTART"
        hdus[0].header["EXPTIME"] = 14.9
    (data / "notes.fits").write_bytes((data / "jsi00102q_flc.fits").read_bytes())
    shutil.copy(data / "jsi00102q_flc.fits", data / "jsi00102q_flt.fits")
    recipe = write_recipe("exposures: {}")
    assert hst123r("run", recipe).code == 0
    answer = hst123r("exposures", recipe)
    assert "jsi00102q" in answer.out
    found = json.loads(hst123r("exposures", recipe, "--json").out)
    assert len(found["used"]) == 3
    assert {row["subject"]: row["code"] for row in found["rejected"]} == {
        "jsi00101q": "exposure_time", "notes.fits": "name", "jsi00102q_flt.fits": "product",
    }  # fmt: skip
    reasons = {row["subject"]: row["reason"] for row in found["rejected"]}
    assert reasons["jsi00101q"] == (
        "14.9 s is shorter than 15 s; its EXPFLAG is TDF-DOWN AT EXPSTART"
    )
    assert reasons["jsi00102q_flt.fits"] == "a product that is preferred to flt is there"


def test_history(hst123r, done):
    hst123r("run", done, "--set", "exposures.epoch_gap=3 day")
    rows = json.loads(hst123r("history", "--json").out)
    assert [row["run"] for row in rows] == [1, 2]
    assert rows[1]["ran"] == 1
    assert rows[1]["reused"] == 8
    assert rows[1]["options"]["set"] == ["exposures.epoch_gap=3 day"]
    shown = hst123r("history").out.splitlines()[1].split(maxsplit=3)
    assert f"{shown[1]}T{shown[2]}" == rows[0]["started"][:19]
    table = list(csv.DictReader(io.StringIO(hst123r("history", "--csv").out)))
    assert table[0]["started"] == rows[0]["started"]
    assert table[0]["state"] == "done"
    jobs = json.loads(hst123r("history", "--run", "2", "--json").out)
    assert [(job["stage"], job["why"]) for job in jobs] == [
        ("exposures", ["parameter epoch_gap: 1 day → 3 day (--set)"])
    ]
    assert len(json.loads(hst123r("history", "--stage", "select", "--json").out)) == 4
    by_file = json.loads(hst123r("history", "--file", "raw/jsi00101q_flc.fits", "--json").out)
    assert [job["stage"] for job in by_file] == ["fetch", "select"]
    assert hst123r("history", "--since", "2100-01-01").out.splitlines()[1:] == []
    assert hst123r("history", "--run", "9").code == 2


def test_explain(hst123r, done, data):
    answer = hst123r("explain", done, "exposures:all")
    assert answer.out.splitlines() == [
        "exposures:all: reuse",
        "  because nothing that it reads, and no parameter, has changed",
        answer.out.splitlines()[2],
        "  because no record of it",
    ]
    changed = hst123r("explain", done, "exposures:all", "--set", "exposures.epoch_gap=3 day")
    assert "parameter epoch_gap: 1 day → 3 day (--set)" in changed.out
    said = changed.out.partition("changes what a run would do with ")[2]
    assert "exposures:all: reuse → run, parameter epoch_gap: 1 day → 3 day (--set)" in said
    assert "fetch:" not in said
    same = hst123r("explain", done, "exposures:all", "--set", "exposures.epoch_gap=1 day")
    assert "changes nothing of what a run would do" in same.out
    by_file = hst123r("explain", done, "r/raw/jsi00101q_flc.fits")
    assert by_file.out.startswith("fetch:jsi00101q: reuse")
    assert "did you mean 'exposures:all'?" in hst123r("explain", done, "exposure:all").err


REDUCE = """\
#!/bin/bash
# two of one kind, and one that asks for something else
hst123 12:45:08.14 -00:27:32.8 --object SN2019yvr --download --drizzle-all
python hst123.py 150.1 2.2 --object other --download \\
    --drizzleall  # as of 2020
hst123 10:00:24.0 +02:12:00 --only-filter f814w
"""


def test_a_call_of_hst123_becomes_a_recipe(hst123r, tmp_path):
    answer = hst123r("import-hst123", "hst123 150.1 2.2 --download --drizzle-all --no-nan")
    assert answer.code == 0
    assert "fetch: {from: mast" in answer.out
    assert "--no-nan has no place here" in answer.out
    (tmp_path / "imported.yaml").write_text(answer.out)
    assert hst123r("check", "imported.yaml").code == 0


def test_a_script_of_calls_becomes_recipes_that_are_good(hst123r, tmp_path):
    (tmp_path / "reduce.sh").write_text(REDUCE)
    answer = hst123r("import-hst123", "reduce.sh", "-o", "all.yaml")
    assert answer.code == 0, answer.err
    names = ["all-1.yaml", "all-2.yaml"]
    assert [line.partition(" ")[0] for line in answer.out.splitlines()] == names
    for name in names:
        assert hst123r("check", name).code == 0
    assert [item.name for item in load(tmp_path / "all-1.yaml").targets] == ["SN2019yvr", "other"]
    # what is there already stays, and nothing else is written
    (tmp_path / "all-1.yaml").unlink()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    answer = hst123r("import-hst123", "reduce.sh", "-o", "all.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert "there is such a file already" in answer.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_no_call_of_hst123_is_a_sentence(hst123r, tmp_path):
    (tmp_path / "binary.sh").write_bytes(b"\xff\xfe")
    for call, says in (
        ("binary.sh", "cannot be read as text"),
        ("ls -l", "no call of hst123"),
        ("hst123 150.1 2.2 --nonsense", "would not understand"),
    ):
        answer = hst123r("import-hst123", call)
        assert (answer.code, answer.out) == (2, "")
        assert says in answer.err


def test_show(hst123r, done, tmp_path):
    run = json.loads(hst123r("show", "1", "--json").out)
    assert run["environment"]["packages"]["astropy"]
    assert {"stage": "exposures", "name": "epoch_gap", "value": "1 day",
            "origin": "stage default"} in run["parameters"]  # fmt: skip
    job = json.loads(hst123r("show", "select:jsi00101q", "--json").out)
    assert [item["path"] for item in job["inputs"]] == ["raw/jsi00101q_flc.fits"]
    assert json.loads(hst123r("show", f"#{job['job']}", "--json").out) == job
    raw = json.loads(hst123r("show", "r/raw/jsi00101q_flc.fits", "--json").out)
    assert raw["made_by"]["stage"] == "fetch"
    assert [name.partition("#")[0] for name in raw["read_by"]] == ["select:jsi00101q"]
    assert "made_by" in hst123r("show", "r/raw/jsi00101q_flc.fits").out
    assert hst123r("show", "99").code == 2
    assert hst123r("show", "nothing:there").code == 2


def test_verify_names_what_is_wrong(hst123r, done, tmp_path):
    assert hst123r("verify").code == 0
    raw = tmp_path / "r" / "raw"
    one, other = raw / "jsi00101q_flc.fits", raw / "jsi00102q_flc.fits"
    one.chmod(0o644)
    content = bytearray(one.read_bytes())
    content[20000] ^= 1
    one.write_bytes(content)
    other.unlink()
    (raw / "mine.txt").write_text("notes")
    answer = hst123r("verify")
    assert answer.code == 3
    lines = [line.split()[:2] for line in answer.out.splitlines()]
    assert ["altered", "raw/jsi00101q_flc.fits"] in lines
    assert ["missing", "raw/jsi00102q_flc.fits"] in lines
    assert ["not", "ours"] in lines
    assert hst123r("run", done).code == 0
    assert (raw / "mine.txt").read_text() == "notes"
    assert hst123r("verify").code == 0


def test_forget(hst123r, done):
    assert "forgot 4 results of select" in hst123r("forget", "select").out
    stages = json.loads(hst123r("plan", done, "--json").out)["stages"]
    rows = {row["stage"]: row["actions"] for row in stages}
    assert rows["fetch"] == {"reuse": 4}
    assert rows["select"] == {"run": 4}
    assert hst123r("forget", "nothing").code == 2


def test_doctor(hst123r):
    answer = hst123r("doctor")
    assert answer.code == 0
    assert "drizzlepac" in answer.out
    assert "quickstart" in answer.out
    rows = json.loads(hst123r("doctor", "--json").out)
    assert {row["state"] for row in rows} <= {"ok", "caveat"}


def test_doctor_names_what_a_recipe_needs_of_dolphot(hst123r, write_recipe, monkeypatch, tmp_path):
    recipe = write_recipe(
        "photometry: {engine: dolphot}", select="{detectors: [ACS/WFC], filters: [F606W]}"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = hst123r("doctor", recipe, "--json")
    assert answer.code == 6
    rows = {row["what"]: row for row in json.loads(answer.out)}
    assert rows["DOLPHOT"]["state"] == "missing"
    program = tmp_path / "dolphot"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    data = tmp_path / "acs" / "data"
    data.mkdir(parents=True)
    (data / "F606W.wfc1.psf").touch()
    monkeypatch.setenv("HST123R_DOLPHOT_BASE", str(tmp_path))
    rows = {row["what"]: row for row in json.loads(hst123r("doctor", recipe, "--json").out)}
    missing = {what for what, row in rows.items() if row["state"] == "missing"}
    names = ("F606W.wfc2.psf", "filters.dat", "wfc_idctab.dat")
    assert missing == {f"acs/data/{name}" for name in names}
    for name in names:
        (data / name).touch()
    assert hst123r("doctor", recipe).code == 0
    assert "a script, of unknown version" in rows["DOLPHOT"]["found"]
    assert hst123r("doctor", recipe, "--set", "photometry.dolphot.mask=external").code == 6
    # a program tells the modules it was built with, whose tables it reads whatever the images
    program.write_bytes(b"\x7fELF\0" + str(tmp_path).encode() + b"\0DOL_ACS\0DOLWFPC2\0")
    (tmp_path / "param").mkdir()
    (tmp_path / "param" / "fits.param").touch()
    rows = {row["what"]: row for row in json.loads(hst123r("doctor", recipe, "--json").out)}
    missing = {what for what, row in rows.items() if row["state"] == "missing"}
    assert missing == {"acs/data/hrc_idctab.dat", "wfpc2/data/filters.dat"}
    assert "reads it unasked" in rows["DOLPHOT's param/fits.param"]["found"]
    assert ", version 2, " in rows["DOLPHOT"]["found"]
    program.write_bytes(program.read_bytes() + b"MaxThreads\0")
    rows = {row["what"]: row for row in json.loads(hst123r("doctor", recipe, "--json").out)}
    assert ", version 3, " in rows["DOLPHOT"]["found"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("size: 10 pix}]", "s.yaml:5:134: stages[0].fetch.simulation.observations[0].size: 10 pix"),
        ("size: 64 pix}], template: t.fits", "there is no such template"),
        ("size: 64 pix}], stars: {catalog: s.csv}", "the catalogue cannot be read: "),
        ("size: 64 pix}], transient: {dates: [2019-04-01, 2019-05-01], magnitudes: [20 mag]}",
         "2 dates and 1 magnitudes"),
    ],
)  # fmt: skip
def test_a_simulation_that_cannot_be_made_is_said_why(hst123r, tmp_path, more, says):
    (tmp_path / "s.yaml").write_text(
        "hst123r: 1\nname: s\ntargets: [{name: T, position: '150.1 2.2'}]\nstages:\n"
        "  - fetch: {from: simulated, simulation: {observations: [{detector: WFC3/IR, "
        f"filter: F160W, dates: [2019-04-01], exposures: 1, {more}}}}}\n"
    )
    answer = hst123r("simulate", "s.yaml", "-o", "made")
    assert answer.code == 2
    assert says in answer.err
    assert "pydantic" not in answer.err


def test_simulate(hst123r, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "hst123r: 1\nname: s\ntargets: [{name: T, position: '150.1 2.2'}]\nstages:\n"
        "  - fetch: {from: simulated, simulation: {observations: [{detector: WFC3/IR, "
        "filter: F160W, dates: [2019-04-01], exposures: 1, size: 64 pix}]}}\n"
    )
    answer = hst123r("simulate", "s.yaml", "-o", "made")
    assert answer.code == 0, answer.err
    names = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert names == ["isi00101q_flt.fits", "isi00101q_truth.ecsv"]
    assert hst123r("simulate", "s.yaml", "-o", "made").code == 2


def test_exit_codes_are_those_of_the_documentation():
    assert set(EXIT_CODES) == {0, 1, 2, 3, 4, 5, 6, 10, 130}


def test_show_wcs_lists_every_solution_in_plain_words(hst123r, data, add_headerlets):
    path = data / "jsi00101q_flc.fits"
    with fits.open(path, mode="update") as hdus:
        header = hdus["SCI", 1].header
        header["WCSNAME"] = "IDC_toy-GSC240"
        header["CPDIS1"] = "Lookup"
    add_headerlets(path, IDC_toy__FIT_REL_GAIADR2=0.5)
    out = hst123r("show", "wcs", path).out
    assert out.splitlines() == [
        "IDC_toy-GSC240  <- in use",
        "  a priori: guide stars moved to GSC240; primary; distortion table toy",
        "  not complete: it lacks lookup tables WCSDVARR 1",
        "IDC_toy-FIT_REL_GAIADR2",
        (
            "  a posteriori: exposures aligned to each other, then together to GAIADR2; "
            "headerlet 1; distortion table jref$toy_idc.fits"
        ),
        "  120 matches, rms 4.5, 3.5 mas",
        "  not complete: it lacks lookup tables WCSDVARR 1",
    ]
    found = json.loads(hst123r("show", "wcs", path, "--json").out)
    assert [item["in_use"] for item in found["solutions"]] == [True, False]


def test_a_plan_tells_how_large_a_stack_will_be_and_refuses_one_too_large(
    hst123r, data, write_recipe
):
    recipe = write_recipe("drizzle: {}")
    assert hst123r("run", recipe, "--until", "exposures").code == 0
    answer = hst123r("plan", recipe)
    (line,) = [line for line in answer.out.splitlines() if "MB of memory" in line]
    assert line.startswith("drizzle ")
    stages = json.loads(hst123r("plan", recipe, "--json").out)["stages"]
    (job,) = next(stage["jobs"] for stage in stages if stage["stage"] == "drizzle")
    rows, columns = job["forecast"]["shape"]
    assert f"{columns} x {rows} pixels" in line
    for command in ("plan", "run"):
        answer = hst123r(command, recipe, "--set", "drizzle.max_megapixels=0.001")
        assert answer.code == 2
        assert "max_megapixels allows 0.001 million" in answer.err
    # what the last run left stands in for exposures that are made again, and decides nothing
    stale = ("--set", "exposures.epoch_gap=100 day", "--set", "drizzle.max_megapixels=0.001")
    answer = hst123r("plan", recipe, *stale)
    assert answer.code == 10, answer.err
    assert "refused, unless what is made before changes that" in answer.out.replace("\n", " ")
    assert hst123r("run", recipe, *stale).code == 2
    # nothing was drizzled
    assert not list((recipe.parent / "r" / "products").glob("drizzle/*"))
