"""Routes of profiles."""

from cdp.api.routers import Router
from profiles.api.profiles import ProfilesViewSet

router = Router()
router.register("profiles", ProfilesViewSet, "profile")
urlpatterns = router.urls
