"""The WCS of real exposures: built anew from reference files, restored, and taken at its word."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from hst123r.files.content import facet_of_card
from hst123r.products.wcs_solutions import read_solutions

pytestmark = pytest.mark.real
PIXEL = 0.001


def round_trip(path, version, columns, rows):
    """Largest distance in pixels between a pixel and where it comes back to, all over a chip."""
    x, y = np.meshgrid(np.linspace(0, columns - 1, 65), np.linspace(0, rows - 1, 33))
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    with fits.open(path) as hdus:
        wcs = WCS(hdus["SCI", version].header, hdus)
        assert wcs.sip is not None
        assert wcs.cpdis1 is not None
        assert wcs.det2im1 is not None
        back = wcs.all_world2pix(wcs.all_pix2world(pixels, 0), 0, tolerance=1e-6)
    return np.hypot(*(back - pixels).T).max()


def same_wcs(one, other, versions):
    """Largest distance on the sky between two WCS, mas, all over the chips."""
    x, y = np.meshgrid(np.linspace(0, 799, 9), np.linspace(0, 799, 9))
    worst = 0.0
    with fits.open(one) as first, fits.open(other) as second:
        for version in versions:
            places = [
                WCS(hdus["SCI", version].header, hdus).all_pix2world(x.ravel(), y.ravel(), 0)
                for hdus in (first, second)
            ]
            apart = (np.array(places[0]) - places[1]) * 3.6e6
            worst = max(worst, np.abs(apart).max())
    return worst


def wcs_cards(path):
    """Return what places pixels on the sky in every extension, lookup tables too."""
    with fits.open(path) as hdus:
        return [
            (
                {k: v for k, v in hdu.header.items() if facet_of_card(k) in {"wcs", "alternates"}},
                hdu.data.tolist() if hdu.name == "D2IMARR" else None,
            )
            for hdu in hdus[1:]
        ]


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
@pytest.mark.parametrize("version", [1, 2])
def test_acs_with_full_lookup_tables_finds_back_to_its_pixel(shared_data, version):
    path = shared_data / "acs_wfc" / "jbt122x8q_flc_header.fits"
    assert round_trip(path, version, 4096, 2048) < PIXEL


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
@pytest.mark.parametrize("place", ["headerlet 2", "headerlet 3", "headerlet 10"])
def test_uvis_with_full_lookup_tables_finds_back_to_its_pixel(
    shared_data, outside, tmp_path, place
):
    """The tables of the file itself were cut; those of its headerlets are whole."""
    path = tmp_path / "ib4606c6q_flc.fits"
    shutil.copy(shared_data / "wfc3_uvis" / "sample_svm_flc.fits", path)
    path.chmod(0o644)
    solution = next(item for item in read_solutions(path) if item.place == place)
    assert outside("apply", tmp_path, path=str(path), index=solution.index) == {}
    now = read_solutions(path)[0]
    assert (now.name, now.lacks) == (solution.name, [])
    for version in (1, 2):
        assert round_trip(path, version, 4096, 2051) < PIXEL


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_uvis_is_refitted_with_lookup_tables_and_finds_back_to_its_pixel(
    shared_data, uvis, outside, tmp_path
):
    path, references = tmp_path / uvis[0].name, uvis[1]
    shutil.copy(uvis[0], path)
    said = outside("refit", tmp_path, image=path.name, references=references)
    assert "error" not in said, said
    now = read_solutions(path)[0]
    assert (now.name, now.lacks) == ("IDC_waves", [])
    delivered = shared_data / "wfc3_uvis" / "sample_svm_flc.fits"
    with fits.open(path) as hdus, fits.open(delivered) as given:
        for version in (1, 2):
            assert round_trip(path, version, 4096, 2051) < PIXEL
            header, before = hdus["SCI", version].header, given["SCI", version].header
            sip = [keyword for keyword in before if re.fullmatch(r"[AB]_\d_\d", keyword)]
            assert len(sip) > 20
            for keyword in sip:
                assert header[keyword] == pytest.approx(before[keyword], rel=1e-6), keyword
            # its own solution was fitted to Gaia, and is off the pointing by less than an arcsec
            away = [header[k] - before[k] for k in ("CRVAL1", "CRVAL2")]
            assert np.hypot(*away) < 1 / 3600
        tables = [hdu.data.shape for hdu in hdus if hdu.name in {"WCSDVARR", "D2IMARR"}]
        assert tables == [(33, 64)] * 8


@pytest.mark.parametrize(
    ("name", "in_use", "incomplete", "headerlets"),
    [
        ("wfc3_uvis/sample_svm_flc.fits", "IDC_2731450pi-FIT_SVM_GAIAeDR3", 4, 10),
        ("wfc3_ir/sample_svm_flt.fits", "IDC_w3m18525i-FIT_SVM_GAIAeDR3", 0, 10),
        ("acs_wfc/jbt122x8q_flc_header.fits", "IDC_4bb1536cj-FIT_IMG_GAIAeDR3", 0, 5),
        ("acs_hrc/j8bt06nyq_flt_sip.fits", "IDC_n721640fj", 0, 0),
    ],
)
def test_the_solutions_of_archive_files(shared_data, name, in_use, incomplete, headerlets):
    found = read_solutions(shared_data / name)
    assert found[0].name == in_use
    assert len([item for item in found if item.kind == "headerlet"]) == headerlets
    assert len([item for item in found if item.lacks]) == incomplete
    fitted = {item.name: item for item in found if item.kind == "headerlet" and item.matches}
    assert all("GAIA" in item.catalogue for item in fitted.values())


@pytest.mark.heavy
def test_wfc3_ir_is_refitted_as_by_updatewcs(shared_data, ers_delivered, ers, run_on):
    stages = (f"wcs: {{start: refit, references: {shared_data / 'ref' / 'iref'}}}",)
    done = run_on("refit", ers_delivered, "53.0715 -27.7093", stages, expect=(0, 3))
    made = sorted(done.folder.glob("products/wcs/*/*_flt.fits"))
    assert len(made) == 8
    for path in made:
        assert read_solutions(path)[0].name == "IDC_w3m18525i"
        assert same_wcs(path, ers / path.name, [1]) < 1e-4
    assert max(done.measured("wcs", "round_trip").values()) < PIXEL
    (used,) = {
        row["name"] for row in done.store.db.query(
            "select r.name from reference_file r join job j on j.id = r.job_id "
            "where j.stage = 'wcs'"
        )
    }  # fmt: skip
    assert used == "iref$w3m18525i_idc.fits"


@pytest.mark.heavy
def test_hrc_is_refitted_to_the_distortion_that_it_came_with(shared_data, hrc, run_on):
    """Its delivered SIP polynomial is of the same table, made by other hands."""
    references = shared_data / "ref" / "jref" / "derived"
    stages = (f"wcs: {{start: refit, references: {references}}}",)
    done = run_on("refithrc", hrc, "00:24:04.3 -72:05:05", stages, expect=(0, 3))
    made = done.product("wcs/*/j8bt06nyq_flt.fits")
    assert read_solutions(made)[0].name == "IDC_n721640fj"
    assert same_wcs(made, hrc / made.name, [1]) < 1
    back = done.measured("wcs", "round_trip")
    # the other two of the night do not reach this star
    assert set(back) == {"j8bt06nyq", "j8bt06o6q"}
    assert max(back.values()) < PIXEL


@pytest.mark.heavy
def test_the_wfpc2_pair_is_refitted_as_one_and_can_be_drizzled(
    omega_cen_delivered, omega_cen, uref, run_on
):
    """DGEOFILE without NPOLFILE made drizzlepac ask on the keyboard."""
    stages = (f"wcs: {{start: refit, references: {uref}}}", "drizzle: {scale: 0.1 arcsec}")
    done = run_on("pair", omega_cen_delivered, "13:27:17.4 -47:30:23", stages)
    science = done.product("wcs/*/u40x010hm_c0m.fits")
    companion = done.product("wcs/*/u40x010hm_c1m.fits")
    assert same_wcs(science, omega_cen / science.name, (1, 2, 3, 4)) < 1e-4
    for cards, others in zip(wcs_cards(science), wcs_cards(companion), strict=True):
        assert cards == others
    header = fits.getheader(science)
    assert (header["DGEOFILE"], header["NPOLFILE"]) == ("N/A", "N/A")
    with fits.open(companion) as one, fits.open(omega_cen_delivered / companion.name) as other:
        for version in range(1, 5):
            assert (one[version].data == other[version].data).all()
    assert read_solutions(science)[0].lacks == []
    assert max(done.measured("wcs", "round_trip").values()) < PIXEL


@pytest.mark.heavy
def test_another_reference_file_refits_and_another_place_of_it_does_not(
    shared_data, ers_delivered, tmp_path
):
    root = "ib6o23rtq"
    for folder in ("data", "refs/iref"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ers_delivered / f"{root}_flt.fits", tmp_path / "data")
    table = tmp_path / "refs" / "w3m18525i_idc.fits"
    shutil.copyfile(shared_data / "ref" / "iref" / table.name, table)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        'hst123r: 1\nname: r\ntargets: [{name: T, position: "53.0715 -27.7093"}]\nstages:\n'
        "  - fetch: {from: directory, path: data}\n  - wcs: {start: refit, references: refs}\n"
    )

    def why(command):
        out = subprocess.run(
            [sys.executable, "-m", "hst123r", command, "r.yaml", "--json"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert out.returncode in (0, 10), out.stderr
        return out.stdout

    why("run")
    table = table.rename(table.parent / "iref" / table.name)
    assert "changed" not in why("plan")
    with fits.open(table, mode="update") as hdus:
        hdus[1].data["CX10"][:] += 1e-4
    assert "input reference file iref$w3m18525i_idc.fits changed" in why("plan")
