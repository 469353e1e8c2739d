"""How exposures were read out."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import StageError
from hst123r.products.readout import read_readout
from hst123r.records.exposure import Chip, Exposure


def test_readout_of_a_subarray(tmp_path):
    path = tmp_path / "jabc01a1q_flt.fits"
    image = fits.ImageHDU(np.zeros((4, 4), np.float32), name="SCI")
    image.header["LTV1"], image.header["LTV2"] = -1024.0, -512.0
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    chip = Chip(1, 2, [4, 4], "ELECTRONS", 1e-19, 6000.0, 26.0, 26.0, 1.0, 0.0)
    exposure = Exposure(
        "jabc01a1q", path.name, "ACS/WFC", "F606W", "W", ["F606W"], 500.0, 53000.0, 53000.1, "1",
        "01", "T", "WFC", True, 0.0, "NORMAL", "FINE", "", "", "", True, [chip],
    )  # fmt: skip
    found = read_readout({"science": str(path)}, exposure)
    assert found.suffix == "flt"
    assert found.first == {1: (1024.0, 512.0)}
    assert found.chips == {1: 2}
    assert not found.transfer_corrected
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["PCTECORR"] = "COMPLETE"
        hdus["SCI"].header.pop("LTV1")
    found = read_readout({"science": str(path)}, replace(exposure, image="jabc01a1q_flc.fits"))
    assert found.transfer_corrected
    # counts of a CCD are in proportion anyway
    assert not found.rates_corrected
    assert found.suffix == "flc"
    assert found.first == {1: (0.0, 512.0)}


def test_what_a_header_says_is_corrected(tmp_path):
    """What the archive has not done is no correction, nor is a card of another camera."""
    chip = Chip(1, 1, [4, 4], "ELECTRONS/S", 1e-19, 15000.0, 26.0, 26.0, 1.0, 0.0)
    values = dict.fromkeys(Exposure.__dataclass_fields__)
    values |= {"root": "ibc001a1q", "image": "ibc001a1q_flt.fits", "start_mjd": 55000.0}
    values |= {"end_mjd": 55000.1, "exposure_time_s": 100.0, "chips": [chip]}
    said = {}
    for detector in ("WFC3/IR", "ACS/HRC"):
        for card in (("PCTECORR", "OMIT"), ("PCTECORR", "COMPLETE"), ("RNLCDONE", "PERFORMED")):
            path = tmp_path / "ibc001a1q_flt.fits"
            primary = fits.PrimaryHDU()
            primary.header.append(card)
            hdus = [primary, fits.ImageHDU(np.zeros((4, 4)), name="SCI")]
            fits.HDUList(hdus).writeto(path, overwrite=True)
            exposure = Exposure(**{**values, "detector": detector})
            found = read_readout({"science": str(path)}, exposure)
            said[detector, *card] = found.transfer_corrected, found.rates_corrected
    assert {key: value for key, value in said.items() if any(value)} == {
        ("WFC3/IR", "RNLCDONE", "PERFORMED"): (False, True),
        ("ACS/HRC", "PCTECORR", "COMPLETE"): (True, False),
    }


@pytest.mark.parametrize(
    ("detector", "keyword", "value"),
    [
        ("ACS/WFC", "PCTECORR", "COMPLETE"),
        ("WFPC2", "PCTECORR", "COMPLETE"),
        ("WFC3/IR", "RNLCDONE", "PERFORMED"),
    ],
)
def test_a_file_of_an_earlier_simulator_is_refused(tmp_path, detector, keyword, value):
    """Nothing was lost in it, which it does not say; a formula must not make that good."""
    path = tmp_path / "jsi00101q_flt.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((4, 4)), name="SCI")]).writeto(path)
    values = dict.fromkeys(Exposure.__dataclass_fields__)
    chip = Chip(1, 1, [4, 4], "ELECTRONS", 1e-19, 6000.0, 26.0, 26.0, 1.0, 0.0)
    values |= {"root": "jsi00101q", "image": path.name, "detector": detector, "chips": [chip]}
    values |= {"start_mjd": 58000.0, "end_mjd": 58000.1, "exposure_time_s": 100.0}
    exposure = Exposure(**values)
    found = read_readout({"science": str(path)}, exposure)
    # of the sky, as it may be
    assert not found.transfer_corrected
    assert not found.rates_corrected
    fits.setval(path, "SIMULATD", value=True)
    with pytest.raises(StageError, match=r"an earlier simulator .* Simulate it again") as caught:
        read_readout({"science": str(path)}, exposure)
    assert caught.value.where == str(path)
    # what says that nothing was made good is believed
    fits.setval(path, keyword, value="OMIT")
    assert not read_readout({"science": str(path)}, exposure).transfer_corrected
    fits.setval(path, keyword, value=value)
    found = read_readout({"science": str(path)}, exposure)
    assert found.transfer_corrected or found.rates_corrected
