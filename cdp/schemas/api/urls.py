"""Routes of schemas."""

from django.urls import URLPattern, URLResolver, path

from cdp.api.routers import Router
from cdp.schemas.api.component_views import (
    BehaviorViewSet,
    ClassViewSet,
    DataTypeViewSet,
    FieldGroupViewSet,
)
from cdp.schemas.api.descriptor_views import DescriptorViewSet
from cdp.schemas.api.schema_views import SchemaImportViewSet, SchemaViewSet
from cdp.schemas.api.union_views import UnionViewSet

router = Router()
router.register("behaviors", BehaviorViewSet, "behaviors")
router.register("classes", ClassViewSet, "classes")
router.register("field-groups", FieldGroupViewSet, "field-groups")
router.register("data-types", DataTypeViewSet, "data-types")
router.register("schemas", SchemaViewSet, "schemas")
router.register("descriptors", DescriptorViewSet, "descriptors")
router.register("unions", UnionViewSet, "unions")

urlpatterns: list[URLPattern | URLResolver] = [
    path("schemas/import/", SchemaImportViewSet.as_view({"post": "create"}), name="schemas-import"),
    *router.urls,
]
