"""Routes of segments."""

from typing import Any

from django.urls import URLPattern, URLResolver, path

from cdp.api.routers import Router
from segments.api.composition_views import CompositionViewSet
from segments.api.rule_views import (
    ConversionViewSet,
    EstimateViewSet,
    OverlapViewSet,
    SegmentJobViewSet,
)
from segments.api.schedule_views import SegmentScheduleViewSet
from segments.api.upload_views import SegmentUploadViewSet
from segments.api.views import SegmentViewSet

router = Router()
router.register("segments", SegmentViewSet, "segment")
router.register("compositions", CompositionViewSet, "composition")
router.register("segment-uploads", SegmentUploadViewSet, "segment-upload")
router.register("segment-jobs", SegmentJobViewSet, "segment-job")
router.register("segment-schedules", SegmentScheduleViewSet, "segment-schedule")

_CREATE: dict[str, Any] = {"post": "create"}
urlpatterns: list[URLPattern | URLResolver] = [
    path("segments/convert/", ConversionViewSet.as_view(_CREATE), name="segments-convert"),
    path("segments/overlap/", OverlapViewSet.as_view(_CREATE), name="segments-overlap"),
    path("segment-estimates/", EstimateViewSet.as_view(_CREATE), name="segment-estimates"),
    *router.urls,
]
