"""Real Hubble files, made into folders of exposures as a user would have them."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r import instruments
from hst123r.provenance.store import Store

GAIN = 2.216
"""Electrons per count of the HRC at gain 2, from ATODGNC of the exposures."""
READ_NOISE = 4.7


class Done:
    """A finished run of a recipe on real files."""

    def __init__(self, folder, report):
        self.folder = folder
        self.report = report
        self.store = Store(folder, read_only=True)

    def product(self, inside):
        (found,) = self.folder.glob(f"products/{inside}")
        return found

    def measured(self, stage, name):
        """Return the values of one measurement of a stage by subject."""
        rows = self.store.db.query(
            "select m.subject, m.value from measurement m join job j on j.id = m.job_id "
            "where j.stage = ? and m.name = ?",
            [stage, name],
        )
        return {row["subject"]: row["value"] for row in rows}

    @property
    def rejects(self):
        return {row["subject"]: row["reason"] for row in self.report["left_out"]}


@pytest.fixture(scope="session")
def run_on(tmp_path_factory):
    """Run a recipe on a folder of exposures; returns the finished run."""

    def run(name, data, position, stages, expect=(0,)):
        folder = tmp_path_factory.mktemp(name)
        listed = "\n".join(f"  - {stage}" for stage in stages)
        (folder / "recipe.yaml").write_text(
            f'hst123r: 1\nname: {name}\ntargets: [{{name: T, position: "{position}"}}]\n'
            f'stages:\n  - fetch: {{from: directory, path: "{data}"}}\n{listed}\n'
        )
        out = subprocess.run(
            [sys.executable, "-m", "hst123r", "run", "recipe.yaml", "--json"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert out.returncode in expect, out.stderr
        return Done(folder / name, json.loads(out.stdout))

    return run


def update_wcs(folder, variable, references, *names):
    """Give exposures their distortion from local reference files, in a process of its own."""
    program = (
        "import sys\nfrom stwcs import updatewcs\n"
        "for name in sys.argv[1:]:\n    updatewcs.updatewcs(name, use_db=False, verbose=False)\n"
    )
    environment = {**os.environ, variable: f"{references}/"}
    subprocess.run(
        [sys.executable, "-c", program, *names],
        cwd=folder, env=environment, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def hrc(shared_data, tmp_path_factory):
    """Four exposures of 47 Tucanae in one night: one calibrated, three from their raw files."""
    folder = tmp_path_factory.mktemp("hrc")
    template = shared_data / "acs_hrc" / "j8bt06nyq_flt_sip.fits"
    shutil.copyfile(template, folder / "j8bt06nyq_flt.fits")
    linear = np.linalg.inv(_matrix(shared_data / "acs_hrc" / "j8bt06nyq_flt.fits"))
    linear = linear @ _matrix(template)
    for root in ("j8bt05njq", "j8bt06o6q", "j8bt09jcq"):
        raw = shared_data / "acs_hrc" / f"{root}_raw.fits"
        _calibrate(raw, template, linear, folder / f"{root}_flt.fits")
    return folder


def _matrix(path):
    """Return the CD matrix of the chip."""
    header = fits.getheader(path, "SCI")
    return np.array([[header[f"CD{row}_{column}"] for column in (1, 2)] for row in (1, 2)])


def _sensitivity(primary):
    """Return PHOTFLAM and PHOTPLAM of the filter, which the template's header has for its own."""
    facts = instruments.get("ACS/HRC").filters
    (band,) = (facts[primary[k]] for k in ("FILTER1", "FILTER2") if primary[k] in facts)
    return band.photflam.value, 10 * band.pivot.value


