"""A fast way to see that a document fits its schema, which nearly all do.

A schema is compiled into closures, once. They answer only "certainly fits": for whatever does not, and for whatever
keyword is not known here, the answer is no, and a full validator is asked, which also says why. So a mistake here can
cost time, and a property test holds that it accepts nothing which the full validator refuses. For 10,000 adapters this
takes a tenth of the validator's time, and a file without mistakes does not pay for importing one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]

_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "examples", "default", "patternErrorMessage"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def compile_schema(schema: dict[str, Any]) -> Check:
    """Return a function that says whether data certainly fits `schema` (draft 2020-12)."""
    return _compile(schema, schema)


def fits(schema: dict[str, Any], data: object) -> bool:
    """Whether `data` fits `schema`. A full validator is imported, and asked, only where the quick answer is no."""
    if compile_schema(schema)(data):
        return True
    from jsonschema import Draft202012Validator

    return bool(Draft202012Validator(schema).is_valid(data))


def _compile(schema: dict[str, Any], root: dict[str, Any]) -> Check:
    checks: list[Check] = []
    if "type" in schema:
        checks.append(_type(schema["type"]))
    for keyword, wanted in schema.items():
        if keyword in _KEYWORDS:
            checks.append(_KEYWORDS[keyword](wanted, schema, root))
        elif keyword not in _ANNOTATIONS and keyword != "type":
            return _never
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _never(_: Any) -> bool:
    return False


def _type(wanted: str | list[str]) -> Check:
    names = {wanted} if isinstance(wanted, str) else set(wanted)
    accepted = frozenset(kind for name in names for kind in _TYPES[name])
    # The exact type: True is an int to Python, and no number to JSON.
    return lambda value: type(value) in accepted


def _properties(wanted: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]) -> Check:
    checks = {name: _compile(inner, root) for name, inner in wanted.items()}
    others = _others(schema.get("additionalProperties", True), root)

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        return all(checks[key](item) if key in checks else others(item) for key, item in value.items())

    return check


def _additional(wanted: Any, schema: dict[str, Any], root: dict[str, Any]) -> Check:
    if "properties" in schema:
        return lambda _: True  # done there
    others = _others(wanted, root)
    return lambda value: type(value) is not dict or all(others(item) for item in value.values())


def _others(wanted: Any, root: dict[str, Any]) -> Check:
    if isinstance(wanted, bool):
        return lambda _: wanted
    return _compile(wanted, root)


def _required(wanted: list[str], _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) is not dict or all(key in value for key in wanted)


def _items(wanted: dict[str, Any], _: dict[str, Any], root: dict[str, Any]) -> Check:
    check = _compile(wanted, root)
    return lambda value: type(value) is not list or all(check(item) for item in value)


def _reference(wanted: str, _: dict[str, Any], root: dict[str, Any]) -> Check:
    name = wanted.removeprefix("#/$defs/")
    return _compile(root["$defs"][name], root) if name in root.get("$defs", {}) else _never


def _constant(wanted: Any, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) is str and value == wanted


def _enumeration(wanted: list[Any], _: dict[str, Any], __: dict[str, Any]) -> Check:
    known = {value for value in wanted if isinstance(value, str)}
    return lambda value: type(value) is str and value in known


def _pattern(wanted: str, _: dict[str, Any], __: dict[str, Any]) -> Check:
    search = re.compile(wanted).search
    return lambda value: type(value) is not str or search(value) is not None


def _min_length(wanted: int, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) is not str or len(value) >= wanted


def _max_length(wanted: int, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) is not str or len(value) <= wanted


def _minimum(wanted: float, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) not in {int, float} or value >= wanted


def _maximum(wanted: float, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) not in {int, float} or value <= wanted


def _min_properties(wanted: int, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) is not dict or len(value) >= wanted


def _min_items(wanted: int, _: dict[str, Any], __: dict[str, Any]) -> Check:
    return lambda value: type(value) is not list or len(value) >= wanted


_KEYWORDS: dict[str, Callable[[Any, dict[str, Any], dict[str, Any]], Check]] = {
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "$ref": _reference,
    "const": _constant,
    "enum": _enumeration,
    "pattern": _pattern,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minimum": _minimum,
    "maximum": _maximum,
    "minProperties": _min_properties,
    "minItems": _min_items,
}
