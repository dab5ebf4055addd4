"""Filters of lists of segments, named after what they look at."""

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from segments.enums import SegmentOrigin, SegmentState
from segments.models import Segment


class SegmentFilter(filters.FilterSet):  # type: ignore[misc]  # untyped package
    """Segments by name, state, origin, tag, what they look at, or words."""

    state = filters.ChoiceFilter(choices=SegmentState.choices)
    origin = filters.ChoiceFilter(choices=SegmentOrigin.choices)
    composition_id = filters.CharFilter()
    tag = filters.CharFilter(method="with_tag", help_text="One of its tags.")
    field = filters.CharFilter(
        method="with_field", help_text="A path that its rule names, of people or of events."
    )
    references = filters.CharFilter(
        method="with_reference", help_text="A segment that its rule asks for."
    )
    search = filters.CharFilter(
        method="with_words", help_text="Words of its name or its description."
    )

    class Meta:
        model = Segment
        fields = ["name", "state", "origin", "composition_id"]

    def with_tag(self, rows: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        """Keep those with a tag."""
        return rows.filter(tags__contains=[value])

    def with_field(self, rows: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        """Keep those that name a field."""
        return rows.filter(fields__contains=[value])

    def with_reference(self, rows: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        """Keep those that ask for a segment."""
        return rows.filter(references__contains=[value])

    def with_words(self, rows: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        """Keep those whose name or description has every word."""
        for word in value.split():
            rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
        return rows
