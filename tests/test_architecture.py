"""What imports cannot show, and what nobody must forget."""

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from cdp.api.permissions import ANY_CALLER, OPERATOR
from cdp.tenancy.base import OrganizationModel, SandboxModel
from cdp.tenancy.errors import SandboxNotSaid
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.permissions import PERMISSIONS
from tests.architecture import (
    APPS,
    ROOT,
    TABLES_WITHOUT_POLICY,
    mentioning,
    paths,
    tenant_tables,
    texts,
)
from tests.routes import operations

# From bottom to top; a foreign key points down.
STACK = [
    "auth",
    "contenttypes",
    "tenancy",
    "oauth2_provider",
    "clickhouse",
    "queue",
    "jobs",
    "api",
    "governance",
    "schemas",
    "datasets",
    "profiles",
    "segments",
    "destinations",
    "journeys",
    "insights",
]
MODELS = [model for model in apps.get_models() if model.__module__.partition(".")[0] in APPS]
# Routes without a permission, and what holds them instead.
OPEN_ROUTES = {
    "/oauth/token/": "gives tokens to whoever proves a secret",
    "/api/v1/schema/": "the API's own document",
    "/api/v1/docs/": "the document for people",
    "/api/v1/redoc/": "the document for people",
    "/healthz": "says that the process lives",
    "/readyz": "says which store answers",
    "/metrics": "numbers without names of tenants",
    "/collection/{inlet_id}/": "a door: the inlet, and a write key if it asks for one",
    "/collection/batch/{inlet_id}/": "a door: the inlet, and a write key if it asks for one",
    "/v1/{endpoint}/": "a door: the write key",
    "/v1/m/": "a door: what SDKs tell of themselves, thrown away",
    "/sourceConfig/": "a door: the write key",
    "/ee/v1/interact/": "a door: the inlet",
    "/ee/v1/collect/": "a door: the inlet",
    "/ee/v1/identity/acquire/": "a door: the inlet",
    "/ee/v1/privacy/set-consent/": "a door: the inlet",
    "/v1/projects/{key}/settings/": "a door: the write key",
}
# Who may see the rows of all tenants at once.
MAY_BYPASS = {
    "cdp.tenancy.rls": "migrations of data",
    "cdp.tenancy.console.site": "the operators' console",
    "cdp.queue.taking": "the claim, which chooses among all sandboxes",
    "cdp.queue.backlogs": "how much waits, over all sandboxes",
}
# Who may read the environment besides the settings.
MAY_READ_ENVIRONMENT = {
    "manage": "names the settings",
    "cdp.wsgi": "names the settings",
    "cdp.celery": "names the settings",
    "cdp.clickhouse.embedded": "sets the time zone of its own process",
}
TENANT = {
    "sandbox": "(sandbox_id = (NULLIF(current_setting('cdp.sandbox_id'::text, true), ''::text))::integer)",
    "organization": "((organization_id)::text = NULLIF(current_setting('cdp.organization_id'::text, true), ''::text))",
}
TENANT["both"] = (
    f"({TENANT['organization']} AND ("
    "((NULLIF(current_setting('cdp.sandbox_id'::text, true), ''::text))::integer IS NULL)"
    f" OR (sandbox_id IS NULL) OR {TENANT['sandbox']}))"
)
BYPASS = "(current_setting('cdp.bypass'::text, true) = 'on'::text)"


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_route_has_a_permission(operation):
    if operation.is_scoped:
        assert operation.permission in {*PERMISSIONS, ANY_CALLER, OPERATOR}
    else:
        assert operation.template in OPEN_ROUTES


def test_every_tenant_table_has_both_policies_and_forces_them(db):
    unfenced = {
        table: found
        for table, columns in tenant_tables().items()
        if (found := _fence(table)) != _expected_fence(columns)
    }

    assert unfenced == {}, "does its migration carry an operation of cdp.tenancy.rls?"


def _expected_fence(columns):
    kind = "both" if len(columns) == 2 else columns[0].removesuffix("_id")
    return {
        "enabled and forced": True,
        "tenant": ("PERMISSIVE", "ALL", TENANT[kind], TENANT[kind]),
        "bypass": ("PERMISSIVE", "ALL", BYPASS, BYPASS),
    }


