"""Which attributes people have, by the fields of their union schema. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from cdp.schemas.registry.fields import Field, may_hold
from profiles.identity.fragment import APART


def unknown_attributes(
    fields: Mapping[str, Field], chosen: Iterable[str], *, keys: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield the place of each path at which nobody can have a value, and what to say of it.

    With `keys` a path may name a key of a map or of a free object.
    """
    for place, path in enumerate(chosen):
        known = may_hold(fields, path) if keys else path in fields
        if not known or path.partition(".")[0] in APART:
            near = get_close_matches(path, fields, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            yield place, f"People have no field '{path}'.{hint}"
