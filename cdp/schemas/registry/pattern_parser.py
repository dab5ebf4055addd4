"""The syntax of portable patterns: text in, tree out. `patterns` tells the subset."""

import re
from dataclasses import dataclass

MAX_LENGTH = 1000
MAX_COUNT = 1000
MAX_NESTING = 30

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Ranges = ((0x09, 0x0D), (0x20, 0x20))
_LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
_SYNTAX = set("\\^$.|?*+()[]{}/-")
_COUNT = re.compile(r"\{(\d{1,9})(,(\d{1,9})?)?\}")
_SURROGATES = (0xD800, 0xDFFF)


class NotPortable(ValueError):
    """The pattern is outside the subset; `at` is the position in its text."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(f"{reason} (at character {at + 1})")
        self.at = at


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of some ranges, or out of all others."""

    ranges: Ranges
    negated: bool = False

    def admits(self, char: str) -> bool:
        """Tell whether the class has this character."""
        return any(low <= ord(char) <= high for low, high in self.ranges) != self.negated

    def first(self) -> int:
        """Give the lowest character of the class."""
        return (complement(self.ranges) if self.negated else self.ranges)[0][0]


@dataclass(frozen=True, slots=True)
class Anchor:
    """The beginning or the end of the text."""

    sign: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item, several times; `most` is None where there is no upper end."""

    item: "Node"
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Sequences, of which one is taken."""

    sequences: tuple[tuple["Node", ...], ...]


Node = Chars | Anchor | Repeat | Choice


def parse(pattern: str) -> Choice:
    """Read a pattern of the subset, or raise `NotPortable`."""
    if len(pattern) > MAX_LENGTH:
        raise NotPortable(f"A pattern has at most {MAX_LENGTH} characters", MAX_LENGTH)
    return _Parser(pattern).whole()


