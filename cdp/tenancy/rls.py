"""Row-level security as migration operations: the second fence.

Every tenant table gets two permissive policies: one opens the rows of the owner
that `cdp.tenancy.scope` has set for the transaction, one opens all rows when
`cdp.bypass` is on. With neither set, a query returns nothing.
"""

from typing import Any, ClassVar

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from cdp.tenancy.scope import bypass

# `current_setting(.., true)` is NULL before the first use in a session and '' after; both mean
# "no owner", and the bare cast would raise on the second.
_SANDBOX = "nullif(current_setting('cdp.sandbox_id', true), '')::int"
_ORGANIZATION = "nullif(current_setting('cdp.organization_id', true), '')"

_POLICIES = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON {table}
    USING ({owned})
    WITH CHECK ({owned});
CREATE POLICY bypass ON {table}
    USING (current_setting('cdp.bypass', true) = 'on')
    WITH CHECK (current_setting('cdp.bypass', true) = 'on');
"""
_NO_POLICIES = """
DROP POLICY tenant ON {table};
DROP POLICY bypass ON {table};
ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
"""


class _Security(migrations.operations.base.Operation):
    """Fence the table of one model."""

    reversible = True
    owned: ClassVar[str]

    def __init__(self, model: str) -> None:
        self.model = model

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state alone: policies are the database's own."""

    def _run(self, sql: str, app: str, editor: BaseDatabaseSchemaEditor, state: Any) -> None:
        table = editor.quote_name(state.apps.get_model(app, self.model)._meta.db_table)
        editor.execute(sql.format(table=table, owned=self.owned))

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._run(_POLICIES, app_label, schema_editor, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._run(_NO_POLICIES, app_label, schema_editor, from_state)

    def describe(self) -> str:
        return f"{type(self).__name__} of {self.model}"


class SandboxSecurity(_Security):
    """Open a table only to the sandbox in scope."""

    owned = f"sandbox_id = {_SANDBOX}"


class OrganizationSecurity(_Security):
    """Open a table only to the organization in scope."""

    owned = f"organization_id = {_ORGANIZATION}"


class MixedSecurity(_Security):
    """Open a table whose rows belong to an organization, and some of them to one sandbox.

    A sandbox's scope shows its own rows and those of the organization as a whole; the
    organization's scope shows all.
    """

    owned = (
        f"organization_id = {_ORGANIZATION}"
        f" AND ({_SANDBOX} IS NULL OR sandbox_id IS NULL OR sandbox_id = {_SANDBOX})"
    )


def sandbox_policies(table: str) -> str:
    """Return the statements that fence a table made outside of migrations, such as a partition."""
    return _POLICIES.format(table=table, owned=SandboxSecurity.owned)


class BypassRunPython(migrations.RunPython):
    """Move data of every tenant; without the bypass it would silently see no row."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with bypass():
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with bypass():
            super().database_backwards(app_label, schema_editor, from_state, to_state)