def _calibrate(raw, template, linear, path):
    """Take off the overscan and apply the gain; no dark, no flat.

    The matrix of a raw file is that of the bare pointing; the linear part of the distortion, which
    the polynomials of the template go with, is what the calibrated frame has over its own.
    """
    with fits.open(raw) as given, fits.open(template) as like:
        first = int(given["SCI", 1].header["LTV1"])
        pixels = given["SCI", 1].data.astype(np.float32)
        counts = pixels[:1024, first : first + 1024]
        science = (counts - np.median(pixels[:, 2 : first - 1])) * np.float32(GAIN)
        primary = like[0].header.copy()
        for card in given[0].header.cards:
            if card.keyword in {"ROOTNAME", "FILTER1", "FILTER2", "EXPTIME", "EXPSTART", "EXPEND"}:
                primary[card.keyword] = card.value
        primary["FILENAME"], primary["NEXTEND"] = path.name, 3
        planes = {
            "SCI": science,
            "ERR": np.sqrt(np.maximum(science, 0) + READ_NOISE**2),
            "DQ": np.where(counts >= 65535, 256, 0).astype(np.int16),
        }
        hdus = [fits.PrimaryHDU(header=primary)]
        pointing = given["SCI", 1].header
        matrix = _matrix(raw) @ linear
        for name, plane in planes.items():
            header = like[name, 1].header.copy()
            for keyword in ("CRVAL1", "CRVAL2", "ORIENTAT"):
                header[keyword] = pointing[keyword]
            for row, column in np.ndindex(2, 2):
                header[f"CD{row + 1}_{column + 1}"] = matrix[row, column]
            header["PHOTFLAM"], header["PHOTPLAM"] = _sensitivity(primary)
            header["CRPIX1"] = pointing["CRPIX1"] - first
            header["CRPIX2"] = pointing["CRPIX2"] - pointing["LTV2"]
            hdus.append(fits.ImageHDU(plane, header))
        fits.HDUList(hdus).writeto(path)


