"""Artificial stars: put into the images by DOLPHOT, and looked for as all others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.photometers.dolphot_fake_places import (
    filter_order,
    main_filter,
    on_images,
    places,
)
from hst123r.photometers.dolphot_field import RUN, Field
from hst123r.photometers.dolphot_params import FakeParams
from hst123r.records.exposure import group_name
from hst123r.records.outcome import Caveat, Measurement, Product

if TYPE_CHECKING:
    from hst123r.products.dolphot.columns import Layout
    from hst123r.products.dolphot.info import Info
    from hst123r.products.dolphot.measurements import Converted, ImageNote
    from hst123r.sources.measured import Measurements

KIND: Final = "artificial stars"
MOST_BATCHES: Final = 8
FEWEST_STARS: Final = 100
"""In a batch: each reads all images anew, which has to be worth it."""


@dataclass(frozen=True, eq=False)
class Known:
    """What a run found out that artificial stars need.

    Parameters
    ----------
    layout, info : Layout, Info
        Of the run.
    notes : list of ImageNote
        One for each image.
    converted : Converted
        For DOLPHOT's zeropoints.
    """

    layout: Layout
    info: Info
    notes: list[ImageNote]
    converted: Converted

    def offset(self, image: int) -> float:
        """Return DOLPHOT's magnitude less the AB magnitude of a star on an image."""
        note = self.notes[image]
        beyond = self.converted.beyond_mags[image]
        return self.converted.zeropoints[image] - note.zeropoint_ab - beyond


def artificial_stars(
    field: Field, known: Known
) -> tuple[list[Product], list[Measurement], list[Caveat]]:
    """Put artificial stars into the images, and say what became of them.

    Parameters
    ----------
    field : Field
        The field, after its run.
    known : Known
        What that found out.

    Returns
    -------
    products : list of Product
        A table of bins, one of stars, and a plot for each detector and filter.
    measurements : list of Measurement
        The magnitudes where half of the stars are found.
    caveats : list of Caveat
        If DOLPHOT wrote about fewer stars than were on its images.

    Raises
    ------
    InputError
        If a filter has no zeropoint, or no star can be put anywhere.
    """
    import numpy as np

    fake = field.params.dolphot.fake
    assert fake is not None
    bands = [(place.exposure.detector, place.exposure.band) for place in field.chips]
    order = filter_order(field)
    first = {name: bands.index(name) for name in bands}
    lines = list(star_lines(field, fake, known, order, first))
    tables = _run(field, fake, lines)
    asked = np.array([line.split()[2:4] for line in lines], float)
    expected = int(np.count_nonzero(on_images(field, range(len(field.chips)), *asked.T)))
    products, measured, written = _outcome(field, fake, known, tables)
    caveats = []
    if written < expected:
        text = f"of {expected} artificial stars on its images DOLPHOT wrote about {written}"
        caveats.append(Caveat("dolphot_artificial_stars_missing", text))
    return products, measured, caveats


def star_lines(
    field: Field,
    fake: FakeParams,
    known: Known,
    order: Sequence[tuple[str, str]],
    first: dict[tuple[str, str], int],
) -> Iterator[str]:
    """Yield the lines of the list of artificial stars: place, and a magnitude for each filter.

    Parameters
    ----------
    field, fake, known : Field, FakeParams, Known
        The field, what is wanted, and what is known.
    order : sequence of (str, str)
        Modules and filters, as by :func:`filter_order`.
    first : dict
        Number of the first image of each detector and filter.

    Yields
    ------
    str
        A line.
    """
    import numpy as np

    random = np.random.default_rng(fake.seed)
    x, y = places(field, fake, random)
    low, high = (value.to("mag") for value in fake.magnitudes)
    magnitude = random.uniform(low, high, x.size)
    main = main_filter(fake, field.job, {name for _, name in order})
    columns = []
    for module, name in order:
        image = next(
            number for (detector, through), number in first.items()
            if through == name and instruments.get(detector).dolphot.mask.module == module
        )  # fmt: skip
        offset = known.offset(image)
        if not math.isfinite(offset):
            raise InputError(
                f"{known.layout.images[image].image} has no zeropoint, or no star to find it from",
                where=field.job.label, hint="Without it there is no magnitude for artificial stars",
            )  # fmt: skip
        least, most = (value.to("mag") for value in fake.colours)
        colour = random.uniform(least, most, x.size) if name != main else np.zeros(x.size)
        columns.append(magnitude + colour + offset)
    for row in range(x.size):
        told = " ".join(f"{column[row]:.3f}" for column in columns)
        yield f"0 1 {x[row]:.2f} {y[row]:.2f} {told}\n"


