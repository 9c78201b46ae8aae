"""Documents of one form: equal but for a name, a host and variables, so that what holds of one holds of all.

A file of 10,000 adapters has a few forms. The first document of a form is read and checked like any other. Of the
second one the form is taken: its text with stand-ins for what differs is read and checked, and where the stand-ins turn
up again in the adapter, the values of each further document are put. That costs a hundredth of the time, also when a
file is read again of which one document has changed.

Only values count that make no difference to any rule (`_VALUE`): whether that is so, a property test asks. Everything
else, comments too, is part of the form. A document with any problem has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from mom.atlas.adapters import KINDS, settings
from mom.atlas.adapters.http import HTTP, HttpAdapter
from mom.atlas.adapters.kind import Setting
from mom.atlas.documents import DataDocument, read_whole
from mom.atlas.folding import NAME
from mom.atlas.kinds import ATLAS, Kind
from mom.atlas.model import Adapter
from mom.atlas.rebuilding import Build, compiled
from mom.atlas.references import STEERING, names
from mom.atlas.values.foreign import PLACEHOLDER_WORDS
from mom.gateway import HTTP_PREFIX
from mom.masking import AWS_KEY_STARTS
from mom.yamledit.data import Data
from mom.yamledit.nodes import Mapping
from mom.yamledit.source import BOM, Source
from mom.yamledit.stream import Document

# No name of another tool's placeholder, of a token, or of a setting of the Atlas process: rules tell these apart.
_KNOWN_WORDS = "|".join([*map(str.upper, PLACEHOLDER_WORDS), *AWS_KEY_STARTS])
_SPECIAL = rf"(?![A-Z0-9_]*(?:{_KNOWN_WORDS}))(?!{STEERING}(?![A-Z0-9_]))"
# Rules know how long a name, a URL and a header may be: no value is longer than what stands for it.
_NAME_LENGTH, _LABEL_LENGTH, _VARIABLE_LENGTH = 253, 42, 64
_NAME = rf"(?!.{{{_NAME_LENGTH + 1}}}){NAME}"
_HOST = r"[a-z](?:[a-z0-9-]{0,40}[a-z0-9])?(?:\.[a-z](?:[a-z0-9-]{0,40}[a-z0-9])?){1,4}"
_VARIABLE = rf"(?![A-Z0-9_]{{{_VARIABLE_LENGTH + 1}}}){_SPECIAL}[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"
_END = r"(?=\r?(?:\n|\Z))"
# Each at the end of its line, where nothing follows whose column depends on it. A name with a hyphen, a host with a dot
# and a variable with an underscore are text to every parser of YAML. The first character is for speed.
_VALUE = re.compile(
    r"[\n $](?:"
    rf"(?<=\n)  name: ({_NAME}){_END}"
    rf"|(?<=\n)    name: ({_NAME}){_END}"
    rf"|(?<= )baseUrl: https://({_HOST})(?=(?:/[\w./-]*)?\r?(?:\n|\Z))"
    rf"|(?<=\$)\{{\{{ ({_VARIABLE})(?= \}}\}}[\"']?\r?(?:\n|\Z))"
    r")"
)
# What is in front of a value of each class, and what stands for it.
_BEFORE = ("\n  name: ", "\n    name: ", " baseUrl: https://", "${{ ")
_STAND_IN_NAME = f"mom-stand-in-{{:04}}-{'z' * (_NAME_LENGTH - 18)}"
_STAND_IN_HOST = f"mom-stand-in-{{:04}}-{'z' * (_LABEL_LENGTH - 18)}{('.' + 'z' * _LABEL_LENGTH) * 4}"
_STAND_INS = (_STAND_IN_NAME, _STAND_IN_NAME, _STAND_IN_HOST, f"MOM_STAND_IN_{{:04}}_{'Z' * (_VARIABLE_LENGTH - 18)}")
# The shortest ones, by which a form is tried.
_SHORTEST = ("abc-1", "abc-1", "a.b", "A_B")
_NAMES, _HOSTS, _VARIABLES = (0, 1), 2, 3
_STEP = len(_BEFORE) + 1
_SEPARATOR = "\0"


class Key(NamedTuple):
    """What documents of a form have in common: the text around the values, and of which class each value is."""

    text: str
    classes: tuple[int, ...]


def split(text: str) -> tuple[Key, tuple[str, ...]]:
    """Return the key of a document's form, and the values that are its own."""
    parts = _VALUE.split(text)
    classes, values = [], []
    for at in range(1, len(parts), _STEP):
        for number in range(at, at + _STEP - 1):
            if (value := parts[number]) is not None:
                classes.append(number - at)
                values.append(value)
    return Key(_SEPARATOR.join(parts[::_STEP]), tuple(classes)), tuple(values)


