"""What the built-in engine makes good in fluxes."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.optics.encircled import ApertureCorrection
from hst123r.optics.telescope import effective_psf
from hst123r.optics.varying import VaryingPSF
from hst123r.photometers.params import PhotometryParams
from hst123r.photometers.psf import find_psf
from hst123r.photometers.psf_corrections import (
    Corrections,
    aperture_measurements,
    aperture_of,
    count_rates_of,
    notes_of,
    parts_of,
    transfer_of,
)
from hst123r.photometry.magnitudes import zeropoint_ab
from hst123r.products.frames import computed_psf
from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product
from hst123r.sources.transfer_losses import Readout
from hst123r.stage.contract import Job

JOB = Job("SN", {"field": "SN", "detector": "ACS/WFC", "filter": "F850LP+POL0V"})
DEFAULT = PhotometryParams()


def readout(root="a", suffix="flc", corrected=False, first=(0.0, 0.0)):
    return Readout(root, suffix, corrected, corrected, 54000.0, 100.0, {1: 2}, {1: first})


def exposure(root):
    values = dict.fromkeys(Exposure.__dataclass_fields__)
    chip = Chip(1, 2, [10, 10], "ELECTRONS", 1e-19, 9000.0, 25.0, 24.0, 1.0, 0.0)
    return Exposure(**{**values, "root": root, "exposure_time_s": 100.0, "chips": [chip]})


def test_exposures_get_the_published_light():
    found = aperture_of(JOB, DEFAULT, [readout("a"), readout("b")])
    assert found.factor == pytest.approx(1.058, abs=0.003)
    notes = notes_of([exposure("a"), exposure("b")], found)
    assert [note.aperture_factor for note in notes] == [found.factor, found.factor]
    said = {item.name: item.value for item in aperture_measurements(found)}
    assert said["aperture_correction"] == pytest.approx(-0.061, abs=0.003)
    assert said["aperture_correction_error"] > 0.01


def test_a_measured_psf_gets_the_factor_of_its_own_light(tmp_path):
    """A grid is scaled to the light within 10 pixels; the published value is within 3.1."""
    path = tmp_path / "STDPSF_WFC3IR_F160W.fits"
    detector = instruments.get("WFC3/IR")
    computed = effective_psf(detector, "F160W", chip=1)
    offset = (np.arange(101) - 50) / 4
    # with more light in the core than the computed one
    x, y = np.meshgrid(offset, offset)
    values = computed.at(x, y) + 0.15 * np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    header = fits.Header([("NXPSFS", 1), ("NYPSFS", 1), ("IPSFX01", 507), ("JPSFY01", 507)])
    fits.PrimaryHDU(values[None].astype("f4"), header).writeto(path)
    job = Job("SN", {"field": "SN", "detector": "WFC3/IR", "filter": "F160W"})
    readouts = [Readout("a", "flt", False, False, 54000.0, 100.0, {1: 1}, {1: (0.0, 0.0)})]
    wanted = PhotometryParams(psf="grid", psf_grids=str(tmp_path))
    without = aperture_of(job, DEFAULT, readouts)
    job.inputs["psf grid"] = [Product("psf grid", "grid", {}, {"grid": str(path)})]
    found = aperture_of(job, wanted, readouts)
    psf = find_psf(job, wanted, Corrections([], found, None, [], {}))(
        detector, "F160W", replace(exposure("a").chips[0], number=1)
    )
    # 0.4 arcsec by the handbook, 7.6
    light = float(psf.encircled_energy(0.4 / detector.chips[0].pixel_arcsec))
    assert light - float(computed.encircled_energy(0.4 / detector.chips[0].pixel_arcsec)) > 0.005
    assert found.factor == pytest.approx(light / 0.8385, rel=2e-3)
    assert found.factor - without.factor > 0.005


def test_the_computed_light_is_left_as_asked_for_with_its_error():
    params = PhotometryParams(encircled_energy="computed")
    found = aperture_of(JOB, params, [readout()])
    assert (found.factor, found.magnitudes) == (1.0, 0.0)
    assert found.error_mag > 0.01


def test_a_constant_star_stays_constant_while_the_sensitivity_falls():
    """PHOTFLAM of ACS and WFC3 headers follows the time; each exposure has its own."""
    photflam = np.array([7.8e-20, 7.9e-20, 8.2e-20])
    exposures = [exposure(root) for root in "abc"]
    for one, value in zip(exposures, photflam, strict=True):
        zeropoint = float(zeropoint_ab(value, 5921.9))
        one.chips[0] = replace(one.chips[0], photflam=value, zeropoint_ab=zeropoint)
    notes = notes_of(exposures, ApertureCorrection(1.0, 0.0))
    # counts of one light are as many as the sensitivity makes of it
    counts = 1e-16 / photflam
    flux = counts * [note.flux_unit for note in notes]
    assert flux == pytest.approx(np.full(3, flux[0]), rel=1e-12)
    assert np.ptp([note.zeropoint_ab for note in notes]) == pytest.approx(0.0543, abs=1e-3)


def test_the_psf_follows_the_pixels():
    job = Job("SN", {"field": "SN", "detector": "WFC3/IR", "filter": "F160W"})
    chip = exposure("a").chips[0]
    chip = replace(chip, number=1)
    detector = instruments.get("WFC3/IR")
    by = Corrections([], ApertureCorrection(1.0, 0.0), None, [], {})
    psf = find_psf(job, DEFAULT, by)(detector, "F160W", chip)
    assert isinstance(psf, VaryingPSF)
    assert find_psf(job, PhotometryParams(over_chip=False), by) is computed_psf
    # 0.018 mag brighter at the top of the chip than at the bottom, on either side of the middle
    values, _, _ = psf.stamps([507.0, 507.0], [0.0, 1013.0], 1)
    light = values.sum(axis=(1, 2))
    assert 2.5 * np.log10(light[1] / light[0]) == pytest.approx(0.035, abs=0.02)


def test_the_psf_is_computed_where_the_exposures_are():
    """Two subarrays of a chip, 10 pixels wide and 100 apart, need it at their outer corners."""
    readouts = [readout("a", first=(1000.0, 20.0)), readout("b", first=(1100.0, 0.0))]
    parts = parts_of([exposure("a"), exposure("b")], readouts)
    assert parts == {2: (1000.0, 0.0, 1109.0, 29.0)}
    job = Job("SN", {"field": "SN", "detector": "ACS/WFC", "filter": "F606W"})
    by = Corrections([], ApertureCorrection(1.0, 0.0), None, [], parts)
    detector, chip = instruments.get("ACS/WFC"), exposure("a").chips[0]
    grid = find_psf(job, DEFAULT, by)(detector, "F606W", chip).grid
    assert (grid.x.tolist(), grid.y.tolist()) == ([1000.0, 1109.0], [0.0, 29.0])


def test_losses_that_no_formula_tells_are_said():
    transfer, caveats = transfer_of(JOB, DEFAULT, [readout(suffix="flt")])
    assert transfer is not None
    assert caveats == []
    none = PhotometryParams(cte="none")
    transfer, (caveat,) = transfer_of(JOB, none, [readout(suffix="flt")])
    assert transfer is None
    assert "are left in a: as asked for" in caveat.text


def test_counts_that_are_not_in_proportion_are_made_good_or_said():
    job = Job("SN", {"field": "SN", "detector": "WFC3/IR", "filter": "F160W"})
    readouts = [readout("a"), readout("b", corrected=True)]
    notes = notes_of([exposure("a"), exposure("b")], ApertureCorrection(1.0, 0.0))
    rates, (caveat,) = count_rates_of(job, DEFAULT, readouts, notes)
    assert rates is None
    assert "0.75 % per decade" in caveat.text
    wanted = PhotometryParams(count_rates="published")
    rates, caveats = count_rates_of(job, wanted, readouts, notes)
    assert caveats == []
    assert (rates.per_decade, rates.rows) == (0.0075, [0])
    assert 0.2 < rates.central_fraction < 0.5
    assert count_rates_of(JOB, wanted, readouts, notes) == (None, [])
    assert count_rates_of(job, DEFAULT, readouts[1:], notes[1:]) == (None, [])
