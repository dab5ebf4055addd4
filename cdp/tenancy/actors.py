"""The actor: who does something, with what permissions, in which request."""

from dataclasses import dataclass, field
from typing import Self

from cdp.tenancy.errors import PermissionMissing
from cdp.tenancy.permissions import ALL


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a credential, an operator, a write key, or the system itself.

    `permissions` are those held in the sandbox of the present request; an actor
    made for one sandbox is never reused for another.
    """

    kind: str
    id: str
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    organization_id: str | None = None
    request_id: str = ""

    @classmethod
    def system(cls, name: str) -> Self:
        """Make the actor of work that nobody asked for in person, such as `segments.recheck`."""
        return cls(kind="system", id=name, name=name, permissions=ALL)

    def require(self, permission: str) -> None:
        """Raise `PermissionMissing` unless this actor holds the permission."""
        if permission not in self.permissions:
            raise PermissionMissing(permission)
