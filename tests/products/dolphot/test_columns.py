from __future__ import annotations

import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot.columns import check_images, read_columns


@pytest.fixture
def parse(write):
    return lambda text: read_columns(write(text, "run.phot.columns"))


@pytest.mark.parametrize(
    ("name", "count", "combined", "images"),
    [
        ("generic/p2.phot", 45, [], [("sim1", "", "", 100.0), ("sim2", "", "", 300.0)]),
        (
            "wfc3_uvis/noref.phot", 89, [("", "F606W"), ("", "F814W")],
            [(f"iabc0{n}q_{b.lower()}_flc.chip1", "", b, t)
             for n, b, t in ((1, "F606W", 400.0), (2, "F606W", 400.0), (3, "F814W", 500.0),
                             (4, "F814W", 500.0))],
        ),
        (
            "acs_wfc3_multi/multi.phot", 102, [("ACS", "F606W"), ("", "F814W")],
            [("jabc01q_flc.chip1", "ACS", "F606W", 350.0),
             ("jabc02q_flc.chip1", "ACS", "F606W", 450.0),
             ("jabc03q_flc.chip1", "ACS", "F814W", 400.0),
             ("iabc03q_f814w_flc.chip1", "WFC3", "F814W", 500.0),
             ("iabc04q_f814w_flc.chip1", "WFC3", "F814W", 500.0)],
        ),
        (
            "wfpc2_pc/wfpc2.phot", 50, [("WFPC2", "F606W")],
            [("u1_c0m.chip1", "WFPC2", "F606W", 300.0), ("u2_c0m.chip1", "WFPC2", "F606W", 300.0)],
        ),
        ("public_real_acs_generic/j9ec41011_drz_dolphot", 28, [],
         [("j9ec41011_drz", "", "", 710.0)]),
        ("public_real_acs_generic/j9ec41afq_flc_dolphot", 28, [],
         [("j9ec41afq_flc", "", "", 355.0)]),
        # somebody put a comment into this one
        ("public_real_acs_generic/j9ec41aiq_flc_dolphot", 28, [],
         [("j9ec41aiq_flc", "", "", 355.0)]),
        ("public_real_acs_generic/version_multiext", 28, [],
         [("../../fits/j9ec41afq_flc", "", "", 355.0)]),
    ],
)  # fmt: skip
def test_real_files(samples, name, count, combined, images):
    layout = read_columns(samples / f"{name}.columns")
    assert layout.count == count
    assert [(b.camera, b.filter) for b in layout.combined] == combined
    assert [(b.image, b.camera, b.filter, b.exposure_time_s) for b in layout.images] == images
    assert layout.objects["type"] == 10
    assert "pass" not in layout.objects
    places = [p for b in (*layout.combined, *layout.images) for p in b.columns.values()]
    assert [*layout.objects.values(), *places] == list(range(count))


def test_twelve_columns_about_the_object(layout):
    assert layout.objects["pass"] == 11
    assert layout.count == 12 + 13 * 4
    assert layout.combined[0].columns["counts"] == 12
    assert layout.images[2].columns["flag"] == layout.count - 1
    assert [block.combined for block in (*layout.combined, *layout.images)] == [True] + [False] * 3


def test_a_column_of_a_version_to_come_is_kept(parse, made):
    text = made.columns(combined=(), images=made.images[:1])
    text += "26. Very new quantity (mas), a.chip1 (ACS_F606W, 350.0 sec)\n"
    assert parse(text).images[0].columns["very_new_quantity_mas"] == 25


@pytest.mark.parametrize(
    ("change", "line", "sentence"),
    [
        (lambda _: "", "", "no column"),
        (lambda text: text.replace("3. Object X", "4. Object X"), ":3", "description of column 3"),
        (lambda text: "hello\n" + text, ":1", "description of column 1"),
        (lambda text: "".join(text.splitlines(True)[:40]), ":40", "has no column for"),
        (lambda text: "".join(text.splitlines(True)[:12]), "", "describes no image"),
        (lambda text: text.replace("Object type", "Kind"), "", "no column for type"),
        (lambda text: text.replace("15. Normalized count rate, ACS_F606W", "15. Rate, b"), ":15",
         "within the columns of 'ACS_F606W'"),
        (lambda text: text.replace("ACS_F606W\n", "A-C-S\n"), ":13", "is no filter"),
    ],
)  # fmt: skip
def test_what_is_no_columns_file(parse, made, change, line, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        parse(change(made.columns()))
    assert caught.value.where.endswith(f"run.phot.columns{line}")


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_columns(tmp_path / "none.columns")


def test_columns_of_another_run(layout):
    check_images(layout, ["a.chip1", "b.chip1", "c.chip1"], "run.phot.info")
    with pytest.raises(InputError, match=r"another run.*image 2 is 'b.chip1' there and 'x' here"):
        check_images(layout, ["a.chip1", "x", "c.chip1"], "run.phot.info")
    with pytest.raises(InputError, match="it has 2 images and they have 3"):
        check_images(layout, ["a.chip1", "b.chip1"], "run.phot.info")
