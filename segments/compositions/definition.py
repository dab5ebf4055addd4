"""What a composition is made of: frozen values, in the order in which they apply."""

from dataclasses import dataclass
from typing import Literal

from segments.language.ast import Condition, Scalar

Join = Literal["union", "intersection", "in_one_only"]
Order = Literal["ascending", "descending"]


@dataclass(frozen=True, slots=True)
class FromSegment:
    """The members of a segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class FromRule:
    """Those who satisfy a rule."""

    rule: Condition


@dataclass(frozen=True, slots=True)
class Joined:
    """Several parts: in any of them, in all of them, or in some of them but not in all."""

    how: Join
    of: "tuple[Part, ...]"


@dataclass(frozen=True, slots=True)
class Excluded:
    """One part without another."""

    of: "Part"
    without: "Part"


Part = FromSegment | FromRule | Joined | Excluded


@dataclass(frozen=True, slots=True)
class Rank:
    """The first so many by an attribute; who lacks it has no rank."""

    by: str
    order: Order
    limit: int


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Attributes of the record whose field `match` equals an attribute `key` of the person."""

    dataset: str
    key: str
    match: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShareBranch:
    """So many hundredths of a percent of the people."""

    key: str
    name: str
    parts: int


@dataclass(frozen=True, slots=True)
class ValueBranch:
    """The people with one of these values; with none, everybody whom no other branch takes."""

    key: str
    name: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class SplitByShare:
    """Branches of given shares; what they leave of 100 percent is in none of them."""

    branches: tuple[ShareBranch, ...]


@dataclass(frozen=True, slots=True)
class SplitByValue:
    """Branches by the value of an attribute."""

    attribute: str
    branches: tuple[ValueBranch, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """Who, in which order and how many, with what beside, and into which branches."""

    of: Part
    rank: Rank | None = None
    enrich: tuple[Enrichment, ...] = ()
    split: SplitByShare | SplitByValue | None = None
