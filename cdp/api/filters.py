"""What narrows a list down."""

from typing import Any

from django.forms import ChoiceField, ModelChoiceField
from django_filters.rest_framework import DjangoFilterBackend

from cdp.api.serializers import none_of


class FilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # untyped package
    """Refuses a choice that is none with those that there are.

    Those written in code, that is: rows that may be chosen are not read for every request.
    """

    def get_filterset(self, *args: Any) -> Any:
        filters = super().get_filterset(*args)
        for field in filters.form.fields.values() if filters else ():
            if isinstance(field, ChoiceField) and not isinstance(field, ModelChoiceField):
                choices: Any = field.choices
                known = [value for value, _ in choices if value != ""]
                field.error_messages["invalid_choice"] = none_of("%(value)s", known)
        return filters