class KnownDocument(DataDocument):
    """A document that is known by its form: it is parsed only where a place in it is asked for."""

    form: Form
    values: tuple[str, ...]

    def __init__(self, source: Source, limits: Document, form: Form, values: tuple[str, ...]) -> None:
        """Take the document at `limits`, which has these values."""
        # As of a frozen dataclass, which the base is.
        self.__dict__.update(source=source, limits=limits, form=form, values=values)

    @cached_property
    def _parsed(self) -> DataDocument:
        (document,) = read_whole(self.source, self.limits)
        return document

    @property
    def root(self) -> Mapping:
        """Return its tree."""
        return self._parsed.root

    @property
    def data(self) -> dict[str, Data]:
        """Return its data."""
        return self._parsed.data

    @property
    def name(self) -> str | None:
        """Return `metadata.name`."""
        form = self.form
        return form.name if form.name_at is None else self.values[form.name_at]

    @property
    def kind(self) -> Kind:
        """Return its kind."""
        return self.form.kind

    def adapter(self) -> Adapter:
        """Return the adapter in it."""
        return self.form.adapter(self.values, self.source.name, self.source.line_number(self.limits.start))


class FormedAdapter(HttpAdapter):
    """An adapter that differs from others of its form in `values` alone; a changed copy of it is of no form."""

    form: Form | None = None
    values: tuple[str, ...] = ()

    @cached_property
    def uses(self) -> tuple[tuple[str, Setting], ...]:
        """Return each variable that it names with where it does: a run asks several times."""
        return tuple((name, setting) for setting in settings(self) for name in names(setting.value))


def is_same(adapter: Adapter, other: Adapter) -> bool:
    """Whether two adapters are known to differ in nothing but where they are in a file; what has no form is not."""
    if not (isinstance(adapter, FormedAdapter) and isinstance(other, FormedAdapter)):
        return False
    return adapter.form is not None and adapter.form is other.form and adapter.values == other.values


class Form(NamedTuple):
    """What is known of documents of one form.

    kind: theirs. name: of the adapter, or, where that differs, name_at: which of the values it is. build: makes an
    adapter. example: the adapter with a stand-in for each value; None where there is only one adapter of the form.
    """

    kind: Kind
    name: str | None
    name_at: int | None
    build: Build
    example: HttpAdapter | None = None
    stand_ins: tuple[str, ...] = ()
    classes: tuple[int, ...] = ()

    def adapter(self, values: tuple[str, ...], file: str, line: int) -> Adapter:
        """Return the adapter with these values in the document that begins in that line."""
        adapter: Adapter = self.build(values, file, line)
        if self.example is not None:
            adapter.__dict__.update(form=self, values=values)
        return adapter

    def variables(self, values: Sequence[str]) -> list[tuple[str, str]]:
        """Return each variable of an adapter with its stand-in."""
        return [
            (value, stand_in)
            for value, stand_in, number in zip(values, self.stand_ins, self.classes, strict=True)
            if number == _VARIABLES
        ]


def general_form(key: Key) -> Form | None:
    """Return the form of all documents with that key, None where what differs may make a difference.

    It is taken from the text with stand-ins for the values: nothing is wrong with that, and each is where it should be.
    With other values nothing is wrong either, and they are where the stand-ins were: none is in the text itself.
    """
    stand_ins = tuple(_STAND_INS[number].format(at) for at, number in enumerate(key.classes))
    adapter = _read(key, stand_ins)
    if adapter is None or not _is_harmless(adapter, stand_ins, key.classes):
        return None
    at = stand_ins.index(adapter.name) if adapter.name in stand_ins else None
    formed = FormedAdapter(*adapter)
    # Each has a place.
    build = compiled(formed, stand_ins, 1)
    shortest = tuple(_SHORTEST[number] for number in key.classes)
    if build is None or build(shortest, "", 1) != _read(key, shortest):
        return None
    return Form(HTTP, adapter.name, at, build, adapter, stand_ins, key.classes)


