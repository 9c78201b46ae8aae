"""The folder of an export: what is written again, what people have changed and keep, what is removed.

The manifest, `.mom-export.json`, has a digest of each file as it was written last, so what people changed is told from
what mom wrote. It belongs into version control with the files.

| the file there | the file to write | what happens |
|---|---|---|
| is as it was written | differs | replaced |
| is as it was written | is not written any more | removed |
| was changed by people | is what it was before | kept, and named |
| was changed by people | differs from what it was before | kept, and reported once: people merge it |
| was not written by mom | differs | everything is refused |
| is a template | any | kept |

A header names the command and a digest of all that was read, and so does the manifest. Both are written again when that
digest has changed; another version of mom alone changes no file.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from mom.errors import MomError, UnreadableError
from mom.export.model import Export, ExportedFile
from mom.files import Replacement, read_file, reason_of

MANIFEST = ".mom-export.json"
# No file of an export of 10,000 adapters is near this.
MAX_BYTES = 1 << 28
_VERSION = re.compile(r" \(mom [^()\s]+\)")


class Action(StrEnum):
    """What happens to a file."""

    CREATED = "created"
    REPLACED = "replaced"
    REMOVED = "removed"
    KEPT = "kept"
    OUTDATED = "outdated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """A file of an export. old, new: its text, None where there is none. mode: of a file that is created.

    KEPT was changed by people, and mom would write what it wrote before; of OUTDATED it would not.
    """

    path: str
    action: Action
    old: str | None = None
    new: str | None = None
    mode: int = 0o644

    @property
    def writes(self) -> bool:
        """Whether the file is written or removed."""
        return self.action in {Action.CREATED, Action.REPLACED, Action.REMOVED}


@dataclass(frozen=True, slots=True)
class Written:
    """What the manifest has of a file: digests of its bytes, of which any may be there, and of it without a header."""

    written: tuple[str, ...]
    content: str
    is_template: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do in a folder. manifest: its entries afterwards; recorded: its text at present, None without one."""

    folder: Path
    changes: tuple[Change, ...]
    command: str
    digest: str
    manifest: Mapping[str, Written] = field(default_factory=dict)
    recorded: str | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the folder is not what an export would leave."""
        return self.recorded != _manifest_text(self, self.manifest) or any(change.writes for change in self.changes)

    def of(self, *actions: Action) -> list[str]:
        """Return the paths of what happens so."""
        return [change.path for change in self.changes if change.action in actions]


def plan(folder: Path, export: Export, version: str) -> Plan:
    """Return what to do in `folder` for `export`; nothing is written. version: mom's own, for headers.

    Raises MomError where the folder has another export, or a file that mom did not write where it would write one.
    """
    if folder.exists() and not folder.is_dir():
        raise MomError(f"{folder} is not a folder", hint="name another one: -o DIR")
    recorded = _read(folder, MANIFEST)
    known = {} if recorded is None else _read_manifest(folder / MANIFEST, recorded, export.command)
    changes: list[Change] = []
    manifest: dict[str, Written] = {}
    foreign: list[str] = []
    for file in sorted(export.files, key=lambda file: file.path):
        text = _with_header(file, export, version)
        # What may have credentials by now is not read.
        old = _read(folder, file.path) if not file.is_template else "" if _is_there(folder / file.path) else None
        change = _change(file, text, old, known.get(file.path))
        if change is None:
            foreign.append(file.path)
            continue
        changes.append(change)
        manifest[file.path] = _entry(file, change, text, known.get(file.path))
    if foreign:
        names = ", ".join(str(folder / name) for name in foreign[:5])
        hint = "export to another folder: -o DIR, or move what is there"
        raise MomError(f"not written by {export.command}: {names}; nothing was written", hint=hint)
    changes += _stale(folder, known, manifest)
    return Plan(folder, tuple(changes), export.command, export.digest, manifest, recorded)


def apply(todo: Plan) -> None:
    """Write and remove what a plan says, each file at once. Raises MomError; what was not reached is as it was."""
    if not todo.is_stale:
        return
    try:
        todo.folder.mkdir(parents=True, exist_ok=True)
        with _locked(todo.folder), contextlib.ExitStack() as stack:
            _check_unchanged(todo)
            # All of them before the first is put in place: the disk may be full.
            files = [
                (stack.enter_context(_replacement(todo.folder, change)), change)
                for change in todo.changes
                if change.writes and change.new is not None
            ]
            # Until all are in place, a file may be as it was or as it becomes: both are mom's.
            _write_manifest(todo, _either(todo))
            for replacement, _ in files:
                replacement.put()
            for change in todo.changes:
                if change.action is Action.REMOVED:
                    _remove(todo.folder, change.path)
            _write_manifest(todo, todo.manifest)
    except OSError as error:
        raise MomError(f"cannot write {todo.folder}: {reason_of(error)}") from None


def _check_unchanged(todo: Plan) -> None:
    """Raise MomError where somebody has written since the plan was made."""
    written = (change for change in todo.changes if change.writes)
    changed = [change.path for change in written if _read(todo.folder, change.path) != change.old]
    if changed or _read(todo.folder, MANIFEST) != todo.recorded:
        what = ", ".join(str(todo.folder / path) for path in changed or [MANIFEST])
        raise MomError(f"{what} was written meanwhile; nothing was written", hint="run it again")


def header(export: Export, version: str, comment: str) -> str:
    """Return the first line of a file whose format has comments."""
    return f"{comment} Written by `{export.command}` (mom {version}); input sha256:{export.digest[:16]}\n"


def _with_header(file: ExportedFile, export: Export, version: str) -> str:
    if not file.comment or file.is_template:
        return file.text
    line = header(export, version, file.comment)
    if file.text.startswith("#!"):
        first, _, rest = file.text.partition("\n")
        return f"{first}\n{line}{rest}"
    return line + file.text


def _change(file: ExportedFile, text: str, old: str | None, known: Written | None) -> Change | None:
    """Return what happens to a file that is written; None where it is not mom's to write."""
    if file.is_template and (old is not None or known is not None):
        # Also one that was removed: it is its reader's own, as in a clone without the `.env` that git ignores.
        return Change(file.path, Action.UNCHANGED)
    if old is None:
        return Change(file.path, Action.CREATED, None, text, file.mode)
    if _same(old, text):
        return Change(file.path, Action.UNCHANGED, old, text)
    if known is None:
        return None
    if _digest(old) in known.written:
        return Change(file.path, Action.REPLACED, old, text, file.mode)
    action = Action.KEPT if known.content == _digest(file.text) else Action.OUTDATED
    return Change(file.path, action, old, text)


