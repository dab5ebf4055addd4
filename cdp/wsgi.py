"""The web application, for any WSGI server."""

import os
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cdp.settings")
application = get_wsgi_application()

# Otherwise the first request of each process waits until every route is imported.
get_resolver().url_patterns  # noqa: B018

# A request waits for PostgreSQL nine times, and after each for its turn among the threads: with
# the five milliseconds that Python gives a thread by itself it would wait longest for those.
sys.setswitchinterval(0.0005)
