"""Routes of datasets."""

from cdp.api.routers import Router
from cdp.datasets.api.views import (
    DatasetViewSet,
    InletViewSet,
    ReceiptViewSet,
    RejectedRecordViewSet,
)

router = Router()
router.register("datasets", DatasetViewSet, "dataset")
router.register("inlets", InletViewSet, "inlet")
router.register("receipts", ReceiptViewSet, "receipt")
router.register("rejected-records", RejectedRecordViewSet, "rejected-record")
urlpatterns = router.urls
