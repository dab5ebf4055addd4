"""The web application, for any WSGI server."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp.settings")
application = get_wsgi_application()

# Otherwise the first request of each process waits until every route is imported.
get_resolver().url_patterns  # noqa: B018
