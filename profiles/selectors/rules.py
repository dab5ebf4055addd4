"""The namespaces, linking rules and merge policies of a sandbox, ready for use."""

from django.db.models import QuerySet

from cdp.tenancy.models import Sandbox
from profiles.errors import PolicyUnknown
from profiles.identity.merge import AttributeMerge, GraphUse, Policy
from profiles.identity.namespaces import (
    STANDARD,
    NamespaceCatalogue,
    NamespaceType,
)
from profiles.identity.namespaces import Namespace as PureNamespace
from profiles.identity.rules import Rules, Setting, make_rules
from profiles.models import IdentitySettings, MergePolicy, Namespace


def list_namespaces(sandbox: Sandbox) -> QuerySet[Namespace]:
    """Return the namespaces that the sandbox has added."""
    return Namespace.objects.for_sandbox(sandbox)


def namespace_catalogue(sandbox: Sandbox) -> NamespaceCatalogue:
    """Return the standard namespaces and the sandbox's own."""
    own = [
        PureNamespace(row.code, NamespaceType(row.type), row.name, row.normaliser, custom=True)
        for row in list_namespaces(sandbox).order_by("id")
    ]
    return NamespaceCatalogue([*STANDARD, *own])


def namespace_codes(sandbox: Sandbox) -> list[str]:
    """Return the codes that a schema's identities may name."""
    return [namespace.code for namespace in namespace_catalogue(sandbox)]


def identity_settings(sandbox: Sandbox) -> list[Setting]:
    """Return the linking rules as they were set; none is the default."""
    row = IdentitySettings.objects.for_sandbox(sandbox).first()
    return settings_of(row.rules if row else [])


def settings_of(rules: list[dict[str, object]]) -> list[Setting]:
    """Read linking rules from their stored form."""
    return [
        Setting(str(rule["namespace"]), int(str(rule["priority"])), bool(rule.get("unique")))
        for rule in rules
    ]


def linking_rules(sandbox: Sandbox, namespaces: NamespaceCatalogue | None = None) -> Rules:
    """Return the sandbox's rules for stitching."""
    known = namespaces or namespace_catalogue(sandbox)
    return make_rules(known, identity_settings(sandbox))


def list_merge_policies(sandbox: Sandbox) -> QuerySet[MergePolicy]:
    """Return the sandbox's merge policies."""
    return MergePolicy.objects.for_sandbox(sandbox)


def get_merge_policy(sandbox: Sandbox, policy_id: str) -> MergePolicy:
    """Return a merge policy. Raises `PolicyUnknown`."""
    found = list_merge_policies(sandbox).filter(pk=policy_id).first()
    if found is None:
        raise PolicyUnknown(f"There is no merge policy '{policy_id}'.")
    return found


def default_policy(sandbox: Sandbox) -> Policy:
    """Return the policy of snapshots and look-ups that name none: until one is made, the newest wins."""
    row = list_merge_policies(sandbox).filter(is_default=True).first()
    return policy_of(row) if row else Policy()


def policy_of(row: MergePolicy) -> Policy:
    """Return a stored merge policy, ready for use."""
    return Policy(
        attributes=AttributeMerge(row.attributes),
        graph=GraphUse(row.graph),
        order=tuple(row.datasets),
        source_timed=frozenset(row.source_timed),
    )
