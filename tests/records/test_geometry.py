import pytest

from hst123r.records.geometry import MIN_MATCHES, PARAMETERS, least_matches


@pytest.mark.parametrize("geometry", PARAMETERS)
def test_a_number_wins_over_what_the_geometry_takes(geometry):
    assert least_matches(5, geometry) == 5
    assert least_matches(None, geometry) == MIN_MATCHES[geometry]
    # the match itself takes two pairs for each parameter
    assert MIN_MATCHES[geometry] >= 2 * PARAMETERS[geometry]


def test_more_parameters_take_more_matches():
    order = sorted(PARAMETERS, key=PARAMETERS.__getitem__)
    least = [MIN_MATCHES[geometry] for geometry in order]
    assert least == sorted(set(least))
