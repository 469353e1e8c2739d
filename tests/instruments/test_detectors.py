"""The facts about detectors: complete, sourced, and in agreement with real files."""

import re
import tarfile
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.detector import DqBit
from hst123r.instruments.facts import Facts, Number

NAMES = ("ACS/HRC", "ACS/WFC", "WFC3/IR", "WFC3/UVIS", "WFPC2")
IMAGING = {"W", "M", "N", "LP", "X"}
# the filters that hst123 reduces
ALLOWED = re.findall(
    r"\w+",
    """
    F098M F1042M F105W F110W F122M F125W F126N F127M F128N F130N F132N F139M F140W F153M F160BW
    F160W F164N F167N F185W F200LP F218W F220W F225W F250W F255W F275W F280N F300W F300X F330W
    F336W F343N F344N F350LP F373N F375N F380W F390M F390N F390W F395N F410M F435W F437N F438W
    F439W F450W F467M F469N F475W F475X F487N F547M F550M F555W F569W F588N F600LP F606W F621M
    F622W F625W F631N F645N F656N F657N F658N F660N F665N F673N F675W F680N F689M F702W F763M
    F775W F785LP F791W F814W F845M F850LP F892N F953N
    """,
)
SYNTHETIC = {
    "ACS/HRC": {"INSTRUME": "ACS", "DETECTOR": "HRC"},
    "ACS/WFC": {"INSTRUME": "ACS     ", "DETECTOR": "WFC"},
    "WFC3/IR": {"INSTRUME": "WFC3", "DETECTOR": "ir"},
    "WFC3/UVIS": {"INSTRUME": "WFC3", "DETECTOR": "UVIS"},
    "WFPC2": {"INSTRUME": "WFPC2", "DETECTOR": 4},
}
# real files, the detector they are from, and the optical element in the beam
REAL = {
    "acs_hrc/j8bt06nyq_flt.fits": ("ACS/HRC", "F606W"),
    "acs_hrc/j8bt06nyq_flt_sip.fits": ("ACS/HRC", "F606W"),
    "acs_hrc/j8bt05njq_raw.fits": ("ACS/HRC", "F555W"),
    "acs_hrc/j8bt09jcq_raw.fits": ("ACS/HRC", "F330W"),
    "acs_wfc/j94f05bgq_flt_header_astropy.fits": ("ACS/WFC", "F606W"),
    "acs_wfc/j94f05bgq_flt_stwcs.fits.gz": ("ACS/WFC", "F606W"),
    "acs_wfc/jbt122x8q_flc_header.fits": ("ACS/WFC", "F814W"),
    "wfc3_uvis/sample_ipppssoot_flc.fits": ("WFC3/UVIS", "F555W"),
    "wfc3_uvis/sample_svm_flc.fits": ("WFC3/UVIS", "F555W"),
    "wfc3_ir/sample_ipppssoot_flt.fits": ("WFC3/IR", "F110W"),
    "wfc3_ir/sample_svm_flt.fits": ("WFC3/IR", "F110W"),
    "wfpc2/u40x010hm_c0f.fits": ("WFPC2", "F555W"),
    "wfpc2/u40x010hm_c1f.fits": ("WFPC2", "F555W"),
    "wfpc2/WFPC2ASSNu5780205bx.fits": ("WFPC2", "FR533P15"),
}

each_detector = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def shared_data():
    """Return the folder of real files that may stand beside the source tree."""
    for folder in Path(__file__).resolve().parents:
        place = folder.parent / "shared" / "data"
        if place.is_dir():
            return place
    pytest.skip("there is no folder shared/data with real files beside the source tree")


