"""The namespaces, linking rules and merge policies of a sandbox, ready for use."""

from typing import Final

from django.db.models import QuerySet

from cdp.tenancy.models import Sandbox
from cdp.tenancy.rows import listed, row_of
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
from profiles.sets import select

_NAMESPACES: Final = """
SELECT code, type, name, normaliser FROM profiles_namespace
WHERE sandbox_id = %(sandbox)s ORDER BY id
"""
_DEFAULT_POLICY: Final = f"""
SELECT {listed(MergePolicy, "policy")} FROM profiles_mergepolicy AS policy
WHERE policy.sandbox_id = %(sandbox)s AND policy.is_default
"""


def list_namespaces(sandbox: Sandbox) -> QuerySet[Namespace]:
    """Return the namespaces that the sandbox has added."""
    return Namespace.objects.for_sandbox(sandbox)


def namespace_catalogue(sandbox: Sandbox) -> NamespaceCatalogue:
    """Return the standard namespaces and the sandbox's own."""
    own = [
        PureNamespace(code, NamespaceType(kind), name, normaliser, custom=True)
        for code, kind, name, normaliser in select(_NAMESPACES, sandbox)
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
    default = find_default_policy(sandbox)
    return policy_of(default) if default else Policy()


def find_default_policy(sandbox: Sandbox) -> MergePolicy | None:
    """Return the sandbox's default merge policy, if somebody has made one."""
    for values in select(_DEFAULT_POLICY, sandbox):
        return row_of(MergePolicy, values)
    return None


def policy_of(row: MergePolicy) -> Policy:
    """Return a stored merge policy, ready for use."""
    return Policy(
        attributes=AttributeMerge(row.attributes),
        graph=GraphUse(row.graph),
        order=tuple(row.datasets),
        source_timed=frozenset(row.source_timed),
    )
