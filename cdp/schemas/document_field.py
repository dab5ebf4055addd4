"""A JSON document as people wrote it: its keys keep their order, which `jsonb` would not."""

from typing import TYPE_CHECKING, Any

import orjson
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:  # generic for the type checker only
    _TextField = models.TextField


class DocumentField(_TextField):
    """JSON kept as text; it is read whole and never searched."""

    _pyi_private_set_type: Any  # what the type checker's plugin looks at
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Read the stored text."""
        return None if value is None else orjson.loads(value)

    def to_python(self, value: Any) -> Any:
        """Leave values alone: a document may itself be a text."""
        return value

    def get_prep_value(self, value: Any) -> str | None:
        """Write the value as text."""
        return None if value is None else orjson.dumps(value).decode()
