"""Refusals of tenancy."""

from cdp.errors import Conflict, DomainError, Forbidden


class SandboxNotSaid(RuntimeError):
    """A query on tenant rows did not begin with `for_sandbox` or `for_organization`.

    A programming error, never a client's: it must not be caught.
    """


class ScopeCrossed(RuntimeError):
    """A scope was opened inside the scope of another sandbox. A programming error."""


class Unauthenticated(DomainError):
    """No credential, or one that is expired, revoked or unknown."""

    code, status, title = "unauthenticated", 401, "Who are you?"


class PermissionMissing(Forbidden):
    """The caller's roles do not hold the permission that this needs."""

    code = "permission_missing"

    def __init__(self, permission: str) -> None:
        super().__init__(
            f"This needs the permission '{permission}' in this sandbox. Ask an administrator of "
            "your organization for a role that holds it.",
            permission=permission,
        )


class OperatorsOnly(Forbidden):
    """This concerns the installation, so no organization's credential may do it."""

    code = "operators_only"


class NameTaken(Conflict):
    """There is one of that name already."""

    code = "name_taken"


class SandboxGuarded(Conflict):
    """This is not done to the sandbox that every organization stands on."""

    code = "sandbox_guarded"


class SandboxResetting(Conflict):
    """The sandbox is being emptied; it opens again when that is done."""

    code = "sandbox_resetting"
