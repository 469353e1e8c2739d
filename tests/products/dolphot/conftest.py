from __future__ import annotations

from types import SimpleNamespace

import pytest

GLOBALS = (
    "Extension (zero for base image)",
    "Chip (for three-dimensional FITS image)",
    "Object X position on reference image (or first image, if no reference)",
    "Object Y position on reference image (or first image, if no reference)",
    "Chi for fit",
    "Signal-to-noise",
    "Object sharpness",
    "Object roundness",
    "Direction of major axis (if not round)",
    "Crowding",
    "Object type (1=bright star, 2=faint, 3=elongated, 4=hot pixel, 5=extended)",
)
QUANTITIES = (
    "{} counts", "{} sky level", "Normalized count rate", "Normalized count rate uncertainty",
    "Instrumental VEGAMAG magnitude", "Transformed UBVRI magnitude", "Magnitude uncertainty",
    "Chi", "Signal-to-noise", "Sharpness", "Roundness", "Crowding", "Photometry quality flag",
)  # fmt: skip
IMAGES = (
    "a.chip1 (ACS_F606W, 350.0 sec)",
    "b.chip1 (ACS_F606W, 450.0 sec)",
    "c.chip1 (ACS_F814W, 400.0 sec)",
)
TAIL = "{chi} {snr} -0.020  0.010 0.100  {flag}"


def columns_text(combined=("ACS_F606W",), images=IMAGES, more=("Pass Detected",)):
    """Return the text of a `.columns` file as the HST modes of DOLPHOT write it."""
    texts = [*GLOBALS, *more]
    for word, tails in (("Total", combined), ("Measured", images)):
        for tail in tails:
            texts += [f"{quantity.format(word)}, {tail}" for quantity in QUANTITIES]
    return "".join(f"{number}. {text}\n" for number, text in enumerate(texts, 1))


def row(*blocks, kind=1, x=10.0, y=20.0):
    """Return a row with 12 columns about the object."""
    head = f"0 1 {x:7.2f} {y:7.2f}   1.02    76.7 -0.015  0.081  40 0.009 {kind} 1"
    return " ".join([head, *blocks]) + "\n"


def measured(counts=1000.0, mag=25.0, mag_err=0.054, flag=0):
    """Return a block of a star that was measured: S/N 20."""
    rate = 10 ** (-0.4 * mag)
    return (f"{counts:8.1f}    20.00 {rate:8.2e} {rate / 20:8.2e} {mag:6.3f} 99.999 "
            f"{mag_err:5.3f}   1.10    20.0 -0.020  0.010 0.100  {flag}")  # fmt: skip


NEGATIVE = "-50.0 20.00 -5.0e-12 4.00e-12 99.999 99.999 9.999 0.90 -1.2 -0.020 0.010 0.100  0"
UNSEEN = "0.0 0.00 0.00e+00 3.84e-07 99.999 99.999 9.999 0.00 0.0 0.000 0.000 0.000  9"
REJECTED = "0.0 0.00 0.00e+00 9999.000 99.999 99.999 9.999 0.00 0.0 0.000 0.000 0.000  0"


@pytest.fixture
def made():
    """Return what makes files as DOLPHOT writes them."""
    return SimpleNamespace(
        columns=columns_text, row=row, measured=measured, images=IMAGES,
        negative=NEGATIVE, unseen=UNSEEN, rejected=REJECTED,
    )  # fmt: skip


@pytest.fixture
def samples(shared_data):
    """Return the folder with files of real DOLPHOT runs."""
    return shared_data / "dolphot_sample"


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def call(text, name="run.phot"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return call


@pytest.fixture
def layout(write):
    """Return the columns of a run with two images in one filter, one in another, and 12 globals."""
    from hst123r.products.dolphot.columns import read_columns

    return read_columns(write(columns_text(), "run.phot.columns"))


@pytest.fixture
def read(write, layout):
    """Write rows, and read them as a catalogue."""
    from hst123r.products.dolphot.catalogue import read_catalogue

    return lambda *rows, **more: read_catalogue(write("".join(rows)), layout, **more)