def _fence(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
            [table],
        )
        (forced,) = cursor.fetchone()
        cursor.execute(
            "SELECT policyname, permissive, cmd, qual, with_check FROM pg_policies"
            " WHERE schemaname = 'public' AND tablename = %s",
            [table.strip('"')],
        )
        return {"enabled and forced": forced} | {name: tuple(rest) for name, *rest in cursor}


def test_the_applications_role_cannot_step_over_the_policies(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_row_with_an_owner_cannot_be_read_without_saying_it(model):
    owners = {
        field.name
        for field in model._meta.concrete_fields
        if field.name in {"sandbox", "organization"}
    }
    if not owners or model._meta.db_table in TABLES_WITHOUT_POLICY:
        return

    assert issubclass(model, SandboxModel | OrganizationModel)
    assert model._default_manager.name == "unscoped"
    with pytest.raises(SandboxNotSaid):
        model.objects.all()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down_the_stack(model):
    height = STACK.index(model._meta.app_label)
    targets = {
        field.related_model._meta.app_label
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
    }

    assert {target for target in targets if STACK.index(target) > height} == set()


def test_a_public_id_tells_of_what_kind_it_is():
    keys = [model._meta.pk for model in MODELS if isinstance(model._meta.pk, PublicIdField)]
    prefixes = Counter(key.prefix for key in keys)

    assert len(prefixes) > 20
    assert [prefix for prefix, kinds in prefixes.items() if kinds > 1] == []


def test_only_a_few_modules_see_every_tenant():
    importing = {
        name
        for name, module in mentioning("bypass").items()
        if "cdp.tenancy.scope.bypass" in _imported(module)
    }
    setting = {name for name, text in texts().items() if "cdp.bypass'" in text}
    setting -= {"cdp.tenancy.scope", "cdp.tenancy.rls", "cdp.tenancy.apps"}

    assert importing | setting == set(MAY_BYPASS)


def test_only_the_settings_read_the_environment():
    # The engines run before there are settings, and know nothing else of the project.
    reading = {
        name
        for name, module in mentioning("environ", "getenv").items()
        if not name.startswith("cdp.engines.") and name != "cdp.settings"
        if _reads_environment(module)
    }

    assert reading - set(MAY_READ_ENVIRONMENT) == set()


def _imported(module):
    return {
        f"{node.module}.{alias.name}"
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _reads_environment(module):
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
        for node in ast.walk(module)
    ) or any(
        isinstance(node, ast.ImportFrom | ast.Import)
        and any(alias.name in {"environ", "getenv", "environs", "Env"} for alias in node.names)
        for node in ast.walk(module)
    )


def test_nothing_truncates():
    text = {name for name, text in texts().items() if "TRUNCATE" in text}
    sql = {
        path
        for app in APPS
        for path in (ROOT / app).rglob("*.sql")
        if "clickhouse" not in path.parts and "TRUNCATE" in path.read_text().upper()
    }

    assert text | sql == set()


def test_no_file_asks_two_questions():
    long = {
        name: lines for name, text in texts().items() if (lines := len(text.splitlines())) > 400
    }

    assert long == {}


def test_indexes_of_tenant_tables_work_under_row_level_security(db):
    """Only leakproof operators do: none of GIN's, and no expression's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam"
            " WHERE a.amname NOT IN ('btree', 'hash') OR i.indexprs IS NOT NULL"
        )
        found = [index for index, table in cursor.fetchall() if table in tenant_tables()]

    assert found == []


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_production_settings_pass_djangos_own_check():
    production = {
        "CDP_PRODUCTION": "1",
        "CDP_SECRET_KEY": "k" * 10 + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL",
        "CDP_SECRETS_KEYS": "one,two",
        "CDP_ALLOWED_HOSTS": "cdp.example.com",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=os.environ | production,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_the_lists_above_speak_of_what_is_there():
    existing = {name for name, _ in paths()} | {"manage"}

    assert set(MAY_BYPASS) <= existing
    assert Path(ROOT / "manage.py").exists()
