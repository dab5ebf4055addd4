"""Bases of the console's pages: for looking, and for changes that call a service."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from orjson import OPT_INDENT_2, dumps

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Operator, Organization, Sandbox
from cdp.tenancy.permissions import ALL

COUNTED = 10_000  # rows that a list counts at most
CHOICES = 200  # organizations that a filter offers


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic for the type checker only
    """Counts no further than the console pages, so that a list of millions opens at once."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or `COUNTED` if there are more."""
        rows: Any = self.object_list
        return rows.order_by()[:COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class OrganizationFilter(admin.SimpleListFilter):
    """Rows of one organization."""

    title = "organization"
    parameter_name = "organization"
    column: ClassVar[str] = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return Organization.objects.order_by("name").values_list("pk", "name")[:CHOICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class OwnerFilter(OrganizationFilter):
    """Rows of all sandboxes of one organization."""

    column = "sandbox__organization"


class SandboxFilter(admin.SimpleListFilter):
    """Rows of one sandbox; offered once an organization is chosen."""

    title = "sandbox"
    parameter_name = "sandbox"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[Any, str]]:
        chosen = request.GET.get(OrganizationFilter.parameter_name)
        if not chosen:
            return []
        sandboxes = Sandbox.objects.filter(organization=chosen).order_by("name")
        return sandboxes.values_list("pk", "name")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        return queryset.filter(sandbox=value) if value.isdecimal() else queryset


class LookingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # same
    """Shows rows and lets nobody change them; subclasses add actions that call services."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OrganizationOwnedAdmin(LookingAdmin):
    """Rows of an organization as a whole."""

    list_filter: ClassVar[tuple[Any, ...]] = (OrganizationFilter,)
    list_select_related: ClassVar[tuple[str, ...]] = ("organization",)


class SandboxAdmin(LookingAdmin):
    """Rows of sandboxes. Put `owner` first in `list_display`."""

    list_filter: ClassVar[tuple[Any, ...]] = (OwnerFilter, SandboxFilter)
    list_select_related: ClassVar[tuple[str, ...]] = ("sandbox__organization",)

    @admin.display(description="Organization / sandbox", ordering="sandbox")
    def owner(self, row: Any) -> str:
        """Whose row it is."""
        return f"{row.sandbox.organization} / {row.sandbox.name}"


def operator_actor(request: HttpRequest) -> Actor:
    """Return the actor of a change that an operator makes in the console."""
    operator = request.user
    if not isinstance(operator, Operator):
        raise TypeError("The console lets only operators in.")
    return Actor("operator", operator.pk, operator.email, ALL)


def pretty(value: Any) -> SafeString:
    """Return JSON as an indented block."""
    text = dumps(value, option=OPT_INDENT_2, default=str).decode()
    return format_html('<pre style="margin: 0; white-space: pre-wrap">{}</pre>', text)
