"""A folder of the user's own files, listed by name."""

from pathlib import Path

import pytest

from hst123r import instruments
from hst123r.archives.directory import list_folder
from hst123r.errors import InputError
from hst123r.files.work_dir import STORE


@pytest.fixture
def folder(tmp_path):
    """Make empty files of some names and list them: listing opens no file."""

    def make(*names, recursive=False):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return list_folder(tmp_path, recursive=recursive)

    return make


def roots(listing):
    return {found.root: {Path(path).name for path in found.files.values()} for found in
            listing.exposures}  # fmt: skip


def codes(listing):
    return {name: code for name, code, _ in listing.left_out}


@pytest.mark.parametrize("name", instruments.names())
def test_of_several_products_the_one_its_detector_prefers_is_taken(folder, name):
    detector = instruments.get(name)
    root = f"{detector.root_letter}abc01a1q"
    suffixes = list(detector.products.science)
    companion = detector.products.companion
    names = [f"{root}_{suffix}.fits" for suffix in suffixes]
    extra = [f"{root}_{companion}.fits"] if companion else []
    listing = folder(*names, *extra)
    assert roots(listing) == {root: {names[0], *extra}}
    assert codes(listing) == dict.fromkeys(names[1:], "product")


def test_a_file_and_its_quality_need_each_other(folder):
    listing = folder("u40x010hm_c0m.fits", "u40x010im_c1m.fits", "u40x010jm_c0m.fits",
                     "u40x010jm_c1m.fits")  # fmt: skip
    assert roots(listing) == {"u40x010jm": {"u40x010jm_c0m.fits", "u40x010jm_c1m.fits"}}
    assert codes(listing) == {
        "u40x010hm_c0m.fits": "companion", "u40x010im_c1m.fits": "companion",
    }  # fmt: skip
    assert set(listing.exposures[0].files) == {"science", "dq"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("image.fits", "name"),
        ("jabc01a1q_flc.fits.fits", "name"),
        ("jabc01a1_flc.fits", "name"),
        ("jabc01a1q_drz.fits", "product"),
        ("o4qx04010_flt.fits", "detector"),
        ("jabc01a1q_raw.fits", "product"),
    ],
)
def test_what_is_left_out_is_told_with_a_code_and_a_sentence(folder, name, code):
    listing = folder(name, "jabc99a1q_flc.fits")
    assert codes(listing) == {name: code}
    assert len(listing.left_out[0][2]) > 15
    assert list(roots(listing)) == ["jabc99a1q"]


@pytest.mark.parametrize("name", ["readme.txt", "jabc01a1q_flc.fits.part", "jabc01a1q.jpg"])
def test_what_is_no_fits_file_is_none_of_our_business(folder, name):
    listing = folder(name)
    assert listing.exposures == []
    assert listing.left_out == []


def test_order_is_that_of_the_names_and_paths_are_absolute(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder("jz_flt.fits", "jabc02a1q_flt.fits", "jabc01a1q_flt.fits", "iabc01a1q_flt.fits")
    listing = list_folder(Path(), recursive=False)
    assert list(roots(listing)) == ["iabc01a1q", "jabc01a1q", "jabc02a1q"]
    assert all(Path(found.files["science"]).is_absolute() for found in listing.exposures)


def test_subfolders_only_when_asked_and_the_same_name_twice_is_an_error(folder, tmp_path):
    assert len(folder("jabc01a1q_flt.fits", "a/jabc02a1q_flt.fits").exposures) == 1
    assert len(folder(recursive=True).exposures) == 2
    with pytest.raises(InputError, match=r"jabc01a1q_flt.fits is there twice"):
        folder("a/jabc01a1q_flt.fits", recursive=True)


def test_a_folder_of_the_name_of_a_file_is_no_file(folder, tmp_path):
    (tmp_path / "jabc01a1q_flt.fits").mkdir()
    assert folder().exposures == []


def test_a_folder_that_is_not_there_is_the_users_error(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        list_folder(tmp_path / "none", recursive=False)


@pytest.fixture
def place(tmp_path):
    """Make empty files, and folders where the name ends in a slash."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.touch()
        return tmp_path

    return make


def test_names_count_whatever_their_case(place):
    listing = list_folder(place("J8BT06NYQ_FLT.FITS", "jsi00101q_flc.fits"), recursive=False)
    assert [found.root for found in listing.exposures] == ["j8bt06nyq", "jsi00101q"]
    assert listing.left_out == []


def test_one_name_in_two_cases_is_there_twice(place):
    with pytest.raises(InputError, match="is there twice"):
        list_folder(place("J8BT06NYQ_FLT.FITS", "j8bt06nyq_flt.fits"), recursive=False)


def test_everything_that_looks_like_fits_is_used_or_told_of(place):
    place = place(
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


def test_work_directories_are_not_searched(place):
    place = place(
        "data/jsi00101q_flc.fits", f"r/{STORE}", "r/raw/jsi00101q_flc.fits",
        "r/products/stacks/a_drz.fits", f"deep/er/{STORE}", "deep/er/raw/jsi00101q_flc.fits",
    )  # fmt: skip
    listing = list_folder(place, recursive=True)
    assert [found.root for found in listing.exposures] == ["jsi00101q"]
    assert listing.left_out == []


def test_data_inside_a_work_directory_are_found_and_its_copies_are_not(place):
    place = place(STORE, "data/jsi00101q_flc.fits", "raw/jsi00101q_flc.fits", "logs/x.fits")
    listing = list_folder(place, recursive=True)
    assert [found.files["science"] for found in listing.exposures] == [
        str(place / "data" / "jsi00101q_flc.fits")
    ]
    # the raw place of another recipe can be asked for by name
    assert len(list_folder(place / "raw", recursive=True).exposures) == 1
