"""What users wrote, as parameters of a statement."""

from collections.abc import Iterable
from typing import Any


class Parameters:
    """Values by name; the same value twice is one parameter."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._names: dict[tuple[str, Any], str] = {}

    def text(self, value: str) -> str:
        """Return the placeholder of a text.

        >>> parameters = Parameters()
        >>> parameters.text("gold"), parameters.text("gold"), parameters.values
        ('{v0:String}', '{v0:String}', {'v0': 'gold'})
        """
        return self._placeholder("String", value, value)

    def texts(self, values: Iterable[str]) -> str:
        """Return the placeholder of a list of texts."""
        listed = list(values)
        return self._placeholder("Array(String)", tuple(listed), listed)

    def numbers(self, values: Iterable[int]) -> str:
        """Return the placeholder of a list of ids."""
        listed = list(values)
        return self._placeholder("Array(UInt64)", tuple(listed), listed)

    def _placeholder(self, kind: str, key: Any, value: Any) -> str:
        name = self._names.setdefault((kind, key), f"v{len(self._names)}")
        self.values[name] = value
        return f"{{{name}:{kind}}}"
