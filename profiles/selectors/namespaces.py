"""Every namespace that a sandbox knows, as it is shown."""

from cdp.tenancy.models import Sandbox
from profiles.errors import NamespaceUnknown
from profiles.identity.namespaces import STANDARD
from profiles.models import Namespace


def every_namespace(sandbox: Sandbox) -> list[Namespace]:
    """Return the standard namespaces, which no row stands for, and then the sandbox's own."""
    standard = [
        Namespace(
            id=f"ns_{one.code}",
            sandbox=sandbox,
            code=one.code,
            code_key=one.code.lower(),
            name=one.name,
            type=one.type.value,
            normaliser=one.normaliser,
        )
        for one in STANDARD
    ]
    return [*standard, *Namespace.objects.for_sandbox(sandbox).order_by("id")]


def get_namespace(sandbox: Sandbox, code: str) -> Namespace:
    """Return a namespace by its code, whatever its case. Raises `NamespaceUnknown`."""
    for namespace in every_namespace(sandbox):
        if namespace.code_key == code.lower():
            return namespace
    raise NamespaceUnknown(f"There is no namespace '{code}' in this sandbox.")
