"""What a schema finds wrong with a document, as problems with a place in the file and a way out.

A JSON Schema error names data, in a validator's words. Here each becomes a sentence about the file: an unknown key is
shown where the key stands, a missing one at the mapping that lacks it, a wrong value where the value stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mom.atlas.documents import DataDocument
from mom.atlas.kinds import Kind
from mom.atlas.quick_check import Check, compile_schema
from mom.atlas.schemas import schema
from mom.atlas.suggestions import closest, listed
from mom.problems import Problem
from mom.yamledit.nodes import Mapping, Node
from mom.yamledit.paths import Path

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Found = tuple[Path, Problem]


class Violation(NamedTuple):
    """What a validator says: the schema's keyword with what it wants, the schema it stands in, and the value."""

    keyword: str
    wanted: Any
    schema: Any
    value: Any


def schema_problems(document: DataDocument, kind: Kind) -> Iterator[Found]:
    """Yield what the schema of `kind` finds in `document`, each with the path of the value at fault.

    `apiVersion` and `kind` themselves are left out: `mom.atlas.rules` says more about them.
    """
    if _fits(kind)(document.data):
        return
    incomplete: set[Path] = set()
    for error in _validator(kind).iter_errors(document.data):
        path: Path = tuple(error.absolute_path)
        violation = Violation(str(error.validator), error.validator_value, error.schema, error.instance)
        if path in {("apiVersion",), ("kind",)}:
            continue
        if violation.keyword == "required":
            # A validator gives one error for each missing key, and names it only in words: all are told at the first.
            if path in incomplete:
                continue
            incomplete.add(path)
        for found in _EXPLAINED.get(violation.keyword, _other)(document, path, violation):
            yield path, found


@cache
def _fits(kind: Kind) -> Check:
    return compile_schema(schema(kind))


@cache
def _validator(kind: Kind) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(kind))


def _unknown_keys(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    known = error.schema["properties"]
    for key in error.value:
        if key in known:
            continue
        found = document.tree.nearest((*path, key))
        yield document.problem(
            (*path, key), "unknown-key", f"`{key}` is not a key of {_name(path)}", at=found.key, hint=_meant(key, error)
        )


def _meant(key: str, error: Violation) -> str:
    known = error.schema["properties"]
    if meant := closest(key, known):
        return f"did you mean `{meant}`?"
    for inner in known:
        if key in known[inner].get("properties", {}):
            return f"`{key}` belongs inside `{inner}`: indent it below"
    return f"its keys are {listed(known)}" if known else "leave it out: there is nothing to set here"


def _missing_key(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    known = error.schema["properties"]
    strict = error.schema.get("additionalProperties") is False
    meant = {closest(key, known): key for key in error.value if key not in known}
    for key in error.wanted:
        if key in error.value or (not path and key in {"apiVersion", "kind"}):
            continue
        if key in meant and strict:
            # The unknown key that looks like it is told already.
            continue
        example = next(iter(known[key].get("examples", ())), None)
        hint = f"write, for example, `{key}: {example}`" if isinstance(example, str) else f"add `{key}:`"
        if key in meant:
            hint = f"did you mean `{key}` where it says `{meant[key]}`?"
        yield document.problem(
            path, "missing-key", f"`{key}` is missing from {_name(path)}", at=_owner(document, path), hint=hint
        )


def _owner(document: DataDocument, path: Path) -> Node:
    """Return what to point at where a mapping lacks something: its key; in a list or at the top, its first key."""
    found = document.tree.nearest(path)
    if found.key is not None:
        return found.key
    value = document.tree.follow(found.value)
    return value.entries[0][0] if isinstance(value, Mapping) and value.entries else found.value


_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
}


def _wrong_type(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    wanted = [error.wanted] if isinstance(error.wanted, str) else error.wanted
    words = " or ".join(_TYPES[name] for name in wanted if name != "null")
    value = error.value
    if value is None:
        message, hint = f"{_name(path)} has no value: it must be {words}", None
        if example := error.schema.get("examples"):
            hint = f"for example `{example[0]}`" if isinstance(example[0], str) else None
        yield document.problem(path, "wrong-type", message, hint=hint)
        return
    yield document.problem(
        path, "wrong-type", f"{_name(path)} must be {words}, and is {_kind_of(value)}", hint=_other_type(wanted, value)
    )


def _kind_of(value: Any) -> str:
    """Name a value's type. The value itself is not repeated: it may be a credential."""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, float) and not value.is_integer():
        return "a number with a fraction"
    names: dict[type, str] = {str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names[type(value)]


def _other_type(wanted: list[str], value: Any) -> str | None:
    """Return how to write a value so that it has the wanted type, where that is only a matter of quotes."""
    if "string" in wanted and isinstance(value, int | float):
        return "put it in quotes"
    if isinstance(value, str):
        number = value.strip().removeprefix("-").replace(".", "", 1).isdecimal()
        if number and ({"number", "integer"} & set(wanted)):
            return "leave out the quotes"
        if "boolean" in wanted:
            if value.lower() in {"true", "false"}:
                return f"write {value.lower()}, without quotes"
            if value.lower() in {"yes", "on", "y", "no", "off", "n"}:
                return f"write {'true' if value.lower() in {'yes', 'on', 'y'} else 'false'}"
    if "array" in wanted and isinstance(value, dict):
        return "write each item with a leading `- `"
    return None


def _not_one_of(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    known = [error.wanted] if error.keyword == "const" else error.wanted
    value = error.value
    shown = f"`{value}`" if isinstance(value, str) else _kind_of(value) if value is not None else "empty"
    meant = closest(value, known) if isinstance(value, str) else None
    hint = f"did you mean `{meant}`?" if meant else f"known here: {listed(known)}"
    yield document.problem(path, "unknown-value", f"{_name(path)} is {shown}, which is not known here", hint=hint)


def _wrong_text(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    if error.keyword == "pattern" and not error.value and error.schema.get("minLength"):
        return
    words = {
        "minLength": "it is empty",
        "maxLength": f"it is longer than {error.wanted} characters",
        "pattern": error.schema.get("patternErrorMessage", "it does not have the right form"),
    }[error.keyword]
    examples = error.schema.get("examples")
    hint = f"for example `{examples[0]}`" if examples else None
    yield document.problem(path, "wrong-value", f"{_name(path)}: {_sentence(words)}", hint=hint)


def _out_of_range(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    words = {"minimum": "at least", "maximum": "at most"}[error.keyword]
    yield document.problem(path, "wrong-value", f"{_name(path)} must be {words} {error.wanted}")


def _other(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    yield document.problem(path, "wrong-value", f"{_name(path)} is refused by the schema's `{error.keyword}`")


def _empty(document: DataDocument, path: Path, _: Violation) -> Iterator[Problem]:
    yield document.problem(path, "wrong-value", f"{_name(path)} is empty")


_EXPLAINED: dict[str, Callable[[DataDocument, Path, Violation], Iterator[Problem]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_key,
    "type": _wrong_type,
    "const": _not_one_of,
    "enum": _not_one_of,
    "pattern": _wrong_text,
    "minLength": _wrong_text,
    "maxLength": _wrong_text,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "minProperties": _empty,
}


def _name(path: Path) -> str:
    """Name what a path leads to, in a sentence."""
    named = [step for step in path if isinstance(step, str)]
    if not path:
        return "this document"
    return f"`{named[-1]}`" if isinstance(path[-1], str) else f"an item of `{named[-1]}`"


def _sentence(words: str) -> str:
    return (words[:1].lower() + words[1:]).rstrip(".")
