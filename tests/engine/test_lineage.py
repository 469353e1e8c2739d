"""The lineage of a light curve ends at every contributing raw file and at nothing else."""

import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from hst123r.engine.lineage import trace
from hst123r.errors import InputError

STACK = "products/stacks/SN-acs_wfc-f606w/SN-acs_wfc-f606w_drz.fits"
ROOTS = ("jsi00101q", "jsi00102q", "jsi00103q", "jsi00104q", "jsi00201q", "jsi00202q")


def ends(found):
    return {end["path"] for end in found["ends"]}


def stages(found):
    return {job["stage"] for job in found["jobs"]}


def test_a_point_ends_at_all_that_contributed(finished):
    """Sources were searched on stacks of all exposures, so all of them decide where it is."""
    found = trace(finished, "SN/F814W/20190401", down=False)
    assert ends(found) == {f"raw/{root}_flc.fits" for root in ROOTS}
    assert stages(found) == {
        "scrape", "photometry", "detect", "stacks", "epochs", "align", "reference", "stars", "fetch"
    }  # fmt: skip
    (point,) = found["points"]
    assert (point["level"], point["epoch"], point["filter"]) == ("epoch", "20190401", "F814W")
    # of the two filters only one was measured for it
    measured = [job["label"] for job in found["jobs"] if job["stage"] == "photometry"]
    assert measured == ["SN-acs_wfc-f814w"]


def test_what_did_not_contribute_is_not_there(finished):
    found = trace(finished, "epochs:SN-acs_wfc-f606w-20190610", down=False)
    # the reference, of the other visit, decides where these exposures lie; F814W does not
    assert ends(found) == {
        f"raw/{root}_flc.fits" for root in ("jsi00101q", "jsi00102q", "jsi00201q", "jsi00202q")
    }
    assert all(end["digest"].startswith("blake3:") for end in found["ends"])


def test_forward_to_all_that_depends_on_a_file(finished):
    found = trace(finished, "raw/jsi00201q_flc.fits", up=False)
    labels = {job["label"] for job in found["jobs"]}
    assert "jsi00202q" not in labels
    assert "SN-acs_wfc-f606w-20190401" not in labels
    assert "SN-acs_wfc-f606w-20190610" in labels
    assert "report.html" in {row["path"] for row in found["leads_to"]}
    assert found["ends"] == []


def test_a_target_a_job_and_a_file_begin_where_they_should(finished, monkeypatch):
    monkeypatch.chdir(finished)
    whole = trace(finished, "SN")
    assert len(whole["points"]) > 5
    (job,) = whole["roots"]
    assert trace(finished, f"#{job}")["roots"] == [job]
    assert trace(finished, "scrape:SN")["roots"] == [job]
    for way in (STACK, f"./{STACK}", Path(STACK).name):
        found = trace(finished, way, down=False)
        assert found["found"] == "a file, by its path"
        assert found["path"] == STACK


def test_a_moved_file_is_found_by_its_bytes_and_a_changed_one_by_its_stamps(finished, tmp_path):
    stray = tmp_path / "stray.fits"
    shutil.copy(finished / STACK, stray)
    by_path = trace(finished, str(finished / STACK))
    by_bytes = trace(finished, str(stray))
    assert by_bytes["found"] == "a file, by its bytes"
    fits.setval(stray, "OBSERVER", value="somebody else")
    by_stamps = trace(finished, str(stray))
    assert by_stamps["found"] == "a file, by the stamps in its header"
    for other in (by_bytes, by_stamps):
        assert {key: other[key] for key in ("path", "roots", "jobs", "links", "ends")} == {
            key: by_path[key] for key in ("path", "roots", "jobs", "links", "ends")
        }


def test_a_file_of_yours_is_where_it_ends(ran, first_run):
    """A directory is no archive: the way back ends at the file it was copied from."""
    found = trace(ran.workspace.folder, "raw/jsi00101q_flc.fits", down=False)
    data = first_run.parent / "data"
    assert ends(found) == {str(data / "jsi00101q_flc.fits")}
    forth = trace(ran.workspace.folder, str(data / "jsi00101q_flc.fits"), up=False)
    assert stages(forth) == {"fetch", "select", "exposures"}


def test_forward_from_a_job_that_ran_again_with_equal_results(ran, first_run):
    """A second run fetches the same bytes, so all that read them is reused."""
    folder = ran.workspace.folder
    before = trace(folder, "fetch:jsi00101q", up=False)
    ran.run(first_run, redo=("fetch:jsi00101q",))
    (again,) = trace(folder, "fetch:jsi00101q", up=False)["roots"]
    assert again not in before["roots"]
    for what in ("fetch:jsi00101q", "raw/jsi00101q_flc.fits"):
        found = trace(folder, what, up=False)
        assert found["roots"] == [again]
        assert stages(found) == {"fetch", "select", "exposures"}
        assert [(link["path"], link["job"]) for link in found["links"]] == [
            (link["path"], link["job"]) for link in before["links"]
        ]
        assert {link["made_by"] for link in found["links"] if link["path"]} >= {again}
        assert found["leads_to"] == before["leads_to"]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("SN/F606W/20190402", "did you mean 'SN/F606W/20190401'"),
        ("SN/F999W", "no light curve has the point"),
        ("scrape:NS", "no target, job or file"),
        ("#9999", "there is no job"),
        ("none.fits", "no target, job or file"),
        ("products/none.fits", "no such file"),
        ("products", "no target, job or file|this is a folder"),
    ],
)
def test_what_nobody_knows_is_a_sentence(finished, tmp_path, monkeypatch, what, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        trace(finished, what)
    stray = tmp_path / "stray.txt"
    stray.write_text("not ours")
    with pytest.raises(InputError, match="was not made here"):
        trace(finished, str(stray))
