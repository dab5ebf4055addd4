"""Tenancy in the console."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from oauth2_provider import models as oauth

from cdp.tenancy.console.base import (
    LookingAdmin,
    OrganizationFilter,
    OrganizationOwnedAdmin,
    SandboxAdmin,
    SandboxFilter,
    operator_actor,
    pretty,
)
from cdp.tenancy.models import (
    AuditEvent,
    Credential,
    Operator,
    Organization,
    Role,
    Sandbox,
    UsageCounter,
    WriteKey,
)
from cdp.tenancy.scope import scope
from cdp.tenancy.services.access import revoke_write_key

# Tokens are hashes and groups mean nothing here: roles say who may do what.
for model in (Group, oauth.AccessToken, oauth.RefreshToken, oauth.Grant, oauth.IDToken, Credential):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class SandboxInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Sandbox
    fields = ("name", "title", "kind", "time_zone", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Organization)
class OrganizationAdmin(LookingAdmin):
    list_display = ("name", "tenant_namespace", "id", "created_at")
    search_fields = ("name", "tenant_namespace", "id")
    fields = ("name", "tenant_namespace", "id", "created_at")
    inlines = (SandboxInline,)


@admin.register(Sandbox)
class SandboxesAdmin(OrganizationOwnedAdmin):
    list_display = ("organization", "name", "title", "kind", "time_zone", "created_at")
    list_display_links = ("name",)
    search_fields = ("name", "title", "organization__name")


@admin.register(Credential)
class CredentialAdmin(OrganizationOwnedAdmin):
    list_display = ("name", "organization", "user", "client_id", "created")
    list_select_related = ("organization", "user")
    search_fields = ("name", "client_id", "id")
    fields = ("name", "organization", "user", "client_id", "id", "created")


@admin.register(WriteKey)
class WriteKeyAdmin(SandboxAdmin):
    list_display = ("name", "owner", "inlet_id", "hint", "created_at", "revoked_at")
    search_fields = ("name", "inlet_id", "id")
    fields = ("name", "owner", "inlet_id", "hint", "id", "created_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description="Revoke the selected write keys", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[WriteKey]) -> None:
        """Make the keys useless from now on."""
        actor = operator_actor(request)
        for key in queryset.select_related("sandbox__organization"):
            with scope(key.sandbox, actor):
                revoke_write_key(actor=actor, write_key=key)
        messages.success(request, "The write keys are revoked.")


@admin.register(Role)
class RoleAdmin(OrganizationOwnedAdmin):
    list_display = ("name", "organization", "sandboxes", "created_at", "updated_at")
    search_fields = ("name", "id")


@admin.register(AuditEvent)
class AuditEventAdmin(LookingAdmin):
    list_display = ("at", "organization", "sandbox", "action", "target_name", "actor_name")
    list_filter = (OrganizationFilter, SandboxFilter, "action")
    list_select_related = ("organization", "sandbox__organization")
    search_fields = ("action", "target_id", "actor_id", "request_id")
    fields = (
        "at",
        ("organization", "sandbox"),
        "action",
        ("target_type", "target_id", "target_name"),
        ("actor_kind", "actor_id", "actor_name"),
        "request_id",
        "was",
        "became",
    )
    ordering = ("-id",)

    @admin.display(description="Before")
    def was(self, event: AuditEvent) -> SafeString:
        """What it was."""
        return pretty(event.before)

    @admin.display(description="After")
    def became(self, event: AuditEvent) -> SafeString:
        """What it became."""
        return pretty(event.after)


@admin.register(UsageCounter)
class UsageCounterAdmin(SandboxAdmin):
    list_display = ("day", "owner", "name", "subject", "amount")
    search_fields = ("name", "subject")
    ordering = ("-day", "-id")


class NewOperatorForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = Operator
        fields = ("email",)


class OperatorForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = Operator
        fields = ("email", "password", "is_active")


@admin.register(Operator)
class OperatorAdmin(UserAdmin):  # type: ignore[type-arg]
    form = OperatorForm
    add_form = NewOperatorForm
    list_display = ("email", "is_active", "last_login", "created_at")
    list_filter = ("is_active",)
    search_fields = ("email",)
    ordering = ("email",)
    readonly_fields = ("last_login", "created_at")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password", "is_active", "last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: Operator, form: Any, change: bool) -> None:
        """Every operator may do everything in the console."""
        obj.is_staff = obj.is_superuser = True
        super().save_model(request, obj, form, change)
