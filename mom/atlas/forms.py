"""Documents of one form: equal but for a name, a host and variables, so that what holds of one holds of all.

A file of 10,000 adapters has a few forms. The first document of a form is read and checked like any other. Of the
second one the form is taken: its text with stand-ins for what differs is read and checked, and where the stand-ins turn
up again in the adapter, the values of each further document are put. That costs a hundredth of the time. When a file is
read again, a document whose text was in it before is known without a look at it.

Only values count that make no difference to any rule (`_VALUE`): whether that is so, a property test asks. Everything
else, comments too, is part of the form. A document with any problem has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

from mom.atlas.adapters import KINDS, variables_in
from mom.atlas.adapters.http import HTTP, HttpAdapter
from mom.atlas.documents import DataDocument, read_whole
from mom.atlas.folding import NAME, Fold, FoldedDocument, fold
from mom.atlas.kinds import ATLAS, Kind
from mom.atlas.model import Adapter
from mom.atlas.rebuilding import Build, compiled, moved
from mom.atlas.references import STEERING
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
# and a variable with an underscore are text to every parser of YAML. For each class: what is in front of a value, the
# value, and what follows.
_CLASSES = (
    ("\n  name: ", _NAME, _END),
    ("\n    name: ", _NAME, _END),
    (" baseUrl: https://", _HOST, r"(?=(?:/[\w./-]*)?\r?(?:\n|\Z))"),
    ("${{ ", _VARIABLE, r"(?= \}\}[\"']?\r?(?:\n|\Z))"),
)
# The first character is for speed.
_VALUE = re.compile(
    r"[\n $](?:"
    + "|".join(rf"(?<={re.escape(b[0])}){re.escape(b[1:])}({value}){after}" for b, value, after in _CLASSES)
    + ")"
)
_BEFORE = tuple(before for before, *_ in _CLASSES)
_STAND_IN_NAME = f"mom-stand-in-{{:04}}-{'z' * (_NAME_LENGTH - 18)}"
_STAND_IN_HOST = f"mom-stand-in-{{:04}}-{'z' * (_LABEL_LENGTH - 18)}{('.' + 'z' * _LABEL_LENGTH) * 4}"
_STAND_INS = (_STAND_IN_NAME, _STAND_IN_NAME, _STAND_IN_HOST, f"MOM_STAND_IN_{{:04}}_{'Z' * (_VARIABLE_LENGTH - 18)}")
# The shortest ones, by which a form is tried.
_SHORTEST = ("abc-1", "abc-1", "a.b", "A_B")
_NAMES, _HOSTS, _VARIABLES = (0, 1), 2, 3
_STEP = len(_BEFORE) + 1
_SEPARATOR = "\0"
# So many documents of a form, one behind the other, and more will follow.
_FEW = 10
# Shorter documents are parsed in no time.
_LONG = 8_192


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


@dataclass(frozen=True, eq=False)
class Form:
    """What is known of documents of one form.

    kind: theirs. name: of the adapter, or, where that differs, name_at: which of the values it is. build: makes an
    adapter. key, example, names: what they have in common, the adapter with a stand-in for each value, and the
    variables that it names, or which of the values these are; only where there may be more than one of the form.
    """

    kind: Kind
    name: str | None
    name_at: int | None
    build: Build
    key: Key | None = None
    example: HttpAdapter | None = None
    stand_ins: tuple[str, ...] = ()
    names: tuple[str | int, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What matches the texts of the form alone, with their values as groups: `split` in a fraction of the time."""
        assert self.key is not None
        first, *pieces = self.key.text.split(_SEPARATOR)
        values = (_CLASSES[number] for number in self.key.classes)
        return re.compile(
            re.escape(first)
            + "".join(
                f"{re.escape(before)}({value}){after}{re.escape(piece)}"
                for (before, value, after), piece in zip(values, pieces, strict=True)
            )
        )

    def variables(self, values: Sequence[str]) -> list[tuple[str, str]]:
        """Return each variable of an adapter with its stand-in."""
        assert self.key is not None
        return [
            (value, stand_in)
            for value, stand_in, number in zip(values, self.stand_ins, self.key.classes, strict=True)
            if number == _VARIABLES
        ]


class Known:
    """What is known of a document by its text: its form, and the values that are its own.

    identity: kind and name. variables: each that its adapter names, once, in their order; only where other adapters
    are of the form, too.
    """

    __slots__ = ("_adapter", "_place", "form", "identity", "values", "variables")

    def __init__(self, form: Form, values: tuple[str, ...]) -> None:
        """Take the values, none where only one document is of the form."""
        self.form = form
        self.values = values
        self.identity = form.kind.kind, form.name or "" if form.name_at is None else values[form.name_at]
        self.variables = tuple(dict.fromkeys([values[each] if isinstance(each, int) else each for each in form.names]))
        self._adapter: Adapter | None = None
        self._place: tuple[str, int] | None = None

    def adapter(self, file: str, line: int) -> Adapter:
        """Return the adapter in the document that begins in that line: the same one as long as that is its place."""
        if self._adapter is None or self._place != (file, line):
            self._adapter, self._place = self.form.build(self.values, file, line), (file, line)
            if isinstance(self._adapter, FormedAdapter):
                self._adapter.known = self
        return self._adapter


