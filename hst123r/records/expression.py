"""Conditions over the columns of a table, as a recipe writes them.

The grammar is a small part of Python's: names of columns, numbers, ``+ - * / **``, comparisons
(also ``0 < x < 1``), ``and or not``, parentheses, and the functions ``abs`` and ``sqrt``. Nothing
else is evaluated.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST: Final = 1000
"""Characters of an expression."""
_HIGHEST_POWER: Final = 8
_ARITHMETIC: Final[dict[type, Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
_ORDER: Final[dict[type, Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_FUNCTIONS: Final = ("abs", "sqrt")
Kind = Literal["a number", "a condition"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked condition.

    Parameters
    ----------
    text : str
        As written.
    body : ast.expr
        What it means.
    names : dict of str to int
        The columns it is about, and the character at which each first stands, from 1.
    """

    text: str
    body: ast.expr
    names: dict[str, int]

    def evaluate(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Return where the condition holds; comparisons with NaN do not hold.

        Parameters
        ----------
        columns : mapping of str to (n,) ndarray
            At least the columns of `names`.

        Returns
        -------
        (n,) ndarray of bool
            One element per row.
        """
        import numpy as np

        with np.errstate(all="ignore"):
            return np.asarray(_value(self.body, columns), np.bool_)


def parse(text: str) -> Expression:
    """Check a condition.

    Parameters
    ----------
    text : str
        The condition, for example ``snr > 5 and abs(sharpness) < 0.2``.

    Returns
    -------
    Expression
        What it means.

    Raises
    ------
    ValueError
        With the character at which it goes wrong.
    """
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    if not text.strip():
        raise ValueError("character 1: it is empty")
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        at = getattr(error, "offset", None) or 1
        raise ValueError(f"character {at}: this is no condition ({_reason(error)})") from error
    names: dict[str, int] = {}
    _check(body, "a condition", names)
    return Expression(text, body, names)


def _reason(error: Exception) -> str:
    return getattr(error, "msg", "") or str(error) or "too deep"


def _wrong(node: ast.AST, what: str) -> NoReturn:
    raise ValueError(f"character {getattr(node, 'col_offset', 0) + 1}: {what}")


def _check(node: ast.expr, wanted: Kind, names: dict[str, int]) -> None:
    """Check one part of a condition and all inside it."""
    kind: Kind = "a number"
    match node:
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            kind = "a condition"
            _check_condition(node, names)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inside):
            _check(inside, "a number", names)
        case ast.BinOp():
            _check_arithmetic(node, names)
        case ast.Call(func=ast.Name(id=name), args=[inside], keywords=[]) if name in _FUNCTIONS:
            _check(inside, "a number", names)
        case ast.Name(id=name):
            names.setdefault(name, node.col_offset + 1)
        case ast.Constant(value=value) if type(value) in (int, float):
            pass
        case _:
            what = ast.unparse(node)
            _wrong(node, f"{what!r} is not allowed; there are columns, numbers, abs() and sqrt()")
    if kind != wanted:
        _wrong(node, f"{ast.unparse(node)!r} is {kind} where {wanted} is wanted")


def _check_condition(node: ast.expr, names: dict[str, int]) -> None:
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check(value, "a condition", names)
    elif isinstance(node, ast.UnaryOp):
        _check(node.operand, "a condition", names)
    elif isinstance(node, ast.Compare):
        if any(type(op) not in _ORDER for op in node.ops):
            _wrong(node, "compare with < <= > >= == or !=")
        for value in (node.left, *node.comparators):
            _check(value, "a number", names)


def _check_arithmetic(node: ast.BinOp, names: dict[str, int]) -> None:
    if type(node.op) not in _ARITHMETIC:
        _wrong(node, "only + - * / and ** can stand between numbers; use `and`, `or`")
    if isinstance(node.op, ast.Pow) and not _small(node.right):
        _wrong(node.right, f"powers are whole numbers from 0 to {_HIGHEST_POWER}")
    _check(node.left, "a number", names)
    _check(node.right, "a number", names)


def _small(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and type(node.value) is int
        and 0 <= node.value <= _HIGHEST_POWER
    )


def _value(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    """Return the value of one part, which has been checked."""
    import numpy as np

    match node:
        case ast.BoolOp(op=op, values=values):
            parts = [_value(value, columns) for value in values]
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce(np.broadcast_arrays(*parts))
        case ast.UnaryOp(op=ast.Not(), operand=inside):
            return np.logical_not(_value(inside, columns))
        case ast.UnaryOp(op=sign, operand=inside):
            value = _value(inside, columns)
            return -value if isinstance(sign, ast.USub) else value
        case ast.Compare(left=left, ops=ops, comparators=others):
            chain = [_value(item, columns) for item in (left, *others)]
            found = [_ORDER[type(op)](chain[i], chain[i + 1]) for i, op in enumerate(ops)]
            return np.logical_and.reduce(np.broadcast_arrays(*found))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, columns), _value(right, columns))
        case ast.Call(func=ast.Name(id=name), args=[inside]):
            return getattr(np, name)(_value(inside, columns))
        case ast.Name(id=name):
            return np.asarray(columns[name], np.float64)
        case ast.Constant(value=value):
            return np.float64(value)  # type: ignore[arg-type]
    raise AssertionError(ast.dump(node))
