"""Photometry of every source in every exposure."""

import shutil

import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.photometry_tables import read_table

RED, BLUE = "SN-acs_wfc-f814w", "SN-acs_wfc-f606w"


@pytest.fixture
def inputs(small):
    return {
        "sources": small.products("detect", "sources"),
        "exposure": small.products("align", "exposure"),
        "cosmic-ray mask": small.products("epochs", "cosmic-ray mask"),
    }


def against_truth(catalogue, truth):
    """Return magnitude less truth, and that over its error, of stars that are sure."""
    truth = truth[truth["star"] != np.max(truth["star"])]
    found = []
    for star in truth:
        apart = 3600 * np.hypot(
            (catalogue["ra"] - star["ra"]) * np.cos(np.radians(2.2)), catalogue["dec"] - star["dec"]
        )
        row = catalogue[int(np.argmin(apart))]
        if apart.min() < 0.02 and row["flags"] == 0 and np.isfinite(row["mag_ab"]):
            difference = row["mag_ab"] - star["magnitude"]
            found.append((difference, difference / row["mag_err"]))
    return np.array(found).T


def test_there_is_a_job_for_each_filter_with_masks_of_one_epoch(inputs, divide):
    jobs = divide("photometry", inputs)
    assert {label: len(job.inputs["exposure"]) for label, job in jobs.items()} == {RED: 2, BLUE: 4}
    assert len(jobs[BLUE].inputs["cosmic-ray mask"]) == 4
    inputs["cosmic-ray mask"][0].facts["epochs"] = 2
    assert sum(
        len(job.inputs["cosmic-ray mask"]) for job in divide("photometry", inputs).values()
    ) == 5  # fmt: skip
    assert divide("photometry", {**inputs, "sources": []}) == {}


def test_magnitudes_are_within_their_errors_of_the_truth(small):
    for name, root in ((BLUE, "jsi00101q"), (RED, "jsi00103q")):
        catalogue = read_table(small.path(f"photometry/{name}/*_catalog.ecsv"))
        difference, pull = against_truth(catalogue, small.truth(root))
        assert len(pull) > 20
        assert abs(np.median(difference)) < 0.01
        assert 0.3 < np.mean(pull**2) < 2.0


@pytest.mark.parametrize("label", [BLUE, RED])
def test_positions_of_one_filter_are_common_to_all_its_exposures(small, label):
    catalogue = read_table(small.path(f"photometry/{label}/*_catalog.ecsv"))
    truth = small.truth("jsi00101q")
    truth = truth[truth["magnitude"] < 23]
    for star in truth:
        apart = 3600e3 * np.hypot(
            (catalogue["ra"] - star["ra"]) * np.cos(np.radians(2.2)), catalogue["dec"] - star["dec"]
        )
        row = int(np.argmin(apart))
        if apart[row] < 20 and catalogue["flags"][row] == 0:
            assert apart[row] < 2.0 + 4 * catalogue["pos_err"][row]


def test_without_masks_it_says_so_and_still_measures(inputs, divide, do, small):
    job = divide("photometry", {**inputs, "cosmic-ray mask": []})[RED]
    outcome = do("photometry", job)
    assert [caveat.code for caveat in outcome.caveats] == ["no_cosmic_ray_mask"]
    catalogue = read_table(outcome.products[0].files["catalog"])
    difference, _ = against_truth(catalogue, small.truth("jsi00103q"))
    assert abs(np.median(difference)) < 0.01


