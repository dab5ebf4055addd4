"""Routes of segments."""

from cdp.api.routers import Router
from segments.api.views import SegmentViewSet

router = Router()
router.register("segments", SegmentViewSet, "segment")
urlpatterns = router.urls
