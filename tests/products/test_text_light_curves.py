"""Light curves as text for other programs."""

import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.light_curve import write_light_curve
from hst123r.products.systems import columns_of
from hst123r.products.text_light_curves import sources_in, write_phot, write_snana

ROW = {"detector": "ACS/WFC", "filter": "F814W", "epoch": "20190401", "mjd": 58574.123456,
       "exposure_time_s": 800.0, "n_exposures": 2, "flags": 0, "source": 3}  # fmt: skip


def row(level, flux, error, **more):
    mag = 31.4 - 2.5 * np.log10(flux) if flux > 3 * error else None
    err = 1.0857 * error / flux if flux > 3 * error else None
    return {**ROW, "level": level, "flux_njy": flux, "flux_err_njy": error, "mag_ab": mag,
            "mag_err": err, "limit_ab": 27.25, **more}  # fmt: skip


@pytest.fixture
def curve(tmp_path):
    """Write a light curve: a star of 25.2 +- 0.03 mag, and a date with a negative flux."""
    flux = 10 ** (0.4 * (31.4 - 25.2))
    rows = [
        row("exposure", flux, 9.0), row("epoch", flux, 0.03 * flux / 1.0857362),
        row("epoch", -20.0, 10.0, mjd=58600.5, filter="F606W"),
        row("filter", flux, 5.0, mag_sys=0.0125),
        row("epoch", 500.0, 5.0, source=4),
    ]  # fmt: skip
    facts = {"ra_deg": 150.1, "dec_deg": -2.2, "separation_arcsec": 0.0123}
    listed = [{"source": 3, **facts}, {"source": 4, **facts, "separation_arcsec": 0.5}]
    meta = {"limit_snr": 3.0, "system": "ab", **listed[0], "sources": listed}
    write_light_curve(tmp_path / "c.ecsv", rows, meta)
    return str(tmp_path / "c.ecsv")


def test_the_layout_of_hst123(curve, tmp_path):
    write_phot(tmp_path / "a.phot", curve, "SN", 3)
    assert (tmp_path / "a.phot").read_text().splitlines() == [
        "# target = SN",
        "# source = 3",
        "# ra = 150.1000000",
        "# dec = -2.2000000",
        "# separation = 0.0123 arcsec",
        "# limit = 3 sigma",
        "# magsystem = AB",
        "# systematic error of ACS/WFC-F814W = 0.0125 mag",
        "# MJD Instrument Filter Exposure Magnitude Uncertainty Limit",
        "58574.12346 ACS/WFC F814W 800.0000 25.2000 0.0300 27.2500",
        "58600.50000 ACS/WFC F606W 800.0000 nan nan 27.2500",
        "",
        "# Average Photometry",
        "# MJD Instrument Filter Exposure Magnitude Uncertainty Limit",
        "58574.12346 ACS/WFC F814W 800.0000 25.2000 0.0180 27.2500",
    ]


def test_snana_has_every_epoch_in_its_own_unit(curve, tmp_path):
    write_snana(tmp_path / "a.snana", curve, "SN", 3)
    lines = (tmp_path / "a.snana").read_text().splitlines()
    # a comment, because FLUXCALERR is the error of one flux
    assert lines.pop(0) == "# systematic error of ACS/WFC-F814W = 0.0125 mag"
    assert lines[:6] == [
        "SNID: SN", "RA: 150.1000000", "DECL: -2.2000000", "NOBS: 2", "NVAR: 6",
        "VARLIST: MJD FLT FLUXCAL FLUXCALERR MAG MAGERR",
    ]  # fmt: skip
    # 25.2 +- 0.03 is FLUXCAL 8.3176 +- 0.2298, the case of hst123's tests
    assert lines[6] == "OBS: 58574.12346 ACS/WFC-F814W 8.3176 0.22982 25.2000 0.0300"
    assert lines[7].startswith("OBS: 58600.50000 ACS/WFC-F606W -0.55085 0.27542 nan nan")
    assert lines[8:] == ["END:"]


def test_every_source_has_its_own(curve, tmp_path):
    assert sources_in(curve) == [3, 4]
    write_phot(tmp_path / "b.phot", curve, "SN", 4)
    assert "# separation = 0.5000 arcsec" in (tmp_path / "b.phot").read_text()


def test_the_system_is_that_of_the_light_curve(tmp_path):
    rows = [row("epoch", 500.0, 5.0, mag_vega=24.5, limit_vega=26.8)]
    meta = {"limit_snr": 3.0, "system": "vega", "source": 3, "ra_deg": 1.0, "dec_deg": 2.0,
            "separation_arcsec": 0.1}  # fmt: skip
    write_light_curve(tmp_path / "c.ecsv", rows, meta, columns_of("vega", None))
    write_phot(tmp_path / "a.phot", str(tmp_path / "c.ecsv"), "SN", 3)
    text = (tmp_path / "a.phot").read_text()
    assert "# magsystem = VEGAMAG" in text
    assert " 24.5000 0.0109 26.8000" in text
    assert len(tables.read(tmp_path / "c.ecsv")) == 1