def test_residuals_hold_noise_alone_and_targets_stand_alone(inputs, divide, do):
    from astropy.io import fits
    from astropy.wcs import WCS

    outcome = do("photometry", divide("photometry", inputs)[RED], {"residuals": True})
    kinds = [product.kind for product in outcome.products]
    assert kinds.count("residual image") == 2
    for product in outcome.products:
        if product.kind != "residual image":
            continue
        with fits.open(product.files["science"]) as hdus:
            assert hdus[0].header["ROOTNAME"] == product.name
            pulls = []
            for number in range(1, 1 + len([h for h in hdus if h.name == "SCI"])):
                left, model = hdus["SCI", number].data, hdus["MODEL", number].data
                noise = 1.4826 * np.median(np.abs(left - np.median(left)))
                assert abs(np.median(left)) < 0.1 * noise
                bright = model > 5 * noise
                pulls.append(left[bright] / np.sqrt(noise**2 + model[bright]))
                assert WCS(hdus["SCI", number].header).sip is not None
            # where stars are, nothing more than noise is left; one chip has a single star
            pull = np.concatenate(pulls)
            assert pull.size > 1000
            assert 1.4826 * np.median(np.abs(pull)) < 1.2
    alone = [p for p in outcome.products if p.kind == "target alone"]
    assert {product.labels["target"] for product in alone} <= {"SN", "nothing"}
    (target,) = (p for p in alone if p.labels["target"] == "SN")
    with fits.open(target.files["science"]) as hdus:
        assert len(hdus) == 3
        x, y = WCS(hdus[1].header).all_world2pix(150.1, 2.2, 0)
        ny, nx = hdus[1].shape
        assert 0 < x < nx
        assert 0 < y < ny
        core = hdus[1].data[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4]
        assert core.max() > 5 * np.std(hdus[1].data[:8])


def test_the_snr_of_a_limit_is_the_users(inputs, divide, do):
    job = divide("photometry", inputs)[RED]
    params = {"limit_snr": 10.0}
    outcome = do("photometry", job, params)
    catalogue = read_table(outcome.products[0].files["catalog"])
    seen = np.isfinite(catalogue["mag_ab"])
    assert np.all(catalogue["snr"][seen] >= 10)
    assert outcome.products[0].facts["detected"] == int(seen.sum())


def test_a_psf_for_each_frame_needs_memory_for_each(inputs, divide):
    from hst123r.photometers.psf import OWN_PSF_MB, memory_mb
    from hst123r.stages.photometry import Photometry

    job = next(iter(divide("photometry", inputs, {}).values()))
    frames = 2 * len(job.inputs["exposure"])
    need = {
        psf: memory_mb(job, Photometry.params(psf=psf)) for psf in ("computed", "image", "hybrid")
    }
    assert need["image"] == need["hybrid"] == need["computed"] + frames * OWN_PSF_MB


@pytest.mark.heavy
@pytest.mark.parametrize("psf", ["image", "hybrid"])
def test_few_stars_keep_the_computed_psf_and_it_is_said(inputs, divide, do, small, psf):
    """A chip of this small field has too few bright isolated stars for a PSF of its own."""
    params = {"psf": psf}
    outcome = do("photometry", divide("photometry", inputs)[RED], params)
    codes = {caveat.code for caveat in outcome.caveats}
    measured = {item.name: item.value for item in outcome.measurements}
    if psf == "image":
        assert codes == {"computed_psf"}
    else:
        # some chips have the eight stars that a focus needs, and theirs is as it should be
        assert codes <= {"computed_psf"}
        assert abs(measured.get("charge_diffusion", 0.494) - 0.494) < 0.05
    assert 0.6 < measured["psf_encircled_energy"] < 0.95
    catalogue = read_table(outcome.products[0].files["catalog"])
    difference, _ = against_truth(catalogue, small.truth("jsi00103q"))
    assert abs(np.median(difference)) < 0.02


def test_no_source_at_all_is_an_error_with_a_hint(inputs, divide, do, tmp_path):
    path = tmp_path / "sources.ecsv"
    table = tables.read(inputs["sources"][0].files["catalog"])
    tables.write(table[:0], path)
    inputs["sources"][0].files["catalog"] = str(path)
    said = do("photometry", divide("photometry", inputs)[RED])
    assert "no source to measure" in said
    assert "detect.threshold" in said


