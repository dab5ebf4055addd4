"""Pages of what is held in memory: standard resources with the sandbox's own, and fields."""

from cdp.api.catalogues import CataloguePagination


class EntryPagination(CataloguePagination):
    """Pages over resources, whose titles may change."""

    key = "id"


class FieldPagination(CataloguePagination):
    """Pages over the fields of a schema, in the schema's order."""

    key = "path"
