"""Wiring of the console in the place of Django's own admin site."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django admin, with `Console` as its site."""

    default_site = "cdp.tenancy.console.site.Console"
