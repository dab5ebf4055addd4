"""The kernel's settings with the probe, and with leases short enough to wait for."""

from datetime import timedelta

from cdp.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
    "cdp.tenancy",
    "cdp.queue",
    "tests.queue.probe",
]
QUEUE_LEASE = timedelta(seconds=1)
MIDDLEWARE = []
TEMPLATES = []
ROOT_URLCONF = __name__  # system checks look at the routes; there are none
urlpatterns: list[object] = []
