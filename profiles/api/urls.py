"""Routes of profiles."""

from django.urls import path

from cdp.api.routers import Router
from profiles.api.computed_attributes import ComputedAttributesViewSet
from profiles.api.deletions import (
    ProfileDeletesViewSet,
    RecordDeletesViewSet,
    RetentionViewSet,
)
from profiles.api.exports import ProfileExportsViewSet
from profiles.api.identity_graphs import IdentitiesViewSet, IdentityGraphsViewSet
from profiles.api.identity_settings import IdentitySettingsViewSet
from profiles.api.merge_policies import MergePoliciesViewSet
from profiles.api.namespaces import NamespacesViewSet
from profiles.api.privacy import PrivacyJobsViewSet
from profiles.api.profiles import ProfilesViewSet

router = Router()
router.register("profiles", ProfilesViewSet, "profile")
router.register("namespaces", NamespacesViewSet, "namespace")
router.register("identities", IdentitiesViewSet, "identity")
router.register("identity-graphs", IdentityGraphsViewSet, "identity-graph")
router.register("computed-attributes", ComputedAttributesViewSet, "computed-attribute")
router.register("merge-policies", MergePoliciesViewSet, "merge-policy")
router.register("privacy-jobs", PrivacyJobsViewSet, "privacy-job")
router.register("profile-exports", ProfileExportsViewSet, "profile-export")
router.register("profile-deletes", ProfileDeletesViewSet, "profile-delete")
router.register("record-deletes", RecordDeletesViewSet, "record-delete")
urlpatterns = [
    *router.urls,
    path(
        "retention/",
        RetentionViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="retention",
    ),
    path(
        "identity-settings/",
        IdentitySettingsViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="identity-settings",
    ),
    path(
        "identity-settings/simulate/",
        IdentitySettingsViewSet.as_view({"post": "simulate"}),
        name="identity-settings-simulate",
    ),
]
