"""Expressions that build on each other, in nested selects.

In one select, an alias is replaced by its expression wherever it is used, so a chain
of them grows without bound. Each layer here uses only what the one below has made.
"""

import re


class Layers:
    """Named expressions; each goes one layer above those that it names."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.names: dict[str, str] = {}
        self._levels: dict[str, int] = {}
        self._mine = re.compile(rf"\b{prefix}\d+\b")

    def name(self, expression: str) -> str:
        """Return the name of an expression; the same one twice has one name."""
        if expression not in self.names:
            below = [self._levels[used] for used in self._mine.findall(expression)]
            name = f"{self.prefix}{len(self.names)}"
            self.names[expression] = name
            self._levels[name] = max(below, default=-1) + 1
        return self.names[expression]

    def over(self, source: str) -> str:
        """Return the select that adds all of them to what `source` selects.

        >>> layers = Layers("s")
        >>> layers.name(f"{layers.name('1 + 1')} * 2")
        's1'
        >>> layers.over("SELECT 3")
        'SELECT *, s0 * 2 AS s1 FROM (SELECT *, 1 + 1 AS s0 FROM (SELECT 3))'
        """
        for level in range(max(self._levels.values(), default=-1) + 1):
            added = [
                f"{expression} AS {name}"
                for expression, name in self.names.items()
                if self._levels[name] == level
            ]
            source = f"SELECT *, {', '.join(added)} FROM ({source})"
        return source
