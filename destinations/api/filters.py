"""Filters of lists, named after the fields of what they list."""

from django_filters import rest_framework as filters

from destinations.enums import DeliveryState
from destinations.models import Activation, Delivery


class ActivationFilter(filters.FilterSet):  # type: ignore[misc]  # untyped package
    """Activations of a connection or of a segment."""

    connection_id = filters.CharFilter()
    segment_id = filters.CharFilter()

    class Meta:
        model = Activation
        fields = ["connection_id", "segment_id", "enabled"]


class DeliveryFilter(filters.FilterSet):  # type: ignore[misc]  # untyped package
    """Deliveries of a run, or in a state."""

    run_id = filters.CharFilter()
    state = filters.ChoiceFilter(choices=DeliveryState.choices)

    class Meta:
        model = Delivery
        fields = ["run_id", "state"]
