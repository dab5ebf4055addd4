"""The permissions that roles carry, by area.

`view-x` reads, `manage-x` creates, changes and deletes. A permission holds in the
sandboxes that its role names; those of the access area hold for the whole organization.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing a role may allow."""

    name: str
    area: str
    description: str


def _pair(area: str, noun: str) -> list[Permission]:
    return [
        Permission(f"view-{area}", area, f"Read {noun}"),
        Permission(f"manage-{area}", area, f"Create, change and delete {noun}"),
    ]


PERMISSIONS: Final[dict[str, Permission]] = {
    permission.name: permission
    for permission in [
        *_pair("schemas", "classes, field groups, data types, schemas and descriptors"),
        *_pair("datasets", "datasets, batches, inlets, receipts and rejected records"),
        Permission("ingest", "datasets", "Send records and events through the doors"),
        *_pair("sources", "connections, mapping sets and flows"),
        *_pair("identities", "namespaces, linking rules and identity graphs"),
        *_pair("profiles", "profiles, merge policies and computed attributes"),
        Permission("export-profiles", "profiles", "Export profiles to files and datasets"),
        *_pair("segments", "segments, estimates, compositions and schedules"),
        *_pair("journeys", "journeys, messages and channels"),
        Permission("publish-journeys", "journeys", "Publish, pause and stop journeys"),
        *_pair("destinations", "destination connections"),
        Permission("activate-segments", "destinations", "Send segments to destinations"),
        *_pair("governance", "labels, marketing actions, policies and consent policies"),
        Permission("manage-privacy", "governance", "Make and read privacy and deletion requests"),
        *_pair("queries", "queries, insight models and dashboards"),
        Permission("view-jobs", "operations", "Read jobs and their progress"),
        Permission("manage-jobs", "operations", "Cancel jobs, replay buried work"),
        Permission("view-usage", "operations", "Read usage counters"),
        Permission("view-audit", "operations", "Read audit events"),
        Permission("view-sandboxes", "access", "Read the organization's sandboxes"),
        Permission("manage-sandboxes", "access", "Create, change, reset and delete sandboxes"),
        Permission("view-access", "access", "Read credentials, write keys and roles"),
        Permission("manage-access", "access", "Create and change credentials, write keys, roles"),
    ]
}
ALL: Final = frozenset(PERMISSIONS)