def numbers(part, path=""):
    """Yield all numbers with a unit in a part, and where they are."""
    if isinstance(part, Number):
        yield path, part
    elif isinstance(part, Facts):
        for key in type(part).model_fields:
            yield from numbers(getattr(part, key), f"{path}.{key}")
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from numbers(value, f"{path}.{key}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from numbers(value, f"{path}[{index}]")


def science_headers(file):
    """Yield the SCI headers; the rows of the group table in a waiver file."""
    found = [hdu.header for hdu in file if hdu.name == "SCI"]
    if not found and len(file) > 1 and isinstance(file[1], fits.TableHDU):
        table = file[1].data
        found = [
            {key: row[key] for key in ("PHOTFLAM", "PHOTPLAM") if key in table.names}
            for row in table
        ]
    return found


def element(detector, header):
    """Return the optical elements in the beam, joined."""
    names = [str(header.get(key, "")).strip() for key in detector.header.filters]
    clear = tuple(detector.header.clear)
    return "+".join(name for name in names if name and not name.startswith(clear))


# ------------------------------------------------------------------------ the files


def test_the_detectors_are_these():
    assert instruments.names() == NAMES


@each_detector
def test_a_detector_loads(name):
    detector = instruments.get(name)
    assert detector.name == name
    assert (instruments.FOLDER / f"{detector.slug}.yaml").is_file()
    assert detector.slug == name.lower().replace("/", "_")
    assert instruments.get(name) is detector


def test_an_unknown_detector_is_an_input_error_that_names_the_known():
    with pytest.raises(InputError) as caught:
        instruments.get("ACS/SBC")
    assert "ACS/SBC" in str(caught.value)
    assert all(name in str(caught.value) for name in NAMES)


@each_detector
def test_every_number_has_a_unit_and_a_source(name):
    found = list(numbers(instruments.get(name)))
    assert len(found) > 40
    for path, number in found:
        assert number.source.strip(), path
        assert np.isfinite(number.value), path
        u.Unit(number.unit)


@each_detector
def test_units_are_those_of_the_quantity(name):
    detector = instruments.get(name)
    electrons, wavelengths = detector.noise, [detector.optics.wavefront]
    assert u.Unit(electrons.read_noise.unit) == u.electron
    assert u.Unit(electrons.full_well.unit) == u.electron
    assert u.Unit(electrons.dark.unit) == u.electron / u.pix / u.s
    assert u.Unit(detector.pixel_scale.unit) == u.arcsec / u.pix
    assert u.Unit(detector.optics.blur.unit) == u.pix
    # DN where DN are what the files hold
    unit = u.DN if u.Unit(electrons.gain.unit) == u.electron / u.DN else u.electron
    for facts in detector.filters.values():
        wavelengths += [number for number in (facts.pivot, facts.width) if number]
        if facts.photflam:
            assert u.Unit(facts.photflam.unit) == u.erg / u.cm**2 / u.AA / unit
    assert {number.unit for number in wavelengths} == {"nm"}


# ------------------------------------------------------------------------ which detector


@each_detector
def test_a_header_belongs_to_one_detector(name):
    assert instruments.match(SYNTHETIC[name]).name == name


@pytest.mark.parametrize(
    "header",
    [
        {"INSTRUME": "STIS", "DETECTOR": "CCD"},
        {"INSTRUME": "ACS", "DETECTOR": "SBC"},
        {"INSTRUME": "ACS"},
        {"DETECTOR": "WFC"},
        {},
    ],
)
def test_another_header_belongs_to_none(header):
    with pytest.raises(InputError) as caught:
        instruments.match(header, where="o8k401010_flt.fits")
    assert "o8k401010_flt.fits" in str(caught.value)
    assert all(name in str(caught.value) for name in NAMES)


@pytest.mark.real
@pytest.mark.parametrize("file", REAL)
def test_a_real_header_belongs_to_its_detector_and_names_a_known_filter(file, shared_data):
    name, expected = REAL[file]
    header = fits.getheader(shared_data / file)
    detector = instruments.match(header, where=file)
    assert detector.name == name
    assert element(detector, header) == expected
    assert expected in detector.filters


@pytest.mark.real
def test_drizzled_headers_and_grism_exposures_are_recognised(shared_data):
    for file, name in {
        "acs_wfc/jbt122x8q_drc_header.fits": "ACS/WFC",
        "acs_wfc/sample_mvm_drc.fits": "ACS/WFC",
        "wfpc2/WFPC2u5780205r_c0fx.fits": "WFPC2",
    }.items():
        assert instruments.match(fits.getheader(shared_data / file)).name == name
    with tarfile.open(shared_data / "wfc3_ir" / "wfc3-parse-test.tar.gz") as archive:
        kinds = set()
        for member in archive:
            if not member.name.endswith("_flt.fits"):
                continue
            header = fits.Header.fromfile(archive.extractfile(member))
            detector = instruments.match(header)
            assert detector.name == "WFC3/IR"
            kinds.add(detector.filters[element(detector, header)].kind)
    assert kinds == {"M", "W", "grism"}


# ------------------------------------------------------------------------ filters


def kind_of_name(name):
    """Return the class that the name of an imaging filter says."""
    return re.fullmatch(r"F\d+[AB]?(W|M|N|LP|X)", name)[1]


def test_the_filters_of_hst123_are_all_known():
    assert len(ALLOWED) == 83
    for name in ALLOWED:
        having = [entry for entry in NAMES if name in instruments.get(entry).filters]
        assert having, name
        for entry in having:
            facts = instruments.get(entry).filters[name]
            assert facts.kind == kind_of_name(name), (entry, name)
            assert facts.pivot, (entry, name)
            assert facts.width, (entry, name)
            assert facts.photflam, (entry, name)


def test_filters_that_hst123_leaves_out_are_known():
    for name, filters in {
        "ACS/WFC": {"F502N": "N", "G800L": "grism", "POL0V": "polariser", "FR656N": "ramp"},
        "WFC3/UVIS": {"F502N": "N", "FQ575N": "quad", "G280": "grism"},
        "WFC3/IR": {"G102": "grism", "G141": "grism"},
        "WFPC2": {"F502N": "N", "F170W": "W", "F165LP": "LP", "POLQ": "polariser", "LRF": "ramp"},
    }.items():
        for entry, kind in filters.items():
            assert instruments.get(name).filters[entry].kind == kind


@each_detector
def test_bands_are_plausible(name):
    detector = instruments.get(name)
    for entry, facts in detector.filters.items():
        if facts.kind not in IMAGING:
            assert facts.pivot is facts.width is facts.photflam is None, entry
            continue
        assert facts.kind == kind_of_name(entry)
        if facts.pivot is None:
            continue
        pivot, width = facts.pivot.value, facts.width.value
        # infrared names are in units of 10 nm
        nominal = int(re.match(r"F(\d+)", entry)[1]) * (10 if name == "WFC3/IR" else 1)
        if facts.kind == "LP":
            assert pivot > nominal, entry
        else:
            assert pivot == pytest.approx(nominal, rel=0.1), entry
        # the widest narrow band is F343N of WFC3/UVIS
        assert 0.002 < width / pivot < (0.08 if facts.kind == "N" else 1.2), entry
        if facts.photflam:
            # electrons per photon that falls on a mirror of 2.4 m
            photon = 6.62607015e-27 * 2.99792458e10 / (pivot * 1e-7)
            photons = facts.photflam.value * width * 10 * np.pi * 120**2 / photon
            assert 1e-4 < detector.noise.gain.value / photons < 0.6, entry


@pytest.mark.real
def test_acs_filters_agree_with_the_imphttab(shared_data):
    path = shared_data / "ref" / "imphttab" / "08b18470j_imp.fits"
    detector = instruments.get("ACS/WFC")
    compared = set()
    for key, attribute, factor in (("PHOTFLAM", "photflam", 1), ("PHOTPLAM", "pivot", 10)):
        for row in fits.getdata(path, key):
            mode = row["OBSMODE"].strip().split(",")
            if mode[:2] != ["acs", "wfc1"] or len(mode) != 4 or mode[3] != "MJD#":
                continue
            facts = detector.filters.get(mode[2].upper())
            if facts is None or facts.kind not in IMAGING:
                continue
            newest = row[row["DATACOL"]][-1]
            value = getattr(facts, attribute).value * factor
            assert value == pytest.approx(newest, rel=0.01), (key, mode)
            compared.add((key, mode[2]))
    assert len(compared) == 2 * sum(f.kind in IMAGING for f in detector.filters.values())


@pytest.mark.real
@pytest.mark.filterwarnings(
    "ignore:Invalid keyword for column:astropy.io.fits.verify.VerifyWarning"
)
@pytest.mark.parametrize("file", REAL)
def test_filters_agree_with_real_headers(file, shared_data):
    name, filter_name = REAL[file]
    facts = instruments.get(name).filters[filter_name]
    with fits.open(shared_data / file) as opened:
        # WFC3/IR has them in the primary header
        headers = [*science_headers(opened), opened[0].header]
        headers = [header for header in headers if header.get("PHOTFLAM", 0) > 0]
    if not headers or facts.photflam is None:
        pytest.skip("this file says nothing about its photometric calibration")
    for header in headers:
        assert facts.photflam.value == pytest.approx(header["PHOTFLAM"], rel=0.03)
        if "PHOTPLAM" in header:
            assert facts.pivot.value * 10 == pytest.approx(header["PHOTPLAM"], rel=0.005)


# ------------------------------------------------------------------------ data quality, noise


@each_detector
def test_quality_bits_are_different_powers_of_two(name):
    detector = instruments.get(name)
    bits = [entry.bit for entry in detector.dq_bits]
    assert bits == sorted(set(bits))
    assert all(bit & (bit - 1) == 0 for bit in bits)
    assert len({entry.name for entry in detector.dq_bits}) == len(bits)
    assert all(isinstance(entry, DqBit) and entry.source for entry in detector.dq_bits)


@each_detector
def test_saturated_pixels_and_cosmic_rays_are_left_out(name):
    detector = instruments.get(name)
    assert detector.saturated_bits
    assert detector.bad_bits & detector.saturated_bits == detector.saturated_bits
    assert detector.bad_bits & 4096
    assert detector.bad_bits & 4


def test_the_bits_that_differ_between_detectors():
    assert instruments.get("ACS/WFC").saturated_bits == 256 + 2048
    assert instruments.get("WFC3/UVIS").saturated_bits == 256 + 2048
    assert instruments.get("WFC3/IR").saturated_bits == 256
    assert instruments.get("WFPC2").saturated_bits == 8
    for name in ("ACS/WFC", "WFC3/UVIS"):
        assert not instruments.get(name).bad_bits & (32 + 64)
        assert instruments.get(name).bad_bits & 512
    assert not instruments.get("WFC3/IR").bad_bits & (64 + 512)
    assert not instruments.get("WFPC2").bad_bits & 1024


@each_detector
def test_noise_is_plausible(name):
    noise = instruments.get(name).noise
    assert 2 < noise.read_noise.value < 25
    assert 0 < noise.dark.value < 0.1
    assert 2e4 < noise.full_well.value < 2e5
    assert (noise.cosmic_rays is None) == (name == "WFC3/IR")


# ------------------------------------------------------------------------ suggestions


@each_detector
def test_suggestions_have_units_and_known_bits(name):
    detector = instruments.get(name)
    assert set(detector.stages) == {"align", "drizzle", "photometry"}
    radius = u.Quantity(detector.stages["align"].parameters["search_radius"])
    # TweakReg goes wrong with a fraction of a pixel, and below a tolerance of one
    assert radius.unit == u.pix
    assert radius.value == int(radius.value)
    assert u.Quantity(detector.stages["align"].parameters["tolerance"]) >= 1 * u.pix
    arcsec = radius.value * detector.pixel_scale.value
    assert arcsec == pytest.approx(1, abs=0.05)
    scale = u.Quantity(detector.stages["drizzle"].parameters["scale"]).to_value(u.arcsec)
    assert scale == pytest.approx(detector.pixel_scale.value, rel=0.02)
    assert set(detector.stages["drizzle"].parameters["bits"]) <= {
        entry.bit for entry in detector.dq_bits
    }
    assert u.Quantity(detector.stages["photometry"].parameters["fit_radius"]).unit == u.pix
    assert detector.dolphot.source
    assert detector.notes


@pytest.mark.parametrize(
    ("name", "number", "arcsec"),
    [("WFPC2", 1, 0.0455), ("WFPC2", 3, 0.0996), ("ACS/HRC", 1, 0.0265), ("WFC3/IR", 1, 0.1282)],
)
def test_the_size_of_a_pixel_of_a_chip(name, number, arcsec):
    """Wide-field chips of WFPC2 and the oblong pixels of HRC are not of the nominal scale."""
    (chip,) = (chip for chip in instruments.get(name).chips if chip.number == number)
    assert chip.pixel_arcsec == pytest.approx(arcsec, rel=4e-3)


def test_the_coarsest_chip_has_the_largest_pixels():
    chips = {chip.number: chip.pixel_arcsec for chip in instruments.get("WFPC2").chips}
    coarsest = instruments.get("WFPC2").coarsest_chip
    assert coarsest.pixel_arcsec == max(chips.values()) > 2 * chips[1]
    alone = instruments.get("WFC3/IR")
    assert alone.coarsest_chip is alone.chips[0]
