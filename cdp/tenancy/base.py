"""The base of every tenant-owned row, and the managers that refuse to read without an owner."""

from typing import Any, ClassVar, NoReturn, Self, TypeVar

from django.db import models

from cdp.tenancy.errors import SandboxNotSaid

Row = TypeVar("Row", bound=models.Model)


class SandboxManager(models.Manager[Row]):
    """Reads begin with `for_sandbox`; everything else raises `SandboxNotSaid`."""

    def for_sandbox(self, sandbox: Any) -> models.QuerySet[Row]:
        """Return the rows of one sandbox; takes a `Sandbox` or its id."""
        return super().get_queryset().filter(sandbox_id=getattr(sandbox, "pk", sandbox))

    def get_queryset(self) -> NoReturn:
        raise SandboxNotSaid(f"Begin with {self.model.__name__}.objects.for_sandbox(sandbox).")

    def create(self, **values: Any) -> Row:
        """Insert a row; its sandbox is among the values, so nothing is read unfenced."""
        row = self.model(**values)
        row.save(force_insert=True, using=self.db)
        return row

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Row]:
        """Insert many rows that carry their sandbox."""
        return super().get_queryset().bulk_create(objs, *args, **kwargs)


class OrganizationManager(models.Manager[Row]):
    """Reads begin with `for_organization`; everything else raises `SandboxNotSaid`."""

    def for_organization(self, organization: Any) -> models.QuerySet[Row]:
        """Return the rows of one organization; takes an `Organization` or its id."""
        key = getattr(organization, "pk", organization)
        return super().get_queryset().filter(organization_id=key)

    def get_queryset(self) -> NoReturn:
        raise SandboxNotSaid(f"Begin with {self.model.__name__}.objects.for_organization(...).")

    def create(self, **values: Any) -> Row:
        """Insert a row; its organization is among the values, so nothing is read unfenced."""
        row = self.model(**values)
        row.save(force_insert=True, using=self.db)
        return row


class SandboxModel(models.Model):
    """A row that belongs to one sandbox.

    Its migration carries `cdp.tenancy.rls.SandboxSecurity`; `tests/test_architecture.py`
    fails for a table without it.
    """

    sandbox = models.ForeignKey("tenancy.Sandbox", on_delete=models.CASCADE, related_name="+")

    # First, so that it is Django's default for admin, reverse relations and validation.
    unscoped: ClassVar[models.Manager[Self]] = models.Manager()
    objects: ClassVar[SandboxManager[Self]] = SandboxManager()

    class Meta:
        abstract = True


class OrganizationModel(models.Model):
    """A row that belongs to an organization as a whole (`rls.OrganizationSecurity`)."""

    organization = models.ForeignKey(
        "tenancy.Organization", on_delete=models.CASCADE, related_name="+"
    )

    unscoped: ClassVar[models.Manager[Self]] = models.Manager()
    objects: ClassVar[OrganizationManager[Self]] = OrganizationManager()

    class Meta:
        abstract = True
