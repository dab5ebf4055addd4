"""Routes of datasets."""

from typing import Any

from django.urls import URLPattern, URLResolver, path

from cdp.api.routers import Router
from cdp.datasets.api.batch_views import BatchFileViewSet, BatchViewSet
from cdp.datasets.api.forwarding_views import ForwardingRuleViewSet
from cdp.datasets.api.mapping_views import MappingSetViewSet
from cdp.datasets.api.source_views import (
    ConnectionViewSet,
    FlowRunViewSet,
    FlowViewSet,
    SourceTypeViewSet,
)
from cdp.datasets.api.views import (
    DatasetViewSet,
    InletViewSet,
    ReceiptViewSet,
    RejectedRecordViewSet,
)

router = Router()
router.register("datasets", DatasetViewSet, "dataset")
router.register("inlets", InletViewSet, "inlet")
router.register("forwarding-rules", ForwardingRuleViewSet, "forwarding-rule")
router.register("receipts", ReceiptViewSet, "receipt")
router.register("rejected-records", RejectedRecordViewSet, "rejected-record")
router.register("batches", BatchViewSet, "batch")
router.register("source-types", SourceTypeViewSet, "source-type")
router.register("connections", ConnectionViewSet, "connection")
router.register("mapping-sets", MappingSetViewSet, "mapping-set")
router.register("flows", FlowViewSet, "flow")
router.register("flow-runs", FlowRunViewSet, "flow-run")

_one_file: dict[str, Any] = {
    "put": "upload",
    "post": "open_or_close",
    "patch": "piece",
    "delete": "remove",
}

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("batches/<batch_id>/files/", BatchFileViewSet.as_view({"get": "list"})),
    path("batches/<batch_id>/files/<path:name>/", BatchFileViewSet.as_view(_one_file)),
]
