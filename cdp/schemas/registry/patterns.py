r"""Regular expressions that mean the same in every engine a pattern may meet.

A schema's `pattern` is read by Rust's regex at the doors, by RE2 in rules, by
Python's `re` in other people's tools and by ECMAScript in browsers. They agree on
a subset, which is what a schema may use:

- literal characters; `.`; `[...]` and `[^...]` with ranges; `\d \w \s \D \W \S`
- `(...)`, `(?:...)`, `|`, `^`, `$`
- `* + ? {m} {m,} {m,n}`, also lazy; counts up to 1,000, nested ones multiplied
- escaped punctuation, `\t \n \r \f \v \0`, `\xHH`, `\uHHHH`

Classes are ASCII (`\d` is `[0-9]`), `.` is anything but a line's end, `$` is the
very end of the text. Look-around, back references, `\b`, `\p{...}`, flags and
set operations are refused. `portable` writes classes out, so that what is left
has one meaning everywhere.
"""

from cdp.schemas.registry.pattern_parser import Anchor, Choice, Node, Repeat, parse


def portable(pattern: str) -> str:
    r"""Write the pattern so that every engine reads it alike, or raise `NotPortable`.

    >>> portable("^[A-Z]{2}-\\d+$")
    '^[A-Z]{2}-[0-9]+$'
    """
    return _print_choice(parse(pattern))


def example(pattern: str, least: int = 0) -> str:
    """Make a text that the pattern finds itself in, of `least` characters where it can be.

    >>> example("^[A-Z]{2}-[0-9]+$")
    'AA-0'
    >>> example("^[a-z]*$", least=3)
    'aaa'
    """
    tree = parse(pattern)
    text = _write(tree, 0)
    for extra in range(1, least + 1):
        if len(text) >= least:
            break
        text = _write(tree, extra)
    return text


def _write(node: Node, extra: int) -> str:
    """Spell the node out, repeating what may be repeated `extra` times more than it must."""
    if isinstance(node, Anchor):
        return ""
    if isinstance(node, Choice):
        return "".join(_write(item, extra) for item in node.sequences[0])
    if isinstance(node, Repeat):
        count = node.least + extra
        return _write(node.item, 0) * (count if node.most is None else min(count, node.most))
    return next(filter(node.admits, _NICE), "") or chr(node.first())


_NICE = "Aa0-_/ "


def _print_choice(choice: Choice) -> str:
    return "|".join("".join(_print(item) for item in seq) for seq in choice.sequences)


def _print(node: Node) -> str:
    if isinstance(node, Anchor):
        return node.sign
    if isinstance(node, Choice):
        return f"(?:{_print_choice(node)})"
    if isinstance(node, Repeat):
        return _print(node.item) + _print_counts(node) + ("?" if node.lazy else "")
    (low, high), *more = node.ranges
    if not more and low == high and not node.negated:
        return _print_char(low, special="\\^$.|?*+()[]{}")
    inside = "".join(_print_range(low, high) for low, high in node.ranges)
    return f"[{'^' if node.negated else ''}{inside}]"


def _print_counts(node: Repeat) -> str:
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((node.least, node.most))
    if short:
        return short
    if node.most is None:
        return f"{{{node.least},}}"
    if node.most == node.least:
        return f"{{{node.least}}}"
    return f"{{{node.least},{node.most}}}"


def _print_range(low: int, high: int) -> str:
    special = "\\^-[]&~"
    if low == high:
        return _print_char(low, special)
    return f"{_print_char(low, special)}-{_print_char(high, special)}"


def _print_char(code: int, special: str) -> str:
    char = chr(code)
    if code < 0x20 or 0x7F <= code < 0xA0 or char in "&~":
        return f"\\x{code:02x}"
    return f"\\{char}" if char in special else char
