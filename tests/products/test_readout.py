"""How exposures were read out."""

from dataclasses import replace

import numpy as np
from astropy.io import fits

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
    assert not found.simulated
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["SIMULATD"] = True
        hdus["SCI"].header.pop("LTV1")
    found = read_readout({"science": str(path)}, replace(exposure, image="jabc01a1q_flc.fits"))
    assert found.simulated
    assert found.suffix == "flc"
    assert found.first == {1: (0.0, 512.0)}
