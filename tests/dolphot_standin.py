"""A small program that behaves as DOLPHOT does, with the truth of simulated exposures for its eyes.

It reads the parameter file and the headers of the images, and writes catalogue, columns and the
rest as DOLPHOT 2.0 does. `SETTINGS`, a JSON text, stands before this text in the program:
``truth`` (folder with the truth of exposures), ``fraction`` (of the light in its aperture, by
filter), ``ctmult``, and ``does``, what goes wrong.
"""

import csv
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

ZEROPOINT = 25.5
GLOBALS = (
    "Extension (zero for base image)", "Chip (for three-dimensional FITS image)",
    "Object X position on reference image (or first image, if no reference)",
    "Object Y position on reference image (or first image, if no reference)", "Chi for fit",
    "Signal-to-noise", "Object sharpness", "Object roundness",
    "Direction of major axis (if not round)", "Crowding",
    "Object type (1=bright star, 2=faint, 3=elongated, 4=hot pixel, 5=extended)",
)  # fmt: skip
BLOCK = (
    "{} counts", "{} sky level", "Normalized count rate", "Normalized count rate uncertainty",
    "Instrumental VEGAMAG magnitude", "Transformed UBVRI magnitude", "Magnitude uncertainty",
    "Chi", "Signal-to-noise", "Sharpness", "Roundness", "Crowding", "Photometry quality flag",
)  # fmt: skip
TRUTH = ("star", "ra", "dec", "extver", "x", "y", "rate")
NOISE = 12.0
"""Counts, of a star without light."""
EMPTY = "0.0 0.00 0.00e+00 9999.000 99.999 99.999 9.999 0.00 0.0 0.000 0.000 0.000 {flag}"


def read_image(name):
    """Return header and data of an image; astropy takes two seconds to import."""
    content = Path(f"{name}.fits").read_bytes()
    header, place = {}, 0
    while True:
        card = content[place : place + 80].decode("ascii")
        place += 80
        if card.startswith("END "):
            break
        if card[8] == "=":
            value = card[10:].strip()
            if value.startswith("'"):
                header[card[:8].strip()] = value[1:].partition("'")[0].strip()
            else:
                value = value.partition("/")[0].strip()
                if value not in {"T", "F", ""}:
                    header[card[:8].strip()] = float(value)
    shape = int(header["NAXIS2"]), int(header["NAXIS1"])
    begin = -(-place // 2880) * 2880
    data = np.frombuffer(content, ">f4", shape[0] * shape[1], begin)
    return header, data.reshape(shape)


def tangent_plane(header, ra, dec):
    """Return where a place is on a stack, in DOLPHOT's pixels."""
    ra, dec, ra0, dec0 = np.radians([ra, dec, header["CRVAL1"], header["CRVAL2"]])
    below = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0)
    east = np.cos(dec) * np.sin(ra - ra0) / below
    north = np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(ra - ra0)
    names = (("CD1_1", "CD1_2"), ("CD2_1", "CD2_2"))
    matrix = [[header.get(name, 0.0) for name in row] for row in names]
    x, y = np.linalg.solve(matrix, np.degrees([east, north / below]))
    return x + header["CRPIX1"] - 0.5, y + header["CRPIX2"] - 0.5


