"""Reading JSON that every store behind us can hold, exactly as it was sent.

PostgreSQL refuses NUL characters, ClickHouse refuses a whole insert for one record of
hostile depth, and parsers quietly round long numbers and drop repeated keys; all of
these are refused here, with the reason, before anything is done.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import orjson
import re2

from cdp.errors import Malformed

MAX_DEPTH = 64
_PLAIN = bytes(set(range(256)) - set(b'{}[]"\\'))
_LONG_NUMBER = re2.compile(rb"[:,\[\s]-?[1-9][0-9]{18}|^-?[1-9][0-9]{18}")
_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1
_LONGEST_WHOLE: Final = 20  # characters of the longest whole number that fits


def read_json(body: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    r"""Return the value; raise `Malformed` for anything that is not plain JSON.

    Refuses NaN, infinities, lone surrogates, NUL characters, more than `max_depth`
    nested values, whole numbers of more than 64 bits, and a key that an object has
    twice.

    >>> read_json(b'{"a": [1, 2.5, "x"]}')
    {'a': [1, 2.5, 'x']}
    >>> read_json(b'["\\u0000"]')
    Traceback (most recent call last):
    cdp.errors.Malformed: The JSON holds the character NUL (\u0000), which cannot be stored.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not valid JSON: {error}.", code="malformed_json") from error
    # Only a suspicious body is walked.
    if _may_be_deeper(body, max_depth) and _depth(value) > max_depth:
        raise Malformed(f"The JSON nests deeper than {max_depth} levels.", code="json_too_deep")
    if b"\\u0000" in body and any("\0" in text for text in _texts(value)):
        raise Malformed(
            "The JSON holds the character NUL (\\u0000), which cannot be stored.",
            code="json_nul_character",
        )
    check_exact(body, value)
    return value


def check_exact(body: bytes, value: Any) -> None:
    """Raise `Malformed` if the value, as it was parsed, is not what the body says.

    A parser rounds a whole number that is too long and keeps only the last of two
    equal keys. Only a body that may hold either is read again, slowly.

    >>> check_exact(b'{"a": 1}', {"a": 1})
    """
    if not (_may_have_twins(body, value) or _LONG_NUMBER.search(body)):
        return
    try:
        json.loads(body, object_pairs_hook=_refuse_twins, parse_int=_refuse_long)
    except RecursionError as error:
        raise Malformed("The JSON nests too deep.", code="json_too_deep") from error


def _may_have_twins(body: bytes, value: Any) -> bool:
    """Tell whether a key may have been dropped: written anew, the value has fewer colons.

    Colons inside texts are in both, unless the body writes one as an escape.
    """
    if b"\\u003" in body:
        return True
    try:
        return body.count(b":") != orjson.dumps(value).count(b":")
    except TypeError:  # nested deeper than it can be written
        return True


def _may_be_deeper(body: bytes, max_depth: int) -> bool:
    """Tell whether valid JSON could nest deeper, at a small part of the price of walking it.

    Without texts that hold brackets or escapes, what is left of the body are its
    brackets; each round takes the innermost pairs out, at most two levels of them.
    """
    brackets = body.translate(None, _PLAIN).replace(b'""', b"")
    if b'"' in brackets or b"\\" in brackets:
        return True
    rounds = 0
    while brackets and 2 * rounds <= max_depth:
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        rounds += 1
    return 2 * rounds > max_depth


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len({key for key, _ in pairs}) < len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in keys if keys.count(key) > 1)
        raise Malformed(f"An object has the key '{twin}' twice.", code="json_duplicate_key")


def _refuse_long(digits: str) -> int:
    number = int(digits) if len(digits) <= _LONGEST_WHOLE else _MOST + 1
    if not _LEAST <= number <= _MOST:
        shown = digits if len(digits) <= 2 * _LONGEST_WHOLE else f"{digits[:20]}..."
        raise Malformed(
            f"The number {shown} does not fit into 64 bits; send it as a text.",
            code="json_number_too_big",
        )
    return number


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        node, level = waiting.pop()
        if isinstance(node, dict | list):
            deepest = max(deepest, level)
            children = node.values() if isinstance(node, dict) else node
            waiting.extend((child, level + 1) for child in children)
    return deepest


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            yield from node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
