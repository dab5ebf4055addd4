"""Reading JSON that every store behind us can hold.

PostgreSQL refuses NUL characters, ClickHouse refuses a whole insert for one record of
hostile depth; both are refused here, with the reason, before anything is done.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from cdp.errors import Malformed

MAX_DEPTH = 64
_PLAIN = bytes(set(range(256)) - set(b'{}[]"\\'))


def read_json(body: bytes, *, max_depth: int = MAX_DEPTH, unique_keys: bool = True) -> Any:
    r"""Return the value; raise `Malformed` for anything that is not plain JSON.

    Refuses NaN, infinities, lone surrogates, NUL characters, more than `max_depth`
    nested values and, unless told otherwise, a key that an object has twice. Doors
    that read thousands of records a second leave the last check out.

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
    if unique_keys:
        json.loads(body, object_pairs_hook=_refuse_twins)
    return value


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