def test_an_exposure_without_a_zeropoint_is_measured_in_electrons(inputs, divide, do, tmp_path):
    from astropy.io import fits

    from hst123r.products.exposures import read_exposure

    for product in inputs["exposure"]:
        if product.name != "jsi00104q":
            continue
        path = tmp_path / "jsi00104q_flc.fits"
        shutil.copy(product.files["science"], path)
        path.chmod(0o644)
        for version in (1, 2):
            fits.setval(path, "PHOTFLAM", value=0.0, extname="SCI", extver=version)
        product.files["science"] = str(path)
        product.facts.update(read_exposure(str(path), {}).as_facts())
    outcome = do("photometry", divide("photometry", inputs)[RED])
    assert "no_zeropoint" in {caveat.code for caveat in outcome.caveats}
    every = read_table(outcome.products[0].files["measurements"])
    mine = np.array([str(root).strip() == "jsi00104q" for root in every["exposure"]])
    assert np.all(np.isfinite(every["rate"][mine]))
    assert not np.any(np.isfinite(every["flux"][mine]))
    catalogue = read_table(outcome.products[0].files["catalog"])
    seen = np.isfinite(catalogue["flux"])
    assert np.all(catalogue["n_exposures"][seen] == 1)


def test_the_quality_of_the_fit_is_measured(small):
    sql = "select value, high, quality from measurement where name = 'chi_of_bright_sources'"
    chi = list(small.store.db.query(sql))
    assert len(chi) == 2
    for row in chi:
        assert 0.9 < row["value"] < 1.1
        assert (row["high"], row["quality"]) == (1.5, "good")


@pytest.mark.heavy
def test_exposures_are_brought_to_the_published_light(inputs, divide, do):
    from hst123r import instruments
    from hst123r.optics.encircled import aperture_correction

    found = {}
    for how in ("computed", "published"):
        params = {"encircled_energy": how}
        job = divide("photometry", inputs, params)[BLUE]
        outcome = do("photometry", job, params)
        said = {item.name: item.value for item in outcome.measurements}
        found[how] = read_table(outcome.products[0].files["catalog"]), said
    detector = instruments.get(job.labels["detector"])
    right = aperture_correction(
        detector, job.labels["filter"], min(c.number for c in detector.chips)
    )
    (before, _), (after, said) = found["computed"], found["published"]
    seen = np.isfinite(before["mag_ab"]) & np.isfinite(after["mag_ab"])
    assert seen.sum() > 20
    change = np.asarray(after["mag_ab"] - before["mag_ab"])[seen]
    assert abs(right.magnitudes) > 0.002
    assert change == pytest.approx(right.magnitudes, abs=2e-4)
    assert said["aperture_correction"] == pytest.approx(right.magnitudes)
    shared = right.shared_error_mag(computed=True)
    for table in (before, after):
        assert np.unique(table["mag_sys"]) == pytest.approx([shared], abs=1e-4)
    # it is no error of a single star
    assert np.asarray(after["mag_err"])[seen] == pytest.approx(
        np.asarray(before["mag_err"])[seen], rel=1e-3
    )


@pytest.mark.heavy
def test_artificial_stars_lose_light_as_the_sources_did(inputs, divide, do, tmp_path):
    """As if the files were old ones without correction: limits are less deep by the loss."""
    from astropy.io import fits

    for product in inputs["exposure"]:
        path = tmp_path / f"{product.name}_flt.fits"
        shutil.copy(product.files["science"], path)
        path.chmod(0o644)
        fits.setval(path, "PCTECORR", value="OMIT")
        for chip in product.facts["chips"]:
            fits.setval(path, "LTV2", value=-1700.0, extname="SCI", extver=chip["extver"])
            chip["number"] = 2
        product.files["science"] = str(path)
        product.facts.update(image=path.name, start_mjd=54000.0, end_mjd=54000.1)
    limits = {}
    for cte in ("none", "auto"):
        params = {"artificial_stars": 200, "cte": cte}
        outcome = do("photometry", divide("photometry", inputs, params)[RED], params)
        left = "transfer_losses" in {caveat.code for caveat in outcome.caveats}
        assert left == (cte == "none")
        table = tables.read(outcome.products[0].files["artificial"])
        (row,) = table[(table["target"] == "nothing") & (table["level"] == "filter")]
        limits[cte] = float(row["limit_ab"])
    assert 0.08 < limits["none"] - limits["auto"] < 0.6
