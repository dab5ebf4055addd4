"""Functions of objects and arrays."""

from functools import partial
from typing import Any

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.registry import (
    function,
    list_of,
    object_of,
    text_of,
    whole_of,
)

object_function = partial(function, area="object")
array_function = partial(function, area="array")


@object_function(
    "size_of(value)", "Count characters, items or fields; null has none.",
    example=("size_of([1, 2])", 2), takes_null=True,
)  # fmt: skip
def size_of(value: Any) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str | list | dict) else 1


@object_function(
    "is_empty(value)", "Tell whether there is nothing in a text, array or object.",
    example=('is_empty("")', True), takes_null=True,
)  # fmt: skip
def is_empty(value: Any) -> bool:
    return not size_of(value)


@object_function(
    "to_object(key, value, ...)",
    "Make an object from keys and values in turn.",
    example=('to_object("a", 1, "b", 2)', {"a": 1, "b": 2}),
    takes_null=True,
    also=("to_map",),
)
def to_object(*pairs: Any) -> dict[str, Any]:
    if len(pairs) % 2:
        raise RowInvalid("Keys and values come in pairs.")
    given = zip(pairs[::2], pairs[1::2], strict=True)
    return {text_of(key): value for key, value in given if value is not None}


@object_function(
    "arrays_to_object(keys, values)",
    "Make an object from an array of keys and one of values.",
    example=('arrays_to_object(["a", "b"], [1, 2])', {"a": 1, "b": 2}),
)
def arrays_to_object(keys: Any, values: Any) -> dict[str, Any]:
    return {
        text_of(key): value
        for key, value in zip(list_of(keys), list_of(values), strict=False)
        if value is not None
    }


@object_function(
    "str_to_object(text, valueSeparator, fieldSeparator)",
    "Read an object from a text such as `a:1,b:2`.",
    example=('str_to_object("a=1;b=2", "=", ";")', {"a": "1", "b": "2"}),
    also=("str_to_map",),
)
def str_to_object(text: Any, value_separator: str = ":", field_separator: str = ",") -> Any:
    fields = (part.partition(value_separator) for part in text_of(text).split(field_separator))
    return {key.strip(): value.strip() for key, found, value in fields if found}


@object_function(
    "contains_key(object, path)", "Tell whether an object has a field, given by its path.",
    example=('contains_key(to_object("a", 1), "a")', True),
    also=("is_set",),
)  # fmt: skip
def contains_key(value: Any, path: str) -> bool:
    for name in text_of(path).split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


@object_function("nullify()", "Return null, so that the field is left out.", takes_null=True)
def nullify() -> None:
    return None


@object_function(
    "get_keys(object)", "Return the names of an object's fields.",
    example=('get_keys(to_object("a", 1))', ["a"]),
)  # fmt: skip
def get_keys(value: Any) -> list[str]:
    return list(object_of(value))


@object_function(
    "get_values(object, key)",
    "Return the value of one field.",
    example=('get_values(to_object("a", 1), "a")', 1),
)
def get_values(value: Any, key: str) -> Any:
    return object_of(value).get(key)


@object_function(
    "map_get_values(object, keys)",
    "Return the values of some fields, in the order of the keys.",
    example=('map_get_values(to_object("a", 1, "b", 2), ["b"])', [2]),
)
def map_get_values(value: Any, keys: Any) -> list[Any]:
    given = object_of(value)
    return [given[key] for key in list_of(keys) if key in given]


@object_function(
    "map_has_keys(object, keys)",
    "Tell whether an object has all of these fields.",
    example=('map_has_keys(to_object("a", 1), ["a", "b"])', False),
)
def map_has_keys(value: Any, keys: Any) -> bool:
    return all(key in object_of(value) for key in list_of(keys))


@object_function(
    "add_to_map(object, more)",
    "Join two objects; the second wins.",
    example=('add_to_map(to_object("a", 1), to_object("b", 2))', {"a": 1, "b": 2}),
)
def add_to_map(value: Any, more: Any) -> dict[str, Any]:
    return {**object_of(value), **object_of(more)}