def read_truth(settings, image):
    """Return the rows of the truth of an exposure."""
    path = Path(settings["truth"]) / f"{image.partition('.chip')[0]}_truth.ecsv"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return [
        {name: float(value) for name, value in row.items() if name in TRUTH}
        for row in csv.DictReader(lines)
    ]


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def read_parameters(path):
    pairs = (line.split("=", 1) for line in Path(path).read_text().splitlines() if "=" in line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


class Image:
    """An image of the run, and what is on it."""

    def __init__(self, name, settings):
        self.name = name
        if len(name) > 70 or not Path(f"{name}.sky.fits").is_file():
            say(f"no sky map of {name}")
        header, self.data = read_image(name)
        if not any(key.startswith(("DOL_", "DOLWFPC2")) for key in header):
            raise SystemExit(f'Error reading "{name}.fits"')
        self.time, self.mjd = header["EXPTIME"], header["MJD-OBS"]
        self.filter = next(header[k] for k in ("FILTER", "FILTER1", "FILTER2")
                           if str(header.get(k, "CLEAR"))[:5] != "CLEAR")  # fmt: skip
        self.unit = settings["ctmult"]
        # its PSF holds all light; the correction goes to the aperture, which does not
        self.correction = -2.5 * float(np.log10(settings["fraction"][self.filter]))
        if settings["does"] == "no aperture corrections":
            self.correction = 0.0
        chip = int(name.partition(".chip")[2])
        truth = [row for row in read_truth(settings, name) if row["extver"] == chip]
        self.limits = header["BADPIX"], header["SATURATE"]
        self.rate = {int(row["star"]): row["rate"] for row in truth}
        self.place = {int(row["star"]): (row["x"], row["y"]) for row in truth}

    def counts(self, star):
        return self.rate[star] * self.time / self.unit

    def masked(self, star):
        x, y = (round(float(v)) for v in self.place[star])
        inside = 0 <= y < self.data.shape[0] and 0 <= x < self.data.shape[1]
        return not inside or not self.limits[0] < self.data[y, x] < self.limits[1]


def block(counts, error, image):
    zero = ZEROPOINT - 2.5 * np.log10(1 / image.time) + image.correction
    mag = zero - 2.5 * np.log10(counts) if counts > 0 else 99.999
    rate = counts * 10 ** (-0.4 * zero)
    rate_error = error * 10 ** (-0.4 * zero)
    mag_error = min(1.0857 * error / counts, 9.999) if counts > 0 else 9.999
    return (f"{counts:.1f} 10.00 {rate:.5e} {rate_error:.5e} {mag:.3f} 99.999 {mag_error:.3f} 1.00 "
            f"{counts / error:.1f} 0.010 0.020 0.000 0")  # fmt: skip


def measure(image, star, rng):
    """Return one star's block, its S/N, and counts."""
    if star is None:
        # a little light, so that there is a number
        counts = NOISE
    elif star not in image.rate or image.masked(star):
        return EMPTY.format(flag=9), 0.0
    else:
        counts = image.counts(star)
    error = float(np.hypot(NOISE, np.sqrt(max(counts, 0))))
    if star is not None:
        counts += rng.normal(0, error)
    return block(counts, error, image), counts / error


def write_columns(output, images):
    texts = list(GLOBALS)
    filters = [image.filter for image in images]
    several = sorted({name for name in filters if filters.count(name) > 1})
    for name in several:
        texts += [f"{text.format('Total')}, ACS_{name}" for text in BLOCK]
    for image in images:
        tail = f"{image.name} (ACS_{image.filter}, {image.time:.1f} sec)"
        texts += [f"{text.format('Measured')}, {tail}" for text in BLOCK]
    Path(f"{output}.columns").write_text(
        "".join(f"{number}. {text}\n" for number, text in enumerate(texts, 1))
    )
    return several


def write_info(output, images):
    lines = [f"{len(images)} sets of output data"]
    for image in images:
        lines += [image.name, f" {image.mjd:.8f}"]
    lines += ["", "EXTENSION 0 CHIP 1", "Limits", " 0 100 0 100", "* ACS-specific info"]
    lines += [f"* image {n}: {i.filter} 1 {i.time:.6f}" for n, i in enumerate(images, 1)]
    lines += ["Alignment", *(" 0.010000 0.020000 1.000000 0.000000 0.000000" for _ in images)]
    lines += ["Aperture corrections", *(f"  {image.correction or -0.0:.6f}" for image in images)]
    Path(f"{output}.info").write_text("\n".join(lines) + "\n")


def stars_and_places(images, first, parameters, settings):
    """Return for every row its star, None for an empty place, and where it is."""
    sky = {}
    for image in images:
        for row in read_truth(settings, image.name):
            sky[int(row["star"])] = row["ra"], row["dec"]
    header, data = read_image(first)
    if first == images[0].name:
        places = {star: (x + 0.5, y + 0.5) for star, (x, y) in images[0].place.items()}
    else:
        places = {star: tangent_plane(header, *place) for star, place in sky.items()}
    places = {star: place for star, place in places.items()
              if 0 <= place[0] < data.shape[1] and 0 <= place[1] < data.shape[0]}  # fmt: skip
    if "xytfile" not in parameters:
        return [(star, *place) for star, place in places.items()]
    rows = []
    for line in Path(parameters["xytfile"]).read_text().splitlines():
        a, b = map(float, line.split()[2:4])
        if not (0 <= a < data.shape[1] and 0 <= b < data.shape[0]):
            os.kill(os.getpid(), signal.SIGSEGV)
        away = {star: np.hypot(p[0] - a, p[1] - b) for star, p in places.items()}
        star = min(away, key=away.get)
        rows.append((star if away[star] < 1 else None, a, b))
    return rows


def catalogue(images, several, rows, least, warm, dark):
    rng = np.random.default_rng(1)
    found = []
    for star, x, y in rows:
        blocks, snr = zip(*(measure(image, star, rng) for image in images), strict=True)
        total = float(np.sqrt(np.sum(np.square(snr))) * np.sign(np.sum(snr)))
        if dark and star is None:
            total = -1.0
        if total < least or total <= 0:
            if not warm:
                continue
            total, blocks = 0.0, [EMPTY.format(flag=16)] * len(images)
        means = [next(b for b, i in zip(blocks, images, strict=True) if i.filter == name)
                 for name in several]  # fmt: skip
        head = f"0 1 {x:7.2f} {y:7.2f} 1.00 {total:.1f} 0.010 0.020 40 0.000 1"
        found.append((total, " ".join([head, *means, *blocks])))
    found.sort(key=lambda item: -item[0])
    return [line for _, line in found], len(rows) - len(found)


def write_fake(images, several, parameters):
    """Put stars in and find them again where they are bright enough; those off are skipped."""
    rng = np.random.default_rng(int(parameters["randomseed"]))
    names = sorted({image.filter for image in images})
    lines = []
    for line in Path(parameters["fakestars"]).read_text().splitlines():
        _, _, x, y, *magnitudes = map(float, line.split())
        if len(magnitudes) != len(names):
            raise SystemExit("wrong number of magnitudes")
        if not 0 <= x < images[0].data.shape[1]:
            continue
        put, blocks, snr = [], [], []
        for image in images:
            mag = magnitudes[names.index(image.filter)]
            counts = 10 ** (-0.4 * (mag - ZEROPOINT - image.correction)) * image.time
            error = float(np.hypot(NOISE, np.sqrt(counts)))
            found = counts + rng.normal(0, error)
            put += [f"{counts:.1f}", f"{mag:.3f}"]
            blocks.append(block(found, error, image))
            snr.append(found / error)
        total = float(np.sqrt(np.sum(np.square(snr))))
        head = f"0 1 {x:7.2f} {y:7.2f} 1.00 {total:.1f} 0.010 0.020 40 0.000 1"
        if total < float(parameters["sigfinal"]):
            head = "0 1 0.00 0.00 0.00 0.0 0.000 0.000 0 0.000 1"
            blocks = [EMPTY.format(flag=16)] * len(images)
        means = [next(b for b, i in zip(blocks, images, strict=True) if i.filter == name)
                 for name in several]  # fmt: skip
        lines.append(" ".join([f"0 1 {x:.2f} {y:.2f}", *put, head, *means, *blocks]))
    Path(parameters["fakeout"]).write_text("".join(f"{line}\n" for line in lines))


def go_wrong(does, output):
    if does == "crash":
        say("** Chip 1 **")
        os.kill(os.getpid(), signal.SIGSEGV)
    if does == "no psf":
        say("Cannot open /d/acs/data/F606W.wfc1.psf")
        raise SystemExit(255)
    if does == "no memory":
        say("Memory allocation error")
        raise SystemExit(1)
    if does == "no star":
        Path(output).write_text("")
        for ending in (".columns", ".info", ".warnings"):
            Path(f"{output}{ending}").write_text("")
        say("0 stars written; 3 stars deleted")
        raise SystemExit(0)


def spoil(does, lines):
    """Return odd lines of a catalogue, and how many stars are lost with it."""
    if does == "one star":
        return lines[:1], len(lines) - 1
    fields = [line.split() for line in lines]
    if does == "nan sky":
        # the second column of the last block
        for row in fields:
            row[-12] = "nan"
    if does == "nan":
        fields[3][-2] = "nan"
    return [" ".join(row) for row in fields], 0


def main(settings):
    output, given = sys.argv[1], sys.argv[2]
    parameters = read_parameters(given.removeprefix("-p"))
    does, forced = settings["does"], "xytfile" in parameters
    if does.startswith("fake "):
        if "fakestars" in parameters:
            go_wrong(does.removeprefix("fake "), output)
    elif forced or not does.startswith("forced "):
        go_wrong(does.removeprefix("forced "), output)
    count = int(parameters["nimg"])
    images = [Image(parameters[f"img{n}_file"], settings) for n in range(1, count + 1)]
    first = parameters.get("img0_file", images[0].name)
    # one of a version to come, one of ours, and one of a file that DOLPHOT reads unasked
    say("Cannot match parameter name:\nMaxThreads")
    say("Cannot match parameter name:\nNegSky")
    say("Cannot match parameter name:\nUseCTE")
    if float(parameters["sigfinal"]) <= 0:
        say("SigFinal>0")
        return
    for n in range(1, count + 1):
        say(f"image {n}: 39 matched, 29 used, -0.01 -0.00 1.000000 0.00000 0.000, sig=0.02")
    if parameters.get("alignonly") == "1":
        Path(f"{output}.align").write_text("")
        Path(f"{output}.warnings").write_text("")
        return
    several = write_columns(output, images)
    if "fakestars" in parameters:
        write_fake(images, several, parameters)
        return
    write_info(output, images)
    Path(f"{output}.warnings").write_text(f"Only 39 stars for alignment\nOnly 12 aperture stars "
                                          f"in image 1, {images[0].name}\n")  # fmt: skip
    rows = stars_and_places(images, first, parameters, settings)
    dark = does == "dark"
    lines, deleted = catalogue(images, several, rows, float(parameters["sigfinal"]), forced, dark)
    lines, lost = spoil(does, lines)
    if does == "columns of another run":
        text = Path(f"{output}.columns").read_text()
        Path(f"{output}.columns").write_text("".join(text.splitlines(keepends=True)[:-13]))
    if does == "files of another run":
        # with as many images
        for path in (Path(f"{output}.columns"), Path(f"{output}.info")):
            path.write_text(path.read_text().replace(images[-1].name, "another.chip1"))
    text = "".join(f"{line}\n" for line in lines)
    Path(output).write_text(text[:-20] if does == "cut" else text)
    say(f"{len(lines)} stars written; {deleted + lost} stars deleted")


if __name__ == "__main__":
    main(json.loads(SETTINGS))  # noqa: F821  (stands before this text)
