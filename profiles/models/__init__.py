"""Rows of profiles."""

from profiles.models.configuration import (
    ComputedAttribute,
    IdentitySettings,
    MergePolicy,
    Namespace,
    RetentionSettings,
)
from profiles.models.exports import ProfileExport
from profiles.models.people import (
    ComputedValues,
    Fragment,
    Identity,
    IdentityLink,
    Profile,
    SearchTerm,
)
from profiles.models.work import (
    DeletionOrder,
    EventKey,
    IngestBatch,
    PrivacyJob,
    Suppression,
)

__all__ = [
    "ComputedAttribute",
    "ComputedValues",
    "DeletionOrder",
    "EventKey",
    "Fragment",
    "Identity",
    "IdentityLink",
    "IdentitySettings",
    "IngestBatch",
    "MergePolicy",
    "Namespace",
    "PrivacyJob",
    "Profile",
    "ProfileExport",
    "RetentionSettings",
    "SearchTerm",
    "Suppression",
]