def batches_of(stars: int) -> int:
    """Return in how many batches some stars are done; by their number alone.

    The batches decide which random numbers a star gets, so they must not depend on the machine.

    Parameters
    ----------
    stars : int
        How many stars.

    Returns
    -------
    int
        At least 1.
    """
    return max(1, min(MOST_BATCHES, stars // FEWEST_STARS))


def _run(field: Field, fake: FakeParams, lines: list[str]) -> list[Path]:
    """Run DOLPHOT on the stars in batches, as many at once as there are cores."""
    from hst123r.external.dolphot import run_fake

    count = batches_of(len(lines))
    names = [f"fake{number}" for number in range(count)]
    for number, name in enumerate(names):
        (field.folder / f"{name}.list").write_text("".join(lines[number::count]), encoding="ascii")
        field.write_parameters(
            name,
            {"FakeStars": f"{name}.list", "FakeOut": f"{name}.out",
             "RandomSeed": float(fake.seed + number),
             "FakeMatch": fake.match.to("pix"), "FakePSF": fake.psf_fwhm.to("pix")},
        )  # fmt: skip

    def work(name: str) -> Path:
        run_fake(
            field.folder, f"{RUN}.phot", f"{name}.param", program=field.program,
            log_name=f"{name}.log",
        )  # fmt: skip
        return field.folder / f"{name}.out"

    with ThreadPoolExecutor(min(field.context.cores, count)) as pool:
        return list(pool.map(work, names))


def _outcome(
    field: Field, fake: FakeParams, known: Known, paths: Sequence[Path]
) -> tuple[list[Product], list[Measurement], int]:
    from dataclasses import replace

    import numpy as np

    from hst123r.products.dolphot.catalogue import joined
    from hst123r.products.dolphot.fake import read_fake
    from hst123r.products.dolphot.measurements import convert

    products: list[Product] = []
    measured: list[Measurement] = []
    read = [read_fake(path, known.layout) for path in paths]
    x, y = (np.concatenate([getattr(item, name) for item in read]) for name in ("x", "y"))
    put = np.concatenate([item.mag for item in read])
    again = np.concatenate([item.recovered for item in read])
    if not x.size:
        raise InputError(
            "DOLPHOT put no artificial star into any image", where=field.job.label,
            hint="They lay outside of all images; see the log of the job",
        )  # fmt: skip
    # zeropoints are those of the run: a batch may hold no bright star
    notes = [
        replace(note, zeropoint_dolphot=zeropoint)
        for note, zeropoint in zip(known.notes, known.converted.zeropoints, strict=True)
    ]
    catalogue = read[0].found
    for item in read[1:]:
        catalogue = joined(catalogue, item.found)
    converted = convert(catalogue, known.info, notes, len(field.exposures))
    groups: dict[tuple[str, str], list[int]] = {}
    for number, place in enumerate(field.chips):
        groups.setdefault((place.exposure.detector, place.exposure.filter), []).append(number)
    for (detector, through), images in sorted(groups.items()):
        magnitude = put[:, images[0]] - known.offset(images[0])
        rows = sorted({field.chips[image].number for image in images})
        there = on_images(field, images, x, y)
        product, half = _product(
            field, fake, (detector, through), (x, y, magnitude, again, there), converted.found, rows
        )
        products.append(product)
        measured.append(Measurement("half_complete_at", half, "mag", subject=product.name))
    measured.append(Measurement("artificial_stars", int(x.size)))
    return products, measured, int(x.size)


def _product(
    field: Field,
    fake: FakeParams,
    about: tuple[str, str],
    stars: tuple[Any, Any, Any, Any, Any],
    found: Measurements,
    rows: list[int],
) -> tuple[Product, float]:
    """Write what became of the stars in one detector and filter."""
    import numpy as np

    from hst123r.products.completeness import bins_of, magnitude_at, plot, write_bins, write_stars
    from hst123r.sources.measured import mean_fluxes

    detector, through = about
    x, y, magnitude, again, there = stars
    mjd = np.array([exposure.middle_mjd for exposure in field.exposures])
    times = np.array([exposure.exposure_time_s for exposure in field.exposures])
    means = mean_fluxes(found, rows, mjd, times, field.params.limit_snr)
    recovered = again & np.isfinite(means.mag)
    # a star that is on no image of this filter says nothing about it
    bins = bins_of(
        magnitude[there], means.mag[there], means.mag_error[there], recovered[there],
        fake.bin.to("mag"),
    )  # fmt: skip
    half = magnitude_at(bins, 0.5)
    label = group_name(field.job.labels["field"], instruments.get(detector).slug, through)
    labels = {"field": field.job.labels["field"], "detector": detector, "filter": through}
    files = {
        "table": field.context.product(f"{label}_completeness.ecsv"),
        "stars": field.context.product(f"{label}_artificial_stars.ecsv"),
        "plot": field.context.product(f"{label}_completeness.png"),
    }
    meta = {**labels, "seed": fake.seed, "positions": fake.positions, "limit_snr":
            field.params.limit_snr}  # fmt: skip
    write_bins(files["table"], bins, meta)
    every = {
        "x": x, "y": y, "mag_in": magnitude, "flux": means.combined.flux,
        "flux_err": means.combined.error, "mag_ab": means.mag, "recovered": recovered.astype(int),
    }  # fmt: skip
    write_stars(files["stars"], {name: array[there] for name, array in every.items()}, meta)
    count = int(np.count_nonzero(there))
    plot(files["plot"], bins, title=f"{label}, {count} artificial stars")
    facts = {"stars": count, "half_complete_at": half if math.isfinite(half) else None}
    paths = {role: str(path) for role, path in files.items()}
    return Product(KIND, label, labels, paths, facts), half
