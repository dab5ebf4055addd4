"""Routes of the doors. Each is taken with and without its last slash, and with doubled ones."""

from django.urls import re_path

from cdp.datasets.doors import collection

urlpatterns = [
    re_path(r"^/*collection/+batch/+(?P<inlet_id>[a-z0-9_]+)/*$", collection.collect_batch),
    re_path(r"^/*collection/+(?P<inlet_id>[a-z0-9_]+)/*$", collection.collect),
]
