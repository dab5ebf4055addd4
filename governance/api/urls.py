"""Routes of governance under /api/v1/."""

from cdp.api.routers import Router
from governance.api.views import LabelViewSet, MarketingActionViewSet, PolicyViewSet

router = Router()
router.register("labels", LabelViewSet, basename="label")
router.register("marketing-actions", MarketingActionViewSet, basename="marketing-action")
router.register("policies", PolicyViewSet, basename="policy")

urlpatterns = router.urls
