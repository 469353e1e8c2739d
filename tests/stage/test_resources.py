"""What jobs take of the machine."""

from hst123r.stage.resources import Cores, Forecast


def test_a_job_uses_one_core_where_nothing_else_is_said():
    assert Cores() == Cores(most=1, memory_mb=0.0)


def test_a_forecast_is_a_sentence():
    text = Forecast((200, 300), 1200.4, 80.0, 20.0).text
    assert text == (
        "300 x 200 pixels, 1200 MB of memory, 80 MB on disk and 20 MB more while it runs"
    )
    assert Forecast((1, 1), 1, 1, 1, "too large").text.endswith("made before changes that")
