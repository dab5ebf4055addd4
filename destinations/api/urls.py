"""Routes of destinations."""

from cdp.api.routers import Router
from destinations.api.views import (
    ActivationViewSet,
    DeliveryViewSet,
    DestinationConnectionViewSet,
    DestinationTypeViewSet,
    RunViewSet,
)

router = Router()
router.register("destination-types", DestinationTypeViewSet, "destination-type")
router.register("destination-connections", DestinationConnectionViewSet, "destination-connection")
router.register("activations", ActivationViewSet, "activation")
router.register("activations/<str:activation_id>/runs", RunViewSet, "activation-run")
router.register(
    "activations/<str:activation_id>/deliveries", DeliveryViewSet, "activation-delivery"
)
urlpatterns = router.urls
