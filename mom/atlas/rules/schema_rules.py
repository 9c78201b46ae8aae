"""What a schema finds wrong with a document, as problems with a place in the file and a hint.

A JSON Schema error names data, in a validator's words. Here each becomes a sentence about the file: an unknown key is
shown where the key is, a missing one at the mapping that lacks it, a wrong value where the value is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mom.atlas.documents import DataDocument, value_at
from mom.atlas.kinds import Kind
from mom.atlas.quick_check import Check, compile_schema
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.schemas import schema
from mom.atlas.suggestions import closest, listed, only_close
from mom.problems import Problem
from mom.yamledit.data import Data
from mom.yamledit.line_slips import LOOKALIKE, Line, entry_slips, explain_lookalike
from mom.yamledit.nodes import Mapping, Node, Scalar
from mom.yamledit.paths import Path, show

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

PathProblem = tuple[Path, Problem]


class Violation(NamedTuple):
    """What a validator says: the schema's keyword with what it wants, the schema it is in, and the value."""

    keyword: str
    wanted: Any
    schema: Any
    value: Any


def schema_problems(document: DataDocument, kind: Kind) -> Iterator[PathProblem]:
    """Yield what the schema of `kind` finds in `document`, each with the path of the value at fault.

    `apiVersion` and `kind` themselves are left out: `mom.atlas.rules` says more about them.
    """
    if _fits(kind)(document.data):
        return
    yield from _without_echoes(_explained(document, kind))


def _without_echoes(violations: Iterator[tuple[Path, Violation, Problem]]) -> Iterator[PathProblem]:
    """Leave out that a key has no value where what belongs inside it follows at the wrong indentation."""
    problems = list(violations)
    fed = {
        (*path, inner)
        for path, violation, problem in problems
        if problem.rule == "unknown-key"
        for key in violation.value
        if (inner := _inner(_clean(key), violation)) is not None and violation.value.get(inner) is None
    }
    for path, violation, problem in problems:
        if not (path in fed and violation.keyword == "type" and violation.value is None):
            yield path, problem


def _explained(document: DataDocument, kind: Kind) -> Iterator[tuple[Path, Violation, Problem]]:
    incomplete: set[Path] = set()
    for error in _validator(kind).iter_errors(document.data):
        path: Path = tuple(error.absolute_path)
        violation = Violation(str(error.validator), error.validator_value, error.schema, error.instance)
        if path in {("apiVersion",), ("kind",)}:
            continue
        if violation.keyword == "required":
            # A validator gives one error for each missing key, and only in words: the first reports all.
            if path in incomplete:
                continue
            incomplete.add(path)
        for problem in _EXPLAINED.get(violation.keyword, _other)(document, path, violation):
            yield path, violation, problem


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
        at = document.tree.nearest((*path, key)).key
        message = f"`{_clean(key)}` is not a key of {_name(path)}"
        problem = document.problem((*path, key), "unknown-key", message, at=at, hint=_meant(key, error))
        missing = [name for name in known if name not in error.value]
        meant = only_close(key, known)
        problem = replace(problem, replacement=meant if meant in missing else None)
        yield _mistyped(document, key, at, problem) or problem


def _mistyped(document: DataDocument, key: str, at: Node | None, problem: Problem) -> Problem | None:
    """Return the problem of a key that is not known because of a mark in it that is hard to see."""
    if at is None:
        return None
    text = document.source.text
    if key.startswith("-") and text.startswith("-", at.start):
        message, hint = "no space after `-`", "write a space after the dash of a list item"
        return problem_at(document.source, at.start + 1, "unknown-key", message, hint=hint, path=problem.path)
    lookalike = LOOKALIKE.search(text, at.start, at.end)
    if lookalike is None or (explained := explain_lookalike(lookalike.group()[0])) is None:
        return None
    return problem_at(
        document.source, lookalike.start(), "unknown-key", explained[0], hint=explained[1], path=problem.path
    )


def _clean(key: str) -> str:
    """Return a key without the characters in it that are hard to see."""
    return LOOKALIKE.sub("", key).strip()


def _meant(key: str, error: Violation) -> str:
    known = error.schema["properties"]
    if meant := closest(key, known):
        return f"did you mean `{meant}`?"
    if (inner := _inner(key, error)) is not None:
        return f"`{key}` belongs inside `{inner}`: indent it below"
    if {"name", "value"} <= set(known) and re.match(r"[A-Za-z][A-Za-z0-9-]*\Z", key):
        return f"write a header as `name: {key}` and `value:` on two lines"
    return f"its keys are {listed(known)}" if known else "remove it: there is nothing to set here"


def _inner(key: str, error: Violation) -> str | None:
    """Return the key beside an unknown one that it belongs inside."""
    known = error.schema.get("properties", {})
    if key in known:
        return None
    return next((inner for inner in known if key in known[inner].get("properties", {})), None)


