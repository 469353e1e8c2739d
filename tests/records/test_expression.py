"""Conditions over columns."""

import numpy as np
import pytest

from hst123r.records.expression import parse

COLUMNS = {
    "snr": np.array([6.0, 1.0, np.nan, 20.0]),
    "sharpness": np.array([0.1, 0.0, 0.0, -0.5]),
    "kind": np.array([1, 2, 1, 3]),
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("snr > 5", [1, 0, 0, 1]),
        ("not snr > 5", [0, 1, 1, 0]),
        ("snr > 5 and abs(sharpness) < 0.2", [1, 0, 0, 0]),
        ("snr > 5 or kind == 2", [1, 1, 0, 1]),
        ("0 <= sharpness < 0.1", [0, 1, 1, 0]),
        ("sharpness ** 2 < 0.05 and kind != 1", [0, 1, 0, 0]),
        ("-sharpness + 2 * kind / 2 >= 2", [0, 1, 0, 1]),
        ("sqrt(snr) > 4", [0, 0, 0, 1]),
        ("1 < 2", [1, 1, 1, 1]),
    ],
)
def test_what_a_condition_means(text, holds):
    expression = parse(text)
    found = np.broadcast_to(expression.evaluate(COLUMNS), (4,))
    assert found.tolist() == [bool(one) for one in holds]
    assert set(expression.names) <= set(COLUMNS)


def test_it_knows_its_columns_and_where_they_stand():
    assert parse("snr > 5 and abs(sharpness) < snr").names == {"snr": 1, "sharpness": 17}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "character 1: it is empty"),
        ("snr", "character 1: 'snr' is a number where a condition is wanted"),
        ("snr >", "no condition"),
        ("snr > (kind < 2)", "character 8: 'kind < 2' is a condition where a number is wanted"),
        ("snr > 5 & kind < 3", "character 7: only + - * / and **"),
        ("snr ** 99 > 2", "character 8: powers are whole numbers from 0 to 8"),
        ("snr ** kind > 2", "powers are whole numbers"),
        ("__import__('os') > 1", "'__import__('os')' is not allowed"),
        ("snr.real > 1", "'snr.real' is not allowed"),
        ("snr[0] > 1", "is not allowed"),
        ("(lambda: 1)() > 0", "is not allowed"),
        ("'a' < 3", "is not allowed"),
        ("True", "is not allowed"),
        ("kind in snr", "compare with"),
        ("abs(snr, 2) > 1", "is not allowed"),
        ("snr > 1; kind", "no condition"),
        ("(" * 300 + "snr > 1" + ")" * 300, "no condition"),
        ("snr > 1 and " * 100 + "snr > 1", "longer than 1000 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        parse(text)
    assert said.replace("\\", "") in str(raised.value).replace('"', "'").replace("\\", "")