class _Parser:
    """Recursive descent over the text of one pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def whole(self) -> Choice:
        choice = self.choice()
        if self.at < len(self.text):
            raise NotPortable("This ')' closes nothing; write '\\)' for the character", self.at)
        if _largest_count(choice) > MAX_COUNT:
            raise NotPortable(f"Nested counts multiply to more than {MAX_COUNT}", 0)
        return choice

    def choice(self) -> Choice:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise NotPortable(f"Groups nest at most {MAX_NESTING} deep", self.at)
        sequences = [self.sequence()]
        while self.take("|"):
            sequences.append(self.sequence())
        self.nesting -= 1
        return Choice(tuple(sequences))

    def sequence(self) -> tuple[Node, ...]:
        items: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            items.append(self.quantified(self.atom()))
        return tuple(items)

    def take(self, literal: str) -> bool:
        found = self.text.startswith(literal, self.at)
        self.at += len(literal) if found else 0
        return found

    def atom(self) -> Node:
        start, sign = self.at, self.text[self.at]
        self.at += 1
        if sign == "(":
            return self.group(start)
        if sign == "[":
            return self.char_class(start)
        if sign in "^$":
            return Anchor(sign)
        if sign == ".":
            return Chars(_LINE_ENDS, negated=True)
        if sign == "\\":
            return self.escape(in_class=False)
        if sign in "*+?":
            raise NotPortable(f"There is nothing for '{sign}' to repeat", start)
        if sign in "{}]":
            raise NotPortable(f"Write '\\{sign}' for the character '{sign}'", start)
        return _one(ord(sign))

    def group(self, start: int) -> Choice:
        if self.take("?") and not self.take(":"):
            raise NotPortable("Look-around, named groups and flags cannot be used", start)
        inner = self.choice()
        if not self.take(")"):
            raise NotPortable("This group is not closed", start)
        return inner

    def quantified(self, item: Node) -> Node:
        start = self.at
        counts = self.counts()
        if counts is None:
            return item
        if isinstance(item, Anchor):
            raise NotPortable("An anchor cannot be repeated", start)
        lazy = self.take("?")
        if self.text[self.at : self.at + 1] in tuple("*+?{"):
            raise NotPortable("A repetition cannot be repeated; use a group", self.at)
        return Repeat(item, *counts, lazy)

    def counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return counts
        match = _COUNT.match(self.text, self.at)
        if match is None:
            return None
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if least > MAX_COUNT or (most or 0) > MAX_COUNT:
            raise NotPortable(f"A count is at most {MAX_COUNT}", self.at)
        if most is not None and most < least:
            raise NotPortable("The smaller count comes first", self.at)
        self.at = match.end()
        return least, most

    def char_class(self, start: int) -> Chars:
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        while not self.take("]"):
            if self.at >= len(self.text):
                raise NotPortable("This character class is not closed", start)
            ranges.extend(self.class_item())
        if not ranges:
            raise NotPortable("An empty character class means different things", start)
        return Chars(_merged(ranges), negated)

    def class_item(self) -> Ranges:
        start = self.at
        if self.text[start : start + 2] in ("&&", "--", "~~"):
            raise NotPortable("Set operations cannot be used; write '\\-' for a hyphen", start)
        low = self.class_char()
        followed = self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at)
        if low.negated or len(low.ranges) != 1 or low.ranges[0][0] != low.ranges[0][1]:
            if followed:
                raise NotPortable("A range goes from one character to another", start)
            return complement(low.ranges) if low.negated else low.ranges
        if not followed:
            return low.ranges
        self.at += 1
        high = self.class_char()
        if high.negated or high.ranges[0][0] != high.ranges[-1][1]:
            raise NotPortable("A range goes from one character to another", start)
        if high.ranges[0][0] < low.ranges[0][0]:
            raise NotPortable("A range goes from the lower character to the higher", start)
        return ((low.ranges[0][0], high.ranges[0][0]),)

    def class_char(self) -> Chars:
        if self.at >= len(self.text):
            raise NotPortable("This character class is not closed", self.at)
        sign = self.text[self.at]
        self.at += 1
        if sign == "\\":
            return self.escape(in_class=True)
        if sign == "[":
            raise NotPortable("Write '\\[' for a bracket inside a class", self.at - 1)
        return _one(ord(sign))

    def escape(self, *, in_class: bool) -> Chars:
        start = self.at - 1
        sign = self.text[self.at : self.at + 1]
        self.at += 1
        if sign.lower() in _CLASSES and sign:
            return Chars(_CLASSES[sign.lower()], negated=sign.isupper())
        if sign in _CONTROLS and sign:
            if sign == "0" and self.text[self.at : self.at + 1].isdigit():
                raise NotPortable("Octal escapes cannot be used", start)
            return _one(_CONTROLS[sign])
        if sign in ("x", "u"):
            return _one(self.hexadecimal(2 if sign == "x" else 4, start))
        if sign in _SYNTAX and sign:
            return _one(ord(sign))
        where = " in a class" if in_class else ""
        raise NotPortable(f"The escape '\\{sign}'{where} is outside the common subset", start)

    def hexadecimal(self, digits: int, start: int) -> int:
        text = self.text[self.at : self.at + digits]
        if not re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", text):
            raise NotPortable(f"An escape of this kind has {digits} hexadecimal digits", start)
        self.at += digits
        code = int(text, 16)
        if _SURROGATES[0] <= code <= _SURROGATES[1]:
            raise NotPortable("Half of a surrogate pair is no character", start)
        return code


def _one(code: int) -> Chars:
    return Chars(((code, code),))


def _merged(ranges: list[tuple[int, int]]) -> Ranges:
    """Sort the ranges and join those that touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def complement(ranges: Ranges) -> Ranges:
    """Give every other character; surrogates are none."""
    gaps, start = [], 0
    for low, high in _merged([*ranges, _SURROGATES]):
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    return (*gaps, (start, 0x10FFFF))


def _largest_count(node: Node) -> int:
    """How often an innermost item is written out when all counts are unrolled."""
    if isinstance(node, Repeat):
        return max(node.least, node.most or 1, 1) * _largest_count(node.item)
    if isinstance(node, Choice):
        return max((_largest_count(item) for seq in node.sequences for item in seq), default=1)
    return 1
