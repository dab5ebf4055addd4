"""Profiles in the console."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from cdp.clickhouse.errors import StoreUnavailable
from cdp.tenancy.console.base import SandboxAdmin, pretty
from profiles.identity.merge import merge
from profiles.ids import parse_profile_key
from profiles.models import (
    Identity,
    IdentitySettings,
    IngestBatch,
    MergePolicy,
    Namespace,
    Profile,
)
from profiles.selectors.graphs import list_links
from profiles.selectors.people import get_person
from profiles.selectors.rules import default_policy
from profiles.selectors.timeline import newest_events

EVENTS_SHOWN = 50


@admin.register(Profile)
class ProfileAdmin(SandboxAdmin):
    list_display = ("__str__", "owner", "identities_shown", "vanished", "created_at")
    list_filter = (*SandboxAdmin.list_filter, "vanished")
    search_fields = ("id",)
    search_help_text = "A profile's id (prf_12), or the exact value of an identity."
    ordering = ("-id",)
    fields = (
        "owner",
        "created_at",
        "vanished",
        "attributes",
        "identities_shown",
        "segments_shown",
        "links_shown",
        "events_shown",
        "fragments_shown",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Profile], search_term: str
    ) -> tuple[QuerySet[Profile], bool]:
        """Search by what an index answers: an id, or an identity's whole value."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = parse_profile_key(term)
        if number is not None:
            return queryset.filter(pk=number), False
        owners = Identity.unscoped.filter(value=term).values_list("profile_id", flat=True)
        return queryset.filter(pk__in=list(owners[:100])), False

    @admin.display(description="Attributes")
    def attributes(self, profile: Profile) -> SafeString:
        """The merged view under the default policy."""
        person = get_person(profile.sandbox, profile.pk)
        return pretty(merge(person.fragments, default_policy(profile.sandbox)))

    @admin.display(description="Identities")
    def identities_shown(self, profile: Profile) -> str:
        """Every identity, the oldest first."""
        own = Identity.unscoped.filter(pk__in=profile.members).order_by("pk")
        return ", ".join(str(identity) for identity in own) or "none: see its survivor"

    @admin.display(description="Segments")
    def segments_shown(self, profile: Profile) -> SafeString:
        """The present memberships."""
        return pretty(profile.segments)

    @admin.display(description="Links")
    def links_shown(self, profile: Profile) -> SafeString:
        """Which records have joined the identities."""
        rows = (
            (link.first.value, link.second.value, link.state, link.last_seen, link.record)
            for link in list_links(profile.sandbox, profile.members)
        )
        return format_html_join("", "<div>{} &ndash; {}: {}, last {} in {}</div>", rows)

    @admin.display(description="Events")
    def events_shown(self, profile: Profile) -> SafeString:
        """The newest events."""
        person = get_person(profile.sandbox, profile.pk)
        try:
            events = newest_events(profile.sandbox, person, EVENTS_SHOWN)
        except StoreUnavailable:
            return format_html("<em>The event store does not answer.</em>")
        return pretty([event.body for event in events])

    @admin.display(description="Fragments")
    def fragments_shown(self, profile: Profile) -> SafeString:
        """What each dataset says."""
        person = get_person(profile.sandbox, profile.pk)
        return pretty({one.dataset: one.document for one in person.fragments})


@admin.register(Identity)
class IdentityAdmin(SandboxAdmin):
    list_display = ("__str__", "owner", "profile", "created_at")
    search_fields = ("value",)
    ordering = ("-id",)
    fields = ("namespace", "value", "owner", "profile", "created_at")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Identity], search_term: str
    ) -> tuple[QuerySet[Identity], bool]:
        """Search by the whole value, which an index answers."""
        term = search_term.strip()
        return (queryset.filter(value=term) if term else queryset), False


@admin.register(Namespace)
class NamespaceAdmin(SandboxAdmin):
    list_display = ("code", "owner", "type", "normaliser", "created_at")
    search_fields = ("code", "name")


@admin.register(IdentitySettings)
class IdentitySettingsAdmin(SandboxAdmin):
    list_display = ("__str__", "owner", "updated_at")
    fields = ("owner", "version", "rules_shown", "updated_at")

    @admin.display(description="Rules")
    def rules_shown(self, row: IdentitySettings) -> SafeString:
        """The linking rules in their order."""
        return pretty(row.rules)


@admin.register(MergePolicy)
class MergePolicyAdmin(SandboxAdmin):
    list_display = ("name", "owner", "attributes", "graph", "is_default", "updated_at")
    search_fields = ("name",)


@admin.register(IngestBatch)
class IngestBatchAdmin(SandboxAdmin):
    list_display = ("__str__", "owner", "published", "created_at")
    fields = ("id", "owner", "published", "items", "created_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("payload")
