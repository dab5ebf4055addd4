"""The actor: who does something, with what permissions, in which request."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from cdp.tenancy.errors import PermissionMissing
from cdp.tenancy.permissions import ALL


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a credential, an operator, a write key, or the system itself.

    `permissions` are those held in the sandbox of the present request; an actor
    made for one sandbox is never reused for another. `labels` are those of data that it
    may see, None where nothing is kept from it.
    """

    kind: str
    id: str
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    organization_id: str | None = None
    request_id: str = ""
    labels: frozenset[str] | None = None

    @classmethod
    def system(cls, name: str) -> Self:
        """Make the actor of work that nobody asked for in person, such as `segments.recheck`."""
        return cls(kind="system", id=name, name=name, permissions=ALL)

    def require(self, permission: str) -> None:
        """Raise `PermissionMissing` unless this actor holds the permission."""
        if permission not in self.permissions:
            raise PermissionMissing(permission)

    def may_see(self, labels: Iterable[str]) -> bool:
        """Tell whether data with these labels are shown to this actor: it carries all of them."""
        return self.labels is None or self.labels.issuperset(labels)