@pytest.fixture(scope="session")
def ers_delivered(shared_data, tmp_path_factory):
    """Sixteen WFC3/IR exposures of GOODS-S without their distortion."""
    folder = tmp_path_factory.mktemp("ers")
    with tarfile.open(shared_data / "wfc3_ir" / "wfc3-parse-test.tar.gz") as archive:
        for member in archive.getmembers():
            if member.name.endswith("_flt.fits"):
                member.name = Path(member.name).name
                archive.extract(member, folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def ers(shared_data, ers_delivered, tmp_path_factory):
    """The same with the distortion of their own IDCTAB."""
    folder = tmp_path_factory.mktemp("ers") / "updated"
    shutil.copytree(ers_delivered, folder)
    names = sorted(path.name for path in folder.glob("*.fits"))
    update_wcs(folder, "iref", shared_data / "ref" / "iref", *names)
    return folder


@pytest.fixture(scope="session")
def uref(shared_data, tmp_path_factory):
    """Return a folder with the reference files of the WFPC2 exposure."""
    references = tmp_path_factory.mktemp("uref")
    for path in (shared_data / "ref" / "uref").iterdir():
        if path.suffix == ".gz":
            (references / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        else:
            shutil.copyfile(path, references / path.name)
    return references


@pytest.fixture(scope="session")
def omega_cen_delivered(shared_data, tmp_path_factory):
    """One WFPC2 exposure, its waiver files converted, without distortion."""
    made = tmp_path_factory.mktemp("converted")
    program = (
        "import sys\nfrom stsci.tools.convertwaiveredfits import convertwaiveredfits\n"
        "convertwaiveredfits(sys.argv[1]).writeto(sys.argv[2])\n"
    )
    for old, new in (("c0f", "c0m"), ("c1f", "c1m")):
        source = shared_data / "wfpc2" / f"u40x010hm_{old}.fits"
        # it leaves files open and warns of their tables, which would be errors of the tests
        subprocess.run(
            [sys.executable, "-c", program, source, made / f"u40x010hm_{new}.fits"],
            check=True, capture_output=True,
        )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def omega_cen(omega_cen_delivered, uref, tmp_path_factory):
    """The same with OFFTAB, DGEOFILE and IDCTAB."""
    work, folder = tmp_path_factory.mktemp("updating"), tmp_path_factory.mktemp("wfpc2")
    names = [f"u40x010hm_{suffix}.fits" for suffix in ("c0m", "c1m")]
    for name in names:
        shutil.copyfile(omega_cen_delivered / name, work / name)
    update_wcs(work, "uref", uref, names[0])
    for name in names:
        shutil.copyfile(work / name, folder / name)
    return folder


@pytest.fixture
def sources():
    """Find what stands out in an exposure, with nothing of ours: DAOFIND and the WCS."""
    from astropy.stats import mad_std
    from astropy.wcs import WCS
    from photutils.detection import DAOStarFinder

    def find(path, fwhm, threshold):
        with fits.open(path) as hdus:
            image = hdus["SCI", 1].data.astype(float)
            noise = mad_std(image) or np.std(image[image < np.percentile(image, 99)])
            finder = DAOStarFinder(threshold=threshold * noise, fwhm=fwhm)
            table = finder(image - np.median(image))
            names = table.colnames
            x = table["x_centroid" if "x_centroid" in names else "xcentroid"]
            y = table["y_centroid" if "y_centroid" in names else "ycentroid"]
            ra, dec = WCS(hdus["SCI", 1].header, hdus).all_pix2world(x, y, 0)
        return np.column_stack([ra, dec]), np.asarray(table["flux"])

    return find


@pytest.fixture(scope="session")
def uvis(shared_data, tmp_path_factory):
    """A UVIS frame without its distortion, and a set of reference files for it.

    Of the archive's file only headers are left whole, so its pixels are zeros here. The polynomials
    of the table are those of its headers, so that a refit has to give them back; the lookup tables
    are waves, as large and as fine as those of the archive.
    """
    folder = tmp_path_factory.mktemp("uvis")
    references = {f"iref$waves_{kind}.fits": folder / f"waves_{kind}.fits" for kind in SUFFIXES}
    with fits.open(shared_data / "wfc3_uvis" / "sample_svm_flc.fits") as given:
        frame = fits.HDUList([fits.PrimaryHDU(header=given[0].header)])
        chips = [given["SCI", version].header for version in (1, 2)]
    tables = re.compile(r"(CPDIS|CPERR|DP|D2IMDIS|D2IMERR|D2IM|NPOLEXT|D2IMEXT)\d*(\..*)?")
    names = zip(("IDCTAB", "NPOLFILE", "D2IMFILE"), references, strict=True)
    frame[0].header.update(dict(names))
    for version, header in enumerate(chips, 1):
        cards = [card for card in header.cards if not tables.fullmatch(card.keyword)]
        pixels = np.zeros((2051, 4096), np.uint8)
        frame.append(fits.ImageHDU(pixels, fits.Header(cards), name="SCI", ver=version))
    frame.writeto(folder / "ib4606c6q_flc.fits")
    _distortion_table(chips).writeto(folder / "waves_idc.fits")
    for kind, size in (("npl", 0.05), ("d2i", 0.01)):
        _waves(chips, size).writeto(folder / f"waves_{kind}.fits")
    return folder / "ib4606c6q_flc.fits", {name: str(path) for name, path in references.items()}


SUFFIXES = ("idc", "npl", "d2i")


def _distortion_table(chips):
    """Coefficients in arcsec from those in pixels: x to the power m, y to the power n - m."""
    columns = {}
    for header in chips:
        linear = np.array([[header[f"OC{a}1{k}"] for k in (1, 0)] for a in "XY"])
        row = {
            "DETCHIP": header["CCDCHIP"], "DIRECTION": "FORWARD", "FILTER": "F555W",
            "XSIZE": 4096, "YSIZE": 2051, "XREF": header["IDCXREF"], "YREF": header["IDCYREF"],
            "THETA": header["IDCTHETA"], "SCALE": header["IDCSCALE"],
            "V2REF": header["IDCV2REF"], "V3REF": header["IDCV3REF"],
        }  # fmt: skip
        for n in range(1, header["A_ORDER"] + 1):
            for m in range(n + 1):
                own = [header.get(f"{letter}_{m}_{n - m}", 0.0) for letter in "AB"]
                both = linear[:, 1 - m] if n == 1 else linear @ own
                row[f"CX{n}{m}"], row[f"CY{n}{m}"] = both
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    primary = fits.PrimaryHDU()
    primary.header.update(DETECTOR="UVIS", INSTRUME="WFC3", NORDER=chips[0]["A_ORDER"], PARITY=-1)
    return fits.HDUList([primary, fits.table_to_hdu(Table(columns))])


def _waves(chips, size):
    rows, columns = np.indices((33, 64)) / 10.0
    hdus = [fits.PrimaryHDU()]
    hdus[0].header.update(DETECTOR="UVIS", INSTRUME="WFC3")
    for version, header in enumerate(chips, 1):
        for name, wave in (("DX", np.sin(rows + columns)), ("DY", np.cos(rows - columns))):
            hdu = fits.ImageHDU((size * wave).astype("f4"), name=name, ver=version)
            hdu.header.update(
                CCDCHIP=header["CCDCHIP"], ONAXIS1=4096, ONAXIS2=2051, CDELT1=64, CDELT2=64
            )
            hdus.append(hdu)
    return fits.HDUList(hdus)
