"""Finding people by what their name, address or number begins with."""

from dataclasses import dataclass

from cdp.tenancy.models import Sandbox
from profiles.identity.terms import normalise_term
from profiles.sets import select

# The operators that compare bytes are leakproof, so they may use the index under
# row-level security; LIKE and lower() may not, and would read the whole sandbox.
SEARCH = """
SELECT profile_id, term FROM profiles_searchterm
WHERE sandbox_id = %(sandbox)s AND kind = %(kind)s
    AND term ~>=~ %(since)s AND term ~<~ %(until)s
    AND (term ~>~ %(since)s OR profile_id > %(after)s)
ORDER BY term USING ~<~, profile_id
LIMIT %(limit)s
"""
_LAST = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Found:
    """A profile, and the word under which it was found."""

    profile: int
    term: str


def search(
    sandbox: Sandbox, kind: str, text: str, *, limit: int, after: Found | None = None
) -> list[Found]:
    """Return profiles whose `kind` begins with the text, in the order of what was found."""
    beginning = normalise_term(kind, text)
    if not beginning:
        return []
    found = select(
        SEARCH,
        sandbox,
        kind=kind,
        since=after.term if after else beginning,
        after=after.profile if after else 0,
        until=beginning + _LAST,
        limit=limit,
    )
    return [Found(profile, term) for profile, term in found]
