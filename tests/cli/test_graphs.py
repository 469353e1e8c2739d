"""A lineage as lines, as Mermaid and as a drawing."""

from xml.etree import ElementTree as ET

import pytest

from hst123r.cli import graphs


def job(number, name, *, current=True):
    return {"job": number, "name": name, "run": 1, "current": current}


def link(way, reader, maker, name, path):
    return {"way": way, "job": reader, "made_by": maker, "kind": "file", "name": name,
            "path": path, "role": "science"}  # fmt: skip


@pytest.fixture
def found():
    return {
        "what": "c", "found": "a job", "roots": [4], "points": [],
        "jobs": [job(1, "fetch:a"), job(2, "align:a", current=False), job(3, "stars:a"),
                 job(4, "stack:<c>"), job(5, "report:r")],
        "links": [
            link("up", 4, 2, "a", "align/a.fits"), link("up", 4, 3, "a", "stars/a.fits"),
            link("up", 2, 1, "a", "raw/a.fits"), link("up", 3, 2, "a", "align/a.fits"),
            link("up", 1, None, "a", "/data/a&b.fits"), link("down", 5, 4, "c", "c.fits"),
        ],
        "ends": [{"path": "/data/a&b.fits", "made_by": None, "uri": None}],
    }  # fmt: skip


def test_a_tree_shows_each_branch_once(found):
    assert list(graphs.tree(found)) == [
        "c: a job",
        "made from:",
        "└─ stack:<c> #4 (run 1)",
        "   ├─ align:a #2 (run 1, superseded)  [file a]",
        "   │  └─ fetch:a #1 (run 1)  [file a]",
        "   │     └─ /data/a&b.fits",
        "   └─ stars:a #3 (run 1)  [file a]",
        "      └─ align:a #2 (run 1, superseded)  [file a] (above)",
        "used by:",
        "└─ stack:<c> #4 (run 1)",
        "   └─ report:r #5 (run 1)  [file c]",
        "ends at 1 files:",
        "  /data/a&b.fits",
    ]


def test_mermaid_has_every_node_and_arrow_once(found):
    lines = graphs.mermaid(found).splitlines()
    assert lines[0] == "flowchart LR"
    assert '    j4["stack:&lt;c&gt; &num;4 (run 1)"]' in lines
    assert '    f0(["/data/a&amp;b.fits"])' in lines
    arrows = [line.strip() for line in lines if "-->" in line]
    assert sorted(arrows) == [
        "f0 --> j1", "j1 --> j2", "j2 --> j3", "j2 --> j4", "j3 --> j4", "j4 --> j5"
    ]  # fmt: skip


def test_a_drawing_has_columns_from_left_to_right(found):
    root = ET.fromstring(graphs.svg(found))
    space = "{http://www.w3.org/2000/svg}"
    place = {
        group.find(f"{space}title").text: float(group.find(f"{space}rect").get("x"))
        for group in root.iter(f"{space}g")
    }
    order = ["/data/a&b.fits", "fetch:a #1 (run 1)", "align:a #2 (run 1, superseded)",
             "stars:a #3 (run 1)", "stack:<c> #4 (run 1)", "report:r #5 (run 1)"]  # fmt: skip
    assert sorted(place, key=place.get) == order
    assert len(list(root.iter(f"{space}path"))) == 6