def _read(key: Key, values: Sequence[str]) -> HttpAdapter | None:
    """Return the adapter with these values, None where something is wrong with it."""
    pieces = key.text.split(_SEPARATOR)
    if len(pieces) != len(values) + 1:
        return None
    own = [_BEFORE[number] + value for number, value in zip(key.classes, values, strict=True)]
    document = _checked("".join(piece + value for piece, value in zip(pieces, (*own, ""), strict=True)))
    adapter = None if document is None else KINDS[HTTP.kind].read(document)
    return adapter if isinstance(adapter, HttpAdapter) else None


def _exact_form(document: DataDocument, kind: Kind) -> Form:
    adapter = KINDS[kind.kind].read(document)
    first_line = document.source.line_number(document.limits.start)
    return Form(kind, document.name, None, compiled(adapter, (), first_line) or (lambda *_: adapter))


def _checked(text: str) -> DataDocument | None:
    """Return the one document of `text` if it is an HTTP adapter with which nothing is wrong, else None."""
    from mom.atlas.validate import problems_of_document
    from mom.yamledit.stream import documents

    source = Source("", text)
    limits = documents(source)
    if len(limits) != 1 or source.carriage_return(0, len(text)) is not None:
        return None
    read = read_whole(source, limits[0])
    if len(read) != 1:
        return None
    checked = problems_of_document(read[0])
    return read[0] if checked.kind == HTTP and not (checked.problems or checked.secrets) else None


def _is_harmless(adapter: HttpAdapter, stand_ins: Sequence[str], classes: Sequence[int]) -> bool:
    """Whether each stand-in is in the adapter, a name as its name, and a host in its base URL alone.

    A path of `allow` that may be an adapter's own is a slip in the adapter of that name.
    """
    entries = () if adapter.allow is None else adapter.allow.entries
    if any(path.startswith(HTTP_PREFIX) for entry in entries for path in entry.paths):
        return False
    for stand_in, number in zip(stand_ins, classes, strict=True):
        fields = [field for field, value in adapter._asdict().items() if stand_in in repr(value)]
        if not fields or (number in _NAMES) != ("name" in fields):
            return False
        if (number == _HOSTS) != (fields == ["base_url"]):
            return False
    return True


class Forms:
    """The forms of a file, kept from one reading to the next: only those that the last reading has used."""

    def __init__(self) -> None:
        """Know none yet."""
        self._general: dict[Key, Form | None] = {}
        self._exact: dict[str, Form] = {}
        self._before = self._general, self._exact
        # The keys of which one document was seen, and what was read and is not checked yet.
        self._seen: set[Key] = set()
        self._read: dict[int, str] = {}
        self._checked: dict[str, tuple[DataDocument, Kind]] = {}

    def begin(self) -> None:
        """Read a file from its start: what the last reading did not use is forgotten."""
        self._exact |= {text: _exact_form(*document) for text, document in self._checked.items()}
        if self._general or self._exact:
            self._before = self._general, self._exact
        self._general, self._exact = {}, {}
        self._seen, self._read, self._checked = set(), {}, {}

    def find(self, source: Source, limits: Document) -> KnownDocument | None:
        """Return a document whose form is known; None of the first one of a form."""
        text = source.text[limits.start : limits.end]
        key, values = split(text)
        form = self._general[key] if key in self._general else self._of_key(key)
        if form is None:
            form = self._exact.get(text) or self._before[1].get(text)
            if form is None:
                self._read[limits.start] = text
                return None
            self._exact[text] = form
            values = ()
        return KnownDocument(source, limits, form, values)

    def _of_key(self, key: Key) -> Form | None:
        form = self._before[0].get(key)
        if form is None and key not in self._seen:
            self._seen.add(key)
            return None
        self._general[key] = form = form or general_form(key)
        return form

    def learn(self, document: DataDocument, kind: Kind) -> None:
        """Know a document of which `find` knew nothing, and in which nothing is wrong, when it is read again."""
        text = self._read.get(document.limits.start)
        if text is not None and kind != ATLAS and BOM not in text:
            self._checked[text] = document, kind

    def forget(self, limits: Document) -> None:
        """Do not know what turned out to be several documents."""
        self._read.pop(limits.start, None)
