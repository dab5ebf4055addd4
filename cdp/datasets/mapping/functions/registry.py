"""How a function of the language is declared, documented and found."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cdp.datasets.mapping.errors import RowInvalid

MOST_CHARACTERS: Final = 100_000
_KINDS: Final[dict[Any, str]] = {
    type(None): "null",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "an array",
    dict: "an object",
}
Body = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Function:
    """A function as its users see it.

    `example` is an expression and what it gives; a test runs every one. With
    `takes_null` the body sees null arguments, else any null argument gives null.
    With `takes_now` the time at which the row came in is handed to it as well.
    """

    name: str
    area: str
    signature: str
    description: str
    example: tuple[str, Any] | None
    body: Body
    least: int
    most: int | None
    takes_null: bool
    takes_now: bool


FUNCTIONS: Final[dict[str, Function]] = {}


def function(
    signature: str,
    description: str,
    *,
    area: str,
    example: tuple[str, Any] | None = None,
    takes_null: bool = False,
    takes_now: bool = False,
    also: tuple[str, ...] = (),
) -> Callable[[Body], Body]:
    """Declare a function; `also` names its other spellings."""

    def declare(body: Body) -> Body:
        name = signature.partition("(")[0]
        least, most = _arity(body)
        for spelling in (name, *also):
            FUNCTIONS[spelling] = Function(
                name=spelling,
                area=area,
                signature=signature.replace(name, spelling, 1),
                description=description,
                example=example if spelling == name else None,
                body=body,
                least=least,
                most=most,
                takes_null=takes_null,
                takes_now=takes_now,
            )
        return body

    return declare


def text_of(value: Any) -> str:
    """Return a plain value as text, as it would be written in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise RowInvalid(f"A text is wanted here, not {kind_of(value)}.")


def whole_of(value: Any) -> int:
    """Return a whole number. Raises `RowInvalid`."""
    number = number_of(value)
    if isinstance(number, float) and not number.is_integer():
        raise RowInvalid(f"A whole number is wanted here, not {number}.")
    return int(number)


def number_of(value: Any) -> int | float:
    """Return a number, also from its text. Raises `RowInvalid`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RowInvalid(f"A number is wanted here, not {kind_of(value)}.")
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        number = float(value)
    except ValueError as error:
        raise RowInvalid(f"'{value[:40]}' is no number.") from error
    if number != number or number in (float("inf"), float("-inf")):
        raise RowInvalid(f"'{value[:40]}' is no number.")
    return number


def list_of(value: Any) -> list[Any]:
    """Return an array; a single value is an array of one."""
    return value if isinstance(value, list) else [value]


def object_of(value: Any) -> dict[str, Any]:
    """Return an object. Raises `RowInvalid`."""
    if not isinstance(value, dict):
        raise RowInvalid(f"An object is wanted here, not {kind_of(value)}.")
    return value


def kind_of(value: Any) -> str:
    """Name the kind of a value for people."""
    return next((name for kind, name in _KINDS.items() if type(value) is kind), "a date")


def bounded(text: str) -> str:
    """Return a text that is not unreasonably long. Raises `RowInvalid`."""
    if len(text) > MOST_CHARACTERS:
        raise RowInvalid(f"A text grew longer than {MOST_CHARACTERS:,} characters.")
    return text


def _arity(body: Body) -> tuple[int, int | None]:
    parameters = [
        parameter
        for parameter in inspect.signature(body).parameters.values()
        if parameter.name != "now"
    ]
    least = sum(
        parameter.default is parameter.empty and parameter.kind != parameter.VAR_POSITIONAL
        for parameter in parameters
    )
    many = any(parameter.kind == parameter.VAR_POSITIONAL for parameter in parameters)
    return least, None if many else len(parameters)
