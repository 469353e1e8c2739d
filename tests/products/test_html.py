"""Pieces of a page: nothing that is shown can become HTML."""

from hst123r.products.html import Markup, cell, document, link, table

BAD = '<script>alert(1)</script>"&'


def test_text_is_escaped_and_markup_is_not():
    text = table(("a_b", "c"), [{"a_b": BAD, "c": Markup("<b>x</b>"), "id": 'x"y'}])
    assert "<script" not in text
    assert "<td><b>x</b></td>" in text
    assert '<tr id="x&quot;y">' in text
    assert '<th scope="col">a b</th>' in text
    assert "<script" not in link(BAD, BAD, name=BAD)
    assert "<script" not in document(BAD, "", [("a", BAD, "x")])


def test_sections_without_content_are_left_out():
    text = document("t", "", [("a", "A", ""), ("b", "B", "x")])
    assert 'href="#a"' not in text
    assert '<section id="b"><h2>B</h2>x</section>' in text


def test_numbers_are_shown_as_people_read_them():
    assert [cell(v) for v in (None, 1.23456, 1e-7, float("nan"), 12, "x", [1])] == [
        "", "1.235", "1e-07", "", "12", "x", "[1]",
    ]  # fmt: skip
    assert '<td class="n">1.235</td>' in table(("a",), [{"a": 1.23456}])
    assert '<td class="bad">bad</td>' in table(("a",), [{"a": "bad"}])


def test_a_place_without_an_address_is_no_link():
    assert link("x", "", name="here") == '<a id="here">x</a>'
