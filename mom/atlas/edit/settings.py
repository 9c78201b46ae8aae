"""Changing other keys in the `spec` of an HTTP adapter: each value in its place, a new one at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeGuard, cast

from mom.atlas.documents import value_at
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.appending import append_key
from mom.atlas.edit.scope import EditScope, data_of, refusal
from mom.atlas.edit.spots import Spot, find_spot, refuse_used_elsewhere, removal, replacement
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.errors import MomError
from mom.yamledit.data import Data
from mom.yamledit.nodes import Mapping, Scalar, Sequence, text_of
from mom.yamledit.operations import Operation
from mom.yamledit.paths import Path, show
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.tree_operations import AppendEntry, AppendItems, RemoveItems, RenameKey

# Of these a change may say some parts, and the others stay; and what each needs in the end.
_MERGED: dict[str, tuple[str, ...]] = {"oauth2": ("tokenUrl", "clientId", "clientSecret"), "tls": ()}


class Settings(NamedTuple):
    """What keys of `spec` are to be, and keys to take out.

    Of `oauth2` and `tls` only the parts that change, an empty one to take it out.
    """

    values: tuple[tuple[str, Value], ...] = ()
    removed: tuple[str, ...] = ()


def setting_operations(
    source: Source, scope: EditScope, adapters: AdapterList, own: OwnDocument, settings: Settings
) -> Iterator[Operation]:
    """Yield what sets and removes keys; nothing for one that is so already.

    Raises MomError where a value cannot be changed without another place, and for a part without the others.
    """
    for key, value in _wanted(data_of(source, own.root), settings).items():
        spot = find_spot(source, own.root, ("spec", key))
        if value is None:
            if spot.entry is not None:
                refuse_used_elsewhere(source, own.root, spot.entry[1], f"spec.{key}")
                yield removal(own, spot)
        elif spot.node is None:
            yield append_key(source, scope, adapters, own, key, value)
        else:
            yield from _change(source, own, ("spec", key), value)


def settings_before(data: Data, settings: Settings) -> Settings | None:
    """Return what undoes `settings`; None where an old value is nothing that can be written."""
    values: list[tuple[str, Value]] = []
    removed: list[str] = []
    for key, value in _wanted(data, settings).items():
        old = value_at(data, "spec", key)
        if old == value:
            continue
        if old is None:
            removed.append(key)
            continue
        if not _is_value(old):
            return None
        if key in _MERGED and isinstance(value, dict) and isinstance(old, dict):
            emptied: dict[str, Value] = {
                part: [] if isinstance(value[part], list) else "" for part in value if part not in old
            }
            values.append((key, {**cast("dict[str, Value]", old), **emptied}))
            continue
        values.append((key, old))
    return Settings(tuple(values), tuple(removed))


def _wanted(data: Data, settings: Settings) -> dict[str, Value | None]:
    """Return what each key is to be as a whole, None for one that goes."""
    wanted: dict[str, Value | None] = dict.fromkeys(settings.removed)
    for key, value in settings.values:
        wanted[key] = value
        if key in _MERGED and isinstance(value, dict):
            old = value_at(data, "spec", key)
            there = cast("dict[str, Value]", old) if isinstance(old, dict) else {}
            parts: dict[str, Value] = {**there, **value}
            left = {part: given for part, given in parts.items() if given not in ("", [])}
            missing = [part for part in _MERGED[key] if part not in left]
            if missing:
                message = f"`{key}` of the adapter would have no {' and no '.join(f'`{part}`' for part in missing)}"
                raise MomError(f"{message}; nothing was written", hint="give the options for these too")
            wanted[key] = left or None
    return wanted


def _change(source: Source, own: OwnDocument, path: Path, value: Value) -> Iterator[Operation]:
    """Yield what makes the value at `path` another one, each part of it in its place."""
    spot = find_spot(source, own.root, path)
    if spot.node is not None and data_of(source, spot.node) == value:
        return
    if isinstance(value, dict):
        yield from _change_mapping(source, own, path, spot, value)
    elif isinstance(value, list):
        yield from _change_list(source, own, path, spot, value)
    else:
        yield from replacement(source, own, path, value)


def _change_mapping(
    source: Source, own: OwnDocument, path: Path, spot: Spot, value: dict[str, Value]
) -> Iterator[Operation]:
    if not isinstance(spot.node, Mapping) or not spot.node.entries:
        raise _another_type(source, own, path, spot, "a mapping")
    there = {text_of(node): (number, inside) for number, (node, inside) in enumerate(spot.node.entries)}
    gone = [name for name in there if name is not None and name not in value]
    for key, part in value.items():
        if key in there:
            yield from _change(source, own, (*path, key), part)
        elif gone and isinstance(there[gone[0]][1], Scalar) and isinstance(part, str | int):
            # One that goes and one that comes: nothing moves, and the mapping is never without an entry.
            name = gone.pop(0)
            yield from replacement(source, own, (*path, name), part)
            yield RenameKey(own.document, own.root, spot.node, there[name][0], key)
        else:
            find_spot(source, own.root, (*path, key))
            yield AppendEntry(own.document, own.root, spot.node, key, part, Shape())
    for name in gone:
        refuse_used_elsewhere(source, own.root, there[name][1], show(path))
        yield removal(own, find_spot(source, own.root, (*path, name)))


def _change_list(source: Source, own: OwnDocument, path: Path, spot: Spot, value: list[Value]) -> Iterator[Operation]:
    if not isinstance(spot.node, Sequence) or not spot.node.items or spot.parent is None or spot.entry is None:
        raise _another_type(source, own, path, spot, "a list with items")
    there = len(spot.node.items)
    for index, part in enumerate(value[:there]):
        yield from _change(source, own, (*path, index), part)
    if len(value) < there:
        gone = tuple(range(len(value), there))
        for index in gone:
            refuse_used_elsewhere(source, own.root, spot.node.items[index], show(path))
        yield RemoveItems(own.document, own.root, spot.entry, gone)
    elif len(value) > there:
        yield AppendItems(own.document, own.root, spot.parent, spot.entry, value[there:], Shape())


def _another_type(source: Source, own: OwnDocument, path: Path, spot: Spot, wanted: str) -> MomError:
    node = spot.node or own.root
    message = f"`{path[-1]}` is not {wanted}"
    return refusal(problem_at(source, node.start, "wrong-type", message, end=node.end, path=show(path)))


def _is_value(data: Data) -> TypeGuard[Value]:
    """Whether an option could say it: text, whole numbers, and lists and mappings of them."""
    if isinstance(data, dict):
        return all(map(_is_value, data.values()))
    if isinstance(data, list):
        return all(map(_is_value, data))
    return isinstance(data, str) or type(data) is int
