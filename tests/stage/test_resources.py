"""What jobs take of the machine."""

from hst123r.stage.resources import Cores, Forecast, in_words


def test_a_job_uses_one_core_where_nothing_else_is_said():
    assert Cores() == Cores(most=1, memory_mb=0.0)


def test_forecasts_are_a_line_for_all():
    one, wider = Forecast((200, 300), 1200.4, 80.0, 20.0), Forecast((200, 310), 1200.4, 70.0, 40.0)
    assert in_words([one]) == "300 x 200 pixels, 1200 MB of memory, 100 MB of disk"
    assert in_words([one, one]) == "each 300 x 200 pixels, 1200 MB of memory, 100 MB of disk"
    # of each number the largest, whichever job has it
    assert in_words([wider, one]) == "up to 310 x 200 pixels, 1200 MB of memory, 110 MB of disk"
    assert in_words([Forecast((1, 1), 1, 1, 1, "too large")]).endswith("made before changes that")