def _missing_key(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    known = error.schema["properties"]
    if (above := _split_item(document, path, error, -1)) is not None:
        # What the original's documentation shows for Postgres, and what one dash too many makes of a header.
        first = next(iter(error.value))
        message = f"`{first}` begins a new item, but belongs to the one above"
        hint = f"write it without the dash, below `{next(iter(above))}:` and in its column"
        yield document.problem(path, "missing-key", message, at=_owner(document, path), hint=hint)
        return
    if _split_item(document, path, error, 1) is not None:
        return
    strict = error.schema.get("additionalProperties") is False
    meant = {closest(key, known): key for key in error.value if key not in known}
    for key in error.wanted:
        if key in error.value or (not path and key in {"apiVersion", "kind"}):
            continue
        if key in meant and strict:
            # The unknown key that looks like it is reported already.
            continue
        example = next(iter(known[key].get("examples", ())), None)
        hint = f"write, for example, `{key}: {example}`" if isinstance(example, str) else f"add `{key}:`"
        at = _owner(document, path)
        if key in meant:
            hint = f"did you mean `{key}` where it says `{_clean(meant[key])}`?"
            at = document.tree.nearest((*path, meant[key])).key or at
        yield document.problem(path, "missing-key", f"`{key}` is missing from {_name(path)}", at=at, hint=hint)


def _split_item(document: DataDocument, path: Path, error: Violation, step: int) -> dict[str, Data] | None:
    """Return the item before (-1) or after (1) the one at `path` if only both together are one whole item."""
    if not path or not isinstance(path[-1], int) or path[-1] + step < 0:
        return None
    other = value_at(document.data, *path[:-1], path[-1] + step)
    if not isinstance(other, dict) or not other or not error.value or other.keys() & error.value.keys():
        return None
    return other if set(error.wanted) <= other.keys() | error.value.keys() else None


def _owner(document: DataDocument, path: Path) -> Node:
    """Return what to point at where a mapping lacks something: its key; in a list or at the top, its first key."""
    nearest = document.tree.nearest(path)
    if nearest.key is not None:
        return nearest.key
    value = document.tree.follow(nearest.value)
    return value.entries[0][0] if isinstance(value, Mapping) and value.entries else nearest.value


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
    message = f"{_name(path)} has no value: it must be {words}"
    if value is not None:
        message = f"{_name(path)} must be {words}, and is {_kind_of(value)}"
    if value is not None and (problem := _not_an_entry(document, path, error, message)) is not None:
        yield problem
        return
    yield document.problem(path, "wrong-type", message, hint=_other_type(wanted, value) or _shown(path, error, words))


def _not_an_entry(document: DataDocument, path: Path, error: Violation, message: str) -> Problem | None:
    """Return the problem of a value that is text because of a slip in its `key: value`."""
    node = document.tree.nearest(path).value
    wanted = error.schema.get("items", error.schema)
    known = {*wanted.get("properties", ()), *error.schema.get("properties", ())}
    if not isinstance(node, Scalar) or node.style or not known:
        return None
    line = document.source.text[node.start : node.end].split("\n", 1)[0]
    for slip in entry_slips(Line(node.start, line)):
        key = re.match(r"[\w.-]+", line[Line(node.start, line).head :])
        if key is not None and key[0].lstrip("-") in known:
            words = f"{message}: {slip.message}"
            return problem_at(
                document.source, slip.start, "wrong-type", words, end=slip.end, hint=slip.hint, path=show(path)
            )
    return None


def _shown(path: Path, error: Violation, words: str) -> str:
    """Return how a value of the wanted type is written, from the schema's example where it has one."""
    example = next(iter(error.schema.get("examples", ())), None)
    key = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
    if isinstance(example, str | int | float) and not isinstance(example, bool):
        return f"for example `{key}{example}`"
    properties = error.schema.get("required") or list(error.schema.get("properties", ()))
    if properties:
        item = "" if key else "- "
        return f"write {words} with keys such as `{item}{properties[0]}:`, indented below"
    return f"write {words}"


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
            return "remove the quotes"
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
    hint = f"did you mean `{meant}`?" if meant else f"allowed: {listed(known)}"
    problem = document.problem(
        path, "unknown-value", f"{_name(path)} is {shown}, which is not an allowed value", hint=hint
    )
    yield replace(problem, replacement=only_close(value, known) if isinstance(value, str) else None)


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
    yield document.problem(
        path, "wrong-value", f"{_name(path)}: {_sentence(words)}", hint=hint or "write another value"
    )


def _out_of_range(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    words = {"minimum": "at least", "maximum": "at most"}[error.keyword]
    known = error.schema
    limits = [f"{name} {known[key]}" for name, key in (("from", "minimum"), ("to", "maximum")) if key in known]
    hint = f"write a number {' '.join(limits)}"
    yield document.problem(path, "wrong-value", f"{_name(path)} must be {words} {error.wanted}", hint=hint)


def _other(document: DataDocument, path: Path, error: Violation) -> Iterator[Problem]:
    message = f"{_name(path)} is refused by the schema's `{error.keyword}`"
    hint = "see what is allowed: mom atlas config schema"
    yield document.problem(path, "wrong-value", message, hint=hint)


def _empty(document: DataDocument, path: Path, _: Violation) -> Iterator[Problem]:
    hint = "write an entry in it, or remove it"
    yield document.problem(path, "wrong-value", f"{_name(path)} is empty", hint=hint)


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
    "minItems": _empty,
}


def _name(path: Path) -> str:
    """Name what a path leads to, in a sentence."""
    named = [step for step in path if isinstance(step, str)]
    if not path:
        return "this document"
    return f"`{named[-1]}`" if isinstance(path[-1], str) else f"an item of `{named[-1]}`"


def _sentence(words: str) -> str:
    return (words[:1].lower() + words[1:]).rstrip(".")
