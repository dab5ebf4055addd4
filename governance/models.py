"""Rows of governance: what a sandbox adds to the core labels, actions and policies."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from governance import core
from governance.core import Category
from governance.evaluation import PolicyRule
from governance.expression import BadExpression, parse, to_tree

NAME = RegexValidator(
    r"^[A-Za-z][A-Za-z0-9_-]{0,62}$",
    "Use letters, digits, hyphens and underscores, first a letter, at most 63.",
)


class Label(SandboxModel):
    """A label of the organization's own. Its name never changes, because data carries it."""

    id = PublicIdField(prefix="lbl")
    name = models.CharField(max_length=63, validators=[NAME])
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=2_000)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    is_core = False
    category = Category.CUSTOM

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="label_name_unique"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name in core.LABELS:
            raise ValidationError({"name": f"'{self.name}' is a core label; use another name."})


class MarketingAction(SandboxModel):
    """A purpose of the organization's own. Its name never changes, because destinations carry it."""

    id = PublicIdField(prefix="mka")
    name = models.CharField(max_length=63, validators=[NAME])
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=2_000)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    is_core = False

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "name"], name="marketing_action_name_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.name in core.MARKETING_ACTIONS:
            raise ValidationError({"name": f"'{self.name}' is a core action; use another name."})


class PolicyStatus(models.TextChoices):
    """Only an enabled policy is asked."""

    DRAFT = "draft"
    ENABLED = "enabled"
    DISABLED = "disabled"


class Policy(SandboxModel):
    """A data usage policy: its marketing actions are denied where `deny` holds."""

    id = PublicIdField(prefix="pol")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=2_000)
    status = models.CharField(max_length=8, choices=PolicyStatus, default=PolicyStatus.DRAFT)
    marketing_actions = ArrayField(models.CharField(max_length=63), size=50)
    deny = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    is_core = False

    class Meta:
        verbose_name_plural = "policies"
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="policy_name_unique"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            parse(self.deny)
        except BadExpression as error:
            raise ValidationError({"deny": str(error)}) from error

    @property
    def policy_id(self) -> str:
        """The id by which it is known, as a core policy's is."""
        return self.id

    @property
    def rule(self) -> PolicyRule:
        """The policy as the evaluation sees it."""
        actions = frozenset(self.marketing_actions)
        return PolicyRule(self.id, self.name, actions, parse(self.deny))


class CorePolicyState(SandboxModel):
    """A core policy with the status that a sandbox gives it; disabled where there is no row."""

    policy_id = models.CharField(max_length=40)
    status = models.CharField(max_length=8, choices=PolicyStatus, default=PolicyStatus.DISABLED)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    is_core = True

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "policy_id"], name="core_policy_state_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def rule(self) -> PolicyRule:
        """The policy as the evaluation sees it."""
        return core.POLICIES[self.policy_id].rule

    @property
    def name(self) -> str:
        """The core policy's name."""
        return self.rule.name

    @property
    def description(self) -> str:
        """What the core policy is for."""
        return core.POLICIES[self.policy_id].description

    @property
    def marketing_actions(self) -> list[str]:
        """What the core policy denies."""
        return sorted(self.rule.marketing_actions)

    @property
    def deny(self) -> dict[str, Any]:
        """Where the core policy denies it."""
        return to_tree(self.rule.deny)
