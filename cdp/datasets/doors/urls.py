"""Routes of the doors. Each is taken with and without its last slash, and with doubled ones."""

from django.urls import re_path

from cdp.datasets.doors import collection, edge, segment, tracker_settings

_ENDPOINT = "identify|track|page|screen|group|alias|batch|import|[pitgasb]"
# The Web SDK may be told another base path, and puts a hint where the last answer came from.
_EDGE = r"^/*ee(?:/+[A-Za-z0-9_-]+)?/+v[12]"

urlpatterns = [
    re_path(r"^/*collection/+batch/+(?P<inlet_id>[a-z0-9_]+)/*$", collection.collect_batch),
    re_path(r"^/*collection/+(?P<inlet_id>[a-z0-9_]+)/*$", collection.collect),
    re_path(rf"^/*v1/+(?P<endpoint>{_ENDPOINT})/*$", segment.take),
    re_path(r"^/*v1/+m/*$", segment.take_metrics),
    re_path(r"^/*v1/+projects/+(?P<key>[^/]+)/+settings/*$", tracker_settings.segment_settings),
    re_path(r"^/*sourceConfig/*$", tracker_settings.source_config),
    re_path(rf"{_EDGE}/+interact/*$", edge.interact),
    re_path(rf"{_EDGE}/+collect/*$", edge.collect),
    re_path(rf"{_EDGE}/+identity/+acquire/*$", edge.acquire),
    re_path(rf"{_EDGE}/+privacy/+set-consent/*$", edge.set_consent),
]
