"""What narrows a list down."""

from typing import Any

from django.forms import ChoiceField
from django_filters.rest_framework import DjangoFilterBackend

from cdp.api.serializers import none_of


class FilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # untyped package
    """Refuses a choice that is none with those that there are."""

    def get_filterset(self, *args: Any) -> Any:
        filters = super().get_filterset(*args)
        for field in filters.form.fields.values() if filters else ():
            if isinstance(field, ChoiceField):
                choices: Any = field.choices
                known = [value for value, _ in choices if value != ""]
                field.error_messages["invalid_choice"] = none_of("%(value)s", known)
        return filters
