"""Rows of tenancy.

Organization, Sandbox, Operator, Credential and WriteKey carry no row-level policy:
they are what a scope is made from, and are read only in this package.
"""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from oauth2_provider.models import AbstractApplication, ApplicationManager

from cdp.tenancy.base import OrganizationModel, SandboxModel
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.time_zones import validate_time_zone

NAME = RegexValidator(
    r"^[a-z][a-z0-9-]{0,62}\Z", "Use lower-case letters, digits and hyphens, first a letter."
)
NAMESPACE = RegexValidator(
    r"^[a-z][a-z0-9]{1,30}\Z", "Use 2 to 31 lower-case letters and digits, first a letter."
)


class Organization(models.Model):  # type: ignore[django-manager-missing]  # of an untyped package
    """A customer of the installation; owns everything else.

    `tenant_namespace` is the root of its own fields: `luma` puts them under `_luma`.
    `data_key` encrypts its connections' secrets and is itself wrapped (`secrets.py`).
    """

    id = PublicIdField(prefix="org")
    name = models.CharField(max_length=200, unique=True)
    tenant_namespace = models.CharField(max_length=31, unique=True, validators=[NAMESPACE])
    data_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Sandbox(models.Model):
    """A walled part of an organization. Nothing is visible across its walls."""

    class Kind(models.TextChoices):
        """What the sandbox is for; `prod` is a production sandbox and cannot be deleted."""

        PRODUCTION = "production"
        DEVELOPMENT = "development"

    class State(models.TextChoices):
        """A sandbox that is being reset is shut."""

        ACTIVE = "active"
        RESETTING = "resetting"

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="sandboxes"
    )
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE, editable=False)
    name = models.CharField(max_length=63, validators=[NAME])
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.DEVELOPMENT)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    guards_labels = models.BooleanField(
        default=False, help_text="Labelled fields are shown only to roles that carry the labels."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "sandboxes"
        constraints = (
            models.UniqueConstraint(fields=["organization", "name"], name="sandbox_name_unique"),
        )

    def __str__(self) -> str:
        return f"{self.organization_id}/{self.name}"


class OperatorManager(BaseUserManager["Operator"]):
    """Makes operators; Django's `createsuperuser` calls it."""

    def create_superuser(self, email: str, password: str) -> "Operator":
        """Make an operator who may do everything in the console."""
        operator = self.model(email=self.normalize_email(email), is_staff=True, is_superuser=True)
        operator.set_password(password)
        operator.save()
        return operator


class Operator(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # same
    """A person who runs the installation and uses Django admin."""

    id = PublicIdField(prefix="opr")
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[OperatorManager] = OperatorManager()
    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email


class Credential(AbstractApplication):  # type: ignore[misc]  # untyped package
    """An OAuth2 client of one organization, or of the operators if it names none."""

    id = PublicIdField(prefix="crd")
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.CASCADE, related_name="credentials"
    )

    objects: ClassVar[ApplicationManager] = ApplicationManager()

    class Meta(AbstractApplication.Meta):  # type: ignore[misc]
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"

    def __str__(self) -> str:
        return str(self.name or self.client_id)


class WriteKey(models.Model):
    """A key that may only send data, to one inlet of one sandbox. Only its hash is kept."""

    id = PublicIdField(prefix="wk")
    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="+")
    inlet_id = models.CharField(max_length=40, db_index=True)
    name = models.CharField(max_length=200)
    key_hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8, help_text="The key's last characters.")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} (...{self.hint})"


class Role(OrganizationModel):
    """Permissions that hold in the named sandboxes (`*` for all) for the role's credentials.

    `labels` are those of data that the role may see where a sandbox guards them.
    """

    id = PublicIdField(prefix="rol")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    permissions = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    labels = ArrayField(models.CharField(max_length=63), default=list, blank=True)
    sandboxes = ArrayField(models.CharField(max_length=63), default=list, blank=True)
    credentials = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "name"], name="role_name_unique"),
        )

    def __str__(self) -> str:
        return self.name


class AuditEvent(OrganizationModel):
    """One change: who, what, before and after, in which request. Never updated."""

    id = PublicIdField(prefix="aud")
    sandbox = models.ForeignKey(Sandbox, null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=255)
    request_id = models.CharField(max_length=64, blank=True)
    target_type = models.CharField(max_length=80)
    target_id = models.CharField(max_length=80)
    target_name = models.CharField(max_length=255, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["organization", "-id"], name="audit_newest"),
            models.Index(fields=["organization", "target_type", "target_id"], name="audit_target"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.target_id}"


class UsageCounter(SandboxModel):
    """How much of one thing a sandbox has used on one day; `subject` is e.g. a dataset's id."""

    day = models.DateField()
    name = models.CharField(max_length=64)
    subject = models.CharField(max_length=40, blank=True)
    amount = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "day", "name", "subject"], name="usage_counter_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.name} {self.amount}"
