"""Listing a folder of the user's own files, by their names."""

import pytest

from hst123r.archives.directory import list_folder
from hst123r.errors import InputError
from hst123r.files.work_dir import STORE


@pytest.fixture
def folder(tmp_path):
    """Make empty files, and folders where the name ends in a slash."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.touch()
        return tmp_path

    return make


def codes(listing):
    return {name: code for name, code, _ in listing.left_out}


def test_names_count_whatever_their_case(folder):
    listing = list_folder(folder("J8BT06NYQ_FLT.FITS", "jsi00101q_flc.fits"), recursive=False)
    assert [found.root for found in listing.exposures] == ["j8bt06nyq", "jsi00101q"]
    assert listing.left_out == []


def test_one_name_in_two_cases_is_there_twice(folder):
    with pytest.raises(InputError, match="is there twice"):
        list_folder(folder("J8BT06NYQ_FLT.FITS", "j8bt06nyq_flt.fits"), recursive=False)


def test_everything_that_looks_like_fits_is_used_or_told_of(folder):
    place = folder(
        "jsi00101q_flc.fits", "jsi00102q_flc.fits.gz", "jsi00103q_flt.FITS.FZ", "stack.fits",
        "mine.fit", "notes.txt", "jsi00104q_flc.fits/", "jsi00105q_flc.fits.part",
    )  # fmt: skip
    (place / "jsi00106q_flc.fits").symlink_to(place / "nowhere.fits")
    listing = list_folder(place, recursive=False)
    assert [found.root for found in listing.exposures] == ["jsi00101q"]
    assert codes(listing) == {
        "jsi00102q_flc.fits.gz": "compressed", "jsi00103q_flt.FITS.FZ": "compressed",
        "stack.fits": "name", "mine.fit": "name", "jsi00104q_flc.fits": "file",
        "jsi00106q_flc.fits": "file",
    }  # fmt: skip
    reasons = {name: reason for name, _, reason in listing.left_out}
    assert reasons["jsi00104q_flc.fits"] == "it is a folder"
    assert "a link to a file that is not there" in reasons["jsi00106q_flc.fits"]


def test_work_directories_are_not_searched(folder):
    place = folder(
        "data/jsi00101q_flc.fits", f"r/{STORE}", "r/raw/jsi00101q_flc.fits",
        "r/products/stacks/a_drz.fits", f"deep/er/{STORE}", "deep/er/raw/jsi00101q_flc.fits",
    )  # fmt: skip
    listing = list_folder(place, recursive=True)
    assert [found.root for found in listing.exposures] == ["jsi00101q"]
    assert listing.left_out == []


def test_data_inside_a_work_directory_are_found_and_its_copies_are_not(folder):
    place = folder(STORE, "data/jsi00101q_flc.fits", "raw/jsi00101q_flc.fits", "logs/x.fits")
    listing = list_folder(place, recursive=True)
    assert [found.files["science"] for found in listing.exposures] == [
        str(place / "data" / "jsi00101q_flc.fits")
    ]
    # the raw folder of another recipe can be asked for by name
    assert len(list_folder(place / "raw", recursive=True).exposures) == 1
