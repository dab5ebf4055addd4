"""Public ids: opaque text with a type prefix that sorts by creation."""

import secrets
import time
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _TextField = models.CharField[str, str]
else:  # generic for the type checker only
    _TextField = models.CharField

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # no i, l, o, u: an id read aloud stays the same


def new_id(prefix: str) -> str:
    """Make an id such as `seg_01hv...`: 48 bits of milliseconds, then 80 random bits.

    >>> new_id("seg") < new_id("seg") or True
    True
    >>> len(new_id("seg"))
    30
    """
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return f"{prefix}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


class PublicIdField(_TextField):
    """A text primary key that makes its own value."""

    def __init__(self, *args: Any, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.setdefault("max_length", 40)
        kwargs.setdefault("primary_key", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "prefix": self.prefix}

    def get_default(self) -> str:
        return new_id(self.prefix)

    def has_default(self) -> bool:
        return True
