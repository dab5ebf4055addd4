"""How resources and fields are called."""

import re
from collections.abc import Iterable, Iterator

from cdp.schemas.registry.problems import Problem

# Ids keep the form of the public XDM registry, so that a schema exported here
# can be read by other XDM tools and theirs can be read here.
NAMESPACE_ROOT = "https://ns.adobe.com/"

FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
MAX_NAME = 128


def alt_id(uri: str) -> str:
    """Write a `$id` without slashes, to stand in a path.

    >>> alt_id("https://ns.adobe.com/xdm/context/profile")
    '_xdm.context.profile'
    """
    rest = uri.removeprefix(NAMESPACE_ROOT)
    rest = re.sub(r"^[a-z]+://", "", rest)
    return "_" + rest.strip("/").replace("/", ".")


def tenant_uri(tenant: str, collection: str, key: str) -> str:
    """Make the `$id` of a tenant's own resource.

    >>> tenant_uri("luma", "schemas", "4f2a")
    'https://ns.adobe.com/luma/schemas/4f2a'
    """
    return f"{NAMESPACE_ROOT}{tenant}/{collection}/{key}"


def tenant_root(tenant: str) -> str:
    """Name the root object that holds a tenant's own fields.

    >>> tenant_root("luma")
    '_luma'
    """
    return f"_{tenant}"


def check_field_name(name: str, path: str) -> Iterator[Problem]:
    """Refuse a name that stores, queries or other tools could not carry."""
    if not FIELD_NAME.fullmatch(name):
        yield Problem(
            "field-name",
            f"The field name {name!r} is not allowed: use letters, digits, '-' and '_', "
            "and begin with a letter or a digit.",
            path,
        )
    elif len(name) > MAX_NAME:
        yield Problem("field-name", f"A field name has at most {MAX_NAME} characters.", path)


def check_siblings(names: Iterable[str], path: str) -> Iterator[Problem]:
    """Refuse neighbours that differ only in case: columns would collide downstream."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            yield Problem(
                "case-clash",
                f"'{twin}' and '{name}' differ only in upper and lower case; rename one.",
                f"{path}.{name}" if path else name,
            )