@object_function(
    "object_to_map(object)", "Return an object as a map.",
    example=('object_to_map(to_object("a", 1))', {"a": 1}),
)  # fmt: skip
def object_to_map(value: Any) -> dict[str, Any]:
    return dict(object_of(value))


@object_function(
    "array_to_map(objects, key)",
    "Make a map of objects by the value of one of their fields.",
    example=('array_to_map([to_object("id", "x")], "id")', {"x": {"id": "x"}}),
)
def array_to_map(values: Any, key: str) -> dict[str, Any]:
    return {text_of(item[key]): item for item in list_of(values) if object_of(item).get(key)}


@array_function(
    "coalesce(a, b, ...)", "Return the first value that is not null.",
    example=("coalesce(null, 2)", 2), takes_null=True,
)  # fmt: skip
def coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


@array_function(
    "upsert_array_append(array)",
    "Put the items behind those that the profile has already, where a row changes only what it "
    "names. Stands alone in its rule; in a row that says everything anew it is the array itself.",
    example=("upsert_array_append([1, 2])", [1, 2]),
)
def upsert_array_append(values: Any) -> list[Any]:
    return list_of(values)


@array_function(
    "upsert_array_replace(array)",
    "Put the items in the place of those that the profile has already, as every rule does; says "
    "that this is meant. Stands alone in its rule.",
    example=("upsert_array_replace([1, 2])", [1, 2]),
)
def upsert_array_replace(values: Any) -> list[Any]:
    return list_of(values)


@array_function("first(array)", "Return the first item.", example=("first([1, 2])", 1))
def first(values: Any) -> Any:
    return next(iter(list_of(values)), None)


@array_function("last(array)", "Return the last item.", example=("last([1, 2])", 2))
def last(values: Any) -> Any:
    items = list_of(values)
    return items[-1] if items else None


@array_function(
    "get_item(array, position)", "Return one item, the first being 0; null if there is none.",
    example=("get_item([5, 6], 1)", 6),
)  # fmt: skip
def get_item(values: Any, position: Any) -> Any:
    items, index = list_of(values), whole_of(position)
    return items[index] if 0 <= index < len(items) else None


@array_function(
    "add_to_array(array, value, ...)",
    "Put values at the end of an array; null counts as an empty one.",
    example=("add_to_array([1], 2, 3)", [1, 2, 3]),
    takes_null=True,
)
def add_to_array(values: Any, *more: Any) -> list[Any]:
    start = [] if values is None else list_of(values)
    return [*start, *(value for value in more if value is not None)]


@array_function(
    "join_arrays(a, b, ...)",
    "Put arrays one behind the other.",
    example=("join_arrays([1], [2])", [1, 2]),
    takes_null=True,
)
def join_arrays(*arrays: Any) -> list[Any]:
    return [item for array in arrays if array is not None for item in list_of(array)]


@array_function(
    "intersect(a, b)", "Return the items that are in both arrays.",
    example=("intersect([1, 2], [2, 3])", [2]),
)  # fmt: skip
def intersect(one: Any, other: Any) -> list[Any]:
    return [item for item in list_of(one) if item in list_of(other)]


@array_function(
    "to_array(includeNulls, a, b, ...)",
    "Make an array of values, with or without the nulls.",
    example=("to_array(false, 1, null, 2)", [1, 2]),
    takes_null=True,
)
def to_array(include_nulls: Any, *values: Any) -> list[Any]:
    return [value for value in values if include_nulls or value is not None]


@array_function(
    "select_array(array, value)",
    "Return the items that equal a value.",
    example=('select_array(["a", "b", "a"], "a")', ["a", "a"]),
)
def select_array(values: Any, wanted: Any) -> list[Any]:
    return [item for item in list_of(values) if item == wanted]
