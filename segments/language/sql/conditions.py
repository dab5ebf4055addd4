"""Conditions as SQL that is 0 or 1, never NULL."""

from abc import abstractmethod

from segments.language.ast import (
    All,
    Any,
    Condition,
    Constant,
    Happened,
    InSegment,
    Not,
    Sequence,
)
from segments.language.sql.frames import Frame
from segments.language.sql.single_tests import TestWriter


class ConditionWriter(TestWriter):
    """Writes conditions; what asks for events or segments is written by the subclass."""

    @abstractmethod
    def about_profile(self, node: Happened | Sequence | InSegment, frame: Frame) -> str:
        """Return a condition on a profile's events or segments."""

    def condition(self, node: Condition, frame: Frame) -> str:
        """Return a condition as SQL that is 0 or 1."""
        match node:
            case Constant(value):
                return "1" if value else "0"
            case All(of):
                return f"({' AND '.join(self.condition(child, frame) for child in of)})"
            case Any(of):
                return f"({' OR '.join(self.condition(child, frame) for child in of)})"
            case Not(of):
                return f"(NOT {self.condition(of, frame)})"
            case Happened() | Sequence() | InSegment():
                return self.about_profile(node, frame)
            case _:
                return self.test(node, frame)
