"""Header stamps: they find the row of a stray file, and change nothing that counts."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.files.content import FACETS, look
from hst123r.provenance.stamps import attempt, card, read_stamps, stamp, stamps_of

STAMPS = {"H123RUN": "7", "H123JOB": "12/1", "H123KEY": "0123456789abcdef", "H123RCP": "fedcba98"}


@pytest.fixture
def path(image, tmp_path):
    return image(tmp_path / "stack.fits", value=3.0)


def test_stamps_are_read_back_by_us_and_by_astropy(path):
    stamp(path, STAMPS)
    assert read_stamps(path) == STAMPS
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].header["H123KEY"] == "0123456789abcdef"
        assert hdus[0].header.comments["H123RUN"] == "hst123r run"
        assert hdus[0].header["EXPTIME"] == 100.0
        assert np.all(hdus["SCI"].data == 3.0)


def test_stamps_change_nothing_but_the_volatile_facet(path):
    before = look(path).facets
    stamp(path, STAMPS)
    after = look(path).facets
    assert {name for name in FACETS if before[name] != after[name]} == {"volatile"}


def test_newer_stamps_replace_older_ones(path):
    stamp(path, STAMPS)
    size = path.stat().st_size
    stamp(path, {"H123RUN": "8"})
    stamp(path, {"H123RUN": "9"})
    assert read_stamps(path) == {"H123RUN": "9"}
    assert path.stat().st_size == size


@pytest.mark.parametrize("more", range(24, 34))
def test_a_full_header_grows_by_a_block_and_the_data_follow(path, more):
    with fits.open(path, mode="update") as hdus:
        for number in range(more):
            hdus[0].header[f"FILL{number}"] = number
    before = path.stat().st_size
    data = path.read_bytes()[-2880:]
    stamp(path, STAMPS)
    assert path.stat().st_size - before in {0, 2880}
    assert path.read_bytes()[-2880:] == data
    assert read_stamps(path) == STAMPS
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].header[f"FILL{more - 1}"] == more - 1
        assert np.all(hdus["SCI"].data == 3.0)
    assert [found.name for found in path.parent.glob("stack*")] == [path.name]


@pytest.mark.parametrize("value", ["", "it's", "x" * 68, "x" * 100, "'" * 30, "x" + "'" * 40])
def test_a_card_is_80_characters_that_astropy_understands(value):
    made = card("H123RUN", value)
    assert len(made) == 80
    read = fits.Card.fromstring(made)
    read.verify("exception")
    assert value.startswith(read.value)
    assert len(read.value) >= min(len(value), 33)


def test_the_number_of_a_job_survives_a_long_name(path):
    stamp(path, stamps_of(
        run="u", job_id=1234567, name="stacks:" + "x" * 90, key="blake3:" + "a" * 64,
        recipe="blake3:" + "b" * 64,
    ))  # fmt: skip
    assert attempt(read_stamps(path)) == 1234567
    assert read_stamps(path)["H123KEY"] == "a" * 16


def test_a_file_without_stamps_has_none(path):
    assert read_stamps(path) == {}


def test_what_is_not_fits_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "table.ecsv"
    path.write_text("a,b\n" * 1000)
    with pytest.raises(InputError):
        stamp(path, STAMPS)
    with pytest.raises(InputError):
        read_stamps(path)
    assert path.read_text() == "a,b\n" * 1000


def test_stamps_of_a_run_lead_to_the_rows_of_the_file(small):
    db = small.store.db
    paths = list(small.folder.glob("products/**/*.fits"))
    assert len(paths) > 12
    for path in paths:
        stamps = read_stamps(path)
        job = db.table("job").get(attempt(stamps))
        assert f"#{job['id']} {job['stage']}:{job['label']}".startswith(stamps["H123JOB"])
        assert job["key"].partition(":")[2].startswith(stamps["H123KEY"])
        run = db.table("run").get(job["run_id"])
        assert run["uid"] == stamps["H123RUN"]
        recipe = db.table("recipe").get(run["recipe_id"])
        assert recipe["digest"].partition(":")[2].startswith(stamps["H123RCP"])
        made = small.store.jobs.made([job["id"]])[job["id"]]
        assert str(path) in {found for item in made for found in item.product.files.values()}


def test_raw_files_carry_none(small):
    for path in small.folder.glob("raw/*.fits"):
        assert read_stamps(path) == {}
