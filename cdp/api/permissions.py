"""May the caller do this: each view names a permission for each action."""

from typing import Any, Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

ANY_CALLER: Final = "any-caller"  # whoever has a credential: `me/` and the like
OPERATOR: Final = "operator"  # operators of the installation only


class HasNamedPermission(BasePermission):
    """Refuses with the name of the permission that is missing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.action is None:
            return True  # no such method here; the answer is 405 whoever asks
        wanted = permission_of(view, view.action)
        if wanted == OPERATOR:
            return bool(view.caller.is_operator)
        if wanted != ANY_CALLER:
            view.actor.require(wanted)
        return True


def permission_of(view: Any, action: str) -> str:
    """Return the permission that an action of a view needs.

    A view without one is a programming error; `tests/test_architecture.py` looks at each.
    """
    permissions: dict[str, str] = view.permissions
    wanted = permissions.get(action) or permissions.get("*")
    if wanted is None:
        raise LookupError(f"{type(view).__name__} names no permission for '{action}'")
    return wanted
