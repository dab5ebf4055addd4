"""The standard resources that every sandbox has: read from files, never changed."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cdp.schemas.registry.resources import Kind, Resource

FOLDER = Path(__file__).parent.parent / "catalogue"

PROFILE_CLASS = "https://ns.adobe.com/xdm/context/profile"
EVENT_CLASS = "https://ns.adobe.com/xdm/context/experienceevent"
RECORD = "https://ns.adobe.com/xdm/data/record"
TIME_SERIES = "https://ns.adobe.com/xdm/data/time-series"
IDENTITY_MAP_GROUP = "https://ns.adobe.com/xdm/context/identitymap"
SEGMENT_MEMBERSHIP_GROUP = "https://ns.adobe.com/xdm/context/profile-segmentation"


@cache
def standard_resources() -> Mapping[str, Resource]:
    """Give the standard resources by `$id`, in the order of their files."""
    documents = (json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*/*.json")))
    return MappingProxyType({document["$id"]: _resource(document) for document in documents})


def standard_document(uri: str) -> Mapping[str, Any] | None:
    """Find the document of a standard resource."""
    resource = standard_resources().get(uri)
    return resource.document if resource else None


def _resource(document: dict[str, Any]) -> Resource:
    return Resource(
        kind=Kind(document["meta:resourceType"]),
        uri=document["$id"],
        title=document["title"],
        document=document,
        standard=True,
    )