def _entry(file: ExportedFile, change: Change, text: str, known: Written | None) -> Written:
    """Return what the manifest has of a file afterwards."""
    if file.is_template:
        # No digest of what may have credentials in it.
        return Written((), "", is_template=True)
    if known is not None and change.action in {Action.KEPT, Action.OUTDATED}:
        return Written(known.written, _digest(file.text))
    return Written((_digest(change.old if change.action is Action.UNCHANGED else text),), _digest(file.text))


def _same(old: str, new: str) -> bool:
    """Whether two texts differ by nothing but the version of mom in their headers."""
    return old == new or _VERSION.sub("", old, count=1) == _VERSION.sub("", new, count=1)


def _stale(folder: Path, known: Mapping[str, Written], manifest: Mapping[str, Written]) -> Iterator[Change]:
    """Yield what was written before and is not any more."""
    for path, before in sorted(known.items()):
        if path in manifest or before.is_template:
            continue
        old = _read(folder, path)
        if old is not None:
            yield Change(path, Action.REMOVED if _digest(old) in before.written else Action.KEPT, old)


def _digest(text: str | None) -> str:
    return hashlib.sha256((text or "").encode(errors="surrogateescape")).hexdigest()


def _is_there(path: Path) -> bool:
    """Whether there is anything by that name, also a link that leads nowhere."""
    return os.path.lexists(path)


def _read(folder: Path, path: str) -> str | None:
    """Return the text of a file, None where there is none. Raises MomError for a symbolic link, and what is no file."""
    at = folder
    for part in path.split("/"):
        at /= part
        if at.is_symlink():
            hint = "export to another folder: -o DIR"
            raise MomError(f"{at} is a symbolic link, and is not written through; nothing was written", hint=hint)
    try:
        return read_file(at, MAX_BYTES).decode(errors="surrogateescape")
    except UnreadableError as error:
        if error.missing:
            return None
        raise


def _read_manifest(path: Path, text: str, command: str) -> dict[str, Written]:
    try:
        data: Any = json.loads(text)
        files = {
            str(name): Written(tuple(entry["written"]), str(entry["content"]), bool(entry.get("template")))
            for name, entry in data["files"].items()
        }
        other = str(data["command"])
    except (ValueError, LookupError, TypeError, AttributeError):
        hint = "restore it from version control; or remove it and the files that it names"
        raise MomError(f"{path} is not the manifest of an export", hint=hint) from None
    if other != command:
        raise MomError(f"{path.parent} has the files of `{other}`", hint="export to another folder: -o DIR")
    if wrong := [name for name in files if not _is_inside(name)]:
        raise MomError(f"{path} names a file outside the folder: {wrong[0]}", hint="restore it from version control")
    return files


def _is_inside(name: str) -> bool:
    return bool(name) and all(part not in {"", ".", ".."} for part in name.split("/")) and "\0" not in name


def _manifest_text(todo: Plan, entries: Mapping[str, Written]) -> str:
    files = {
        name: {
            "written": list(entry.written),
            "content": entry.content,
            **({"template": True} if entry.is_template else {}),
        }
        for name, entry in sorted(entries.items())
    }
    return json.dumps({"command": todo.command, "input": todo.digest, "files": files}, indent=1) + "\n"


def _write_manifest(todo: Plan, entries: Mapping[str, Written]) -> None:
    with Replacement(os.fspath(todo.folder / MANIFEST)) as file:
        os.fchmod(file.descriptor, 0o644 & ~_umask())
        file.write(_manifest_text(todo, entries).encode())
        file.flush()
        file.put()


def _either(todo: Plan) -> dict[str, Written]:
    entries = dict(todo.manifest)
    for change in todo.changes:
        if change.writes:
            old = () if change.old is None else (_digest(change.old),)
            new = () if change.new is None else (_digest(change.new),)
            before = entries.get(change.path, Written((), ""))
            entries[change.path] = Written((*old, *new), before.content, before.is_template)
    return entries


def _replacement(folder: Path, change: Change) -> Replacement:
    path = folder / change.path
    path.parent.mkdir(parents=True, exist_ok=True)
    replacement = Replacement(os.fspath(path))
    mode = stat.S_IMODE(path.stat().st_mode) if change.old is not None else change.mode & ~_umask()
    os.fchmod(replacement.descriptor, mode)
    replacement.write((change.new or "").encode(errors="surrogateescape"))
    replacement.flush()
    return replacement


def _remove(folder: Path, path: str) -> None:
    at = folder / path
    at.unlink(missing_ok=True)
    for parent in at.parents:
        if parent == folder:
            return
        # One that has something else stays.
        with contextlib.suppress(OSError):
            parent.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait for other exports to the same folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # A network file system may have no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
