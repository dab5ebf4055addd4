"""Governance in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.tenancy.console.base import SandboxAdmin, pretty
from governance import expression
from governance.models import CorePolicyState, Label, MarketingAction, Policy


@admin.register(Label)
class LabelAdmin(SandboxAdmin):
    list_display = ("name", "owner", "title", "updated_at")
    search_fields = ("name", "title")


@admin.register(MarketingAction)
class MarketingActionAdmin(SandboxAdmin):
    list_display = ("name", "owner", "title", "updated_at")
    search_fields = ("name", "title")


@admin.register(Policy)
class PolicyAdmin(SandboxAdmin):
    list_display = ("name", "owner", "status", "denies", "updated_at")
    search_fields = ("name", "id")
    fields = (
        "name",
        "owner",
        "description",
        "status",
        "marketing_actions",
        "condition",
        ("created_at", "updated_at"),
    )

    @admin.display(description="Denies")
    def denies(self, policy: Policy) -> str:
        """What is denied, in short."""
        return f"{', '.join(policy.marketing_actions)} with {expression.describe(policy.rule.deny)}"

    @admin.display(description="Deny where")
    def condition(self, policy: Policy) -> SafeString:
        """The stored expression."""
        return pretty(policy.deny)


@admin.register(CorePolicyState)
class CorePolicyStateAdmin(SandboxAdmin):
    list_display = ("name", "owner", "status", "updated_at")
    fields = ("policy_id", "name", "owner", "description", "status", "updated_at")