class KnownDocument(DataDocument):
    """A document that is known by its text: it is parsed only where a place in it is asked for."""

    known: Known
    line: int

    def __init__(self, source: Source, limits: Document, known: Known, line: int) -> None:
        """Take the document at `limits`, which begins in that line."""
        # As of a frozen dataclass, which the base is.
        self.__dict__.update(source=source, limits=limits, known=known, line=line)

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
        return self.known.identity[1]

    @property
    def kind(self) -> Kind:
        """Return its kind."""
        return self.known.form.kind

    def adapter(self) -> Adapter:
        """Return the adapter in it."""
        return self.known.adapter(self.source.name, self.line)


class FormedAdapter(HttpAdapter):
    """An adapter that differs from others of its form in its values alone; a changed copy of it is of no form."""

    known: Known | None = None


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
    own = tuple(stand_ins.index(name) if name in stand_ins else name for name in variables_in(adapter))
    return Form(HTTP, adapter.name, at, build, key, adapter, stand_ins, own)


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
    place = document.source.name, document.source.line_number(document.limits.start)

    def build(_: Sequence[str], file: str, line: int) -> Adapter:
        # The document is not kept, and the whole text of the file with it.
        return adapter if (file, line) == place else cast("Adapter", moved(adapter, file, line - place[1]))

    return Form(kind, document.name, None, build)


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
    """The forms of a file, kept from one reading to the next: only what the last reading has used."""

    def __init__(self) -> None:
        """Know none yet."""
        self._forms: dict[Key, Form | None] = {}
        self._known: dict[str, Known] = {}
        self._before = self._known
        # The form of the last document that was looked at, and of how many before it.
        self._last: Form | None = None
        self._alike = 0
        # Documents with a long list of references, by their texts.
        self._folds: dict[str, Fold] = {}
        self._folds_before = self._folds
        # The keys of which one document was seen, and what was read and is not checked yet.
        self._seen: set[Key] = set()
        self._read: dict[int, str] = {}
        self._checked: dict[str, tuple[DataDocument, Kind]] = {}

    def begin(self) -> None:
        """Read a file from its start: what the last reading did not use is forgotten."""
        self._known |= {text: self._of_checked(text, *checked) for text, checked in self._checked.items()}
        if self._known:
            self._before = self._known
            used = {known.form for known in self._known.values()}
            self._forms = {form.key: form for form in used if form.key is not None}
            self._folds_before = self._folds
        self._known, self._folds, self._last = {}, {}, None
        self._seen, self._read, self._checked = set(), {}, {}

    def find(self, source: Source, limits: Document, line: int) -> DataDocument | None:
        """Return a document, which begins in that line, without parsing all of it; None where that is not the way.

        Its text, or its form, is known, or it is folded.
        """
        text = source.text[limits.start : limits.end]
        known = self._before.get(text) or self._known.get(text)
        if known is None and (folded := self._folded(text, source, limits, line)) is not None:
            return folded
        if known is None and (known := self._by_form(text)) is None:
            self._read[limits.start] = text
            return None
        self._known[text] = known
        return KnownDocument(source, limits, known, line)

    def _folded(self, text: str, source: Source, limits: Document, line: int) -> FoldedDocument | None:
        if len(text) < _LONG or BOM in text:
            return None
        known = self._folds_before.get(text) or fold(text, source.name, limits.body - limits.start, read_whole)
        if known is None:
            return None
        self._folds[text] = known
        return FoldedDocument(source, limits, known, line, lambda: read_whole(source, limits)[0])

    def _by_form(self, text: str) -> Known | None:
        # A pattern takes as long to compile as a hundred splits.
        if self._last is not None and self._alike > _FEW and (match := self._last.pattern.fullmatch(text)) is not None:
            return Known(self._last, match.groups())
        key, values = split(text)
        form = self._forms[key] if key in self._forms else self._of_key(key)
        self._last, self._alike = form, self._alike + 1 if form is self._last else 0
        return None if form is None else Known(form, values)

    def _of_key(self, key: Key) -> Form | None:
        if key not in self._seen:
            self._seen.add(key)
            return None
        self._forms[key] = form = general_form(key)
        return form

    def _of_checked(self, text: str, document: DataDocument, kind: Kind) -> Known:
        key, values = split(text)
        form = self._forms.get(key)
        return Known(_exact_form(document, kind), ()) if form is None else Known(form, values)

    def learn(self, document: DataDocument, kind: Kind) -> None:
        """Know a document of which `find` knew nothing, and in which nothing is wrong, when it is read again."""
        text = self._read.get(document.limits.start)
        if text is not None and kind != ATLAS and BOM not in text:
            self._checked[text] = document, kind

    def forget(self, limits: Document) -> None:
        """Do not know what turned out to be several documents."""
        self._read.pop(limits.start, None)
