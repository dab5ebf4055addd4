"""Where computed attributes stand in the merged view."""

from collections.abc import Mapping
from typing import Any

from profiles.computed.definition import ROOT
from profiles.identity.fragment import Document


def with_computed(document: Document, values: Mapping[str, Any], tenant: str) -> Document:
    """Put computed values beside what datasets say, under the organization's own root."""
    if not values:
        return document
    own = document.get(f"_{tenant}")
    return {**document, f"_{tenant}": {**(own if isinstance(own, dict) else {}), ROOT: values}}
