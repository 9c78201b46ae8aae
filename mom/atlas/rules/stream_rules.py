"""What must fit between the documents of one file: the Atlas, its references, and the adapters they name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mom.atlas import beginning
from mom.atlas.adapters import KINDS
from mom.atlas.documents import DataDocument, Stream, items_at, text_at
from mom.atlas.folding import FoldedDocument, Identity, identity_of
from mom.atlas.forms import KnownDocument
from mom.atlas.kinds import ADAPTERS_VERSION, ATLAS, Kind
from mom.atlas.ownership import like_atlas
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.suggestions import closest
from mom.problems import Place, Problem
from mom.yamledit.paths import Path
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, parse_document

Typed = tuple[DataDocument, Kind | None]

NAME: Path = ("metadata", "name")
_KIND_LINE = re.compile(r"""^[ \t]*["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z]+)""", re.MULTILINE)
# The same in a document that cannot be read, perhaps because of a slip in that very line.
_LIKE_NAME = re.compile(r"""name[^\w\n]{1,5}([^\s"'#,}\u201d]+)""")
_INSIDE_A_VALUE = re.compile(r"""^[ \t]+["']?apiVersion["']?:[ \t]*["']?(moment\.dev/atlas/)""", re.MULTILINE)

# Comparing each unknown name with all known ones takes quadratic time: that many comparisons are made, not more.
_MAX_COMPARISONS = 20_000


def stream_problems(stream: Stream, typed: Sequence[Typed], doubtful: Sequence[DataDocument]) -> Iterator[Problem]:
    """Yield what does not fit together in the file. `typed` are its readable documents with their kinds.

    doubtful: those of which another problem leaves open what they list, or what they are called.
    """
    if _fit_together(typed):
        return
    atlases = [document for document, kind in typed if kind == ATLAS]
    adapters: dict[Identity, list[DataDocument]] = {}
    for document, kind in typed:
        if kind is not None and kind != ATLAS and document.name:
            adapters.setdefault((kind.kind, document.name), []).append(document)
    unclear = _Unclear(stream, typed)
    doubted = {id(document) for document in doubtful}
    unclear_kinds = {kind.kind for document, kind in typed if kind is not None and id(document) in doubted}
    if not atlases and not unclear.atlas:
        yield _no_atlas(stream)
    for again in atlases[1:]:
        yield _another_atlas(again, atlases[0])
    yield from _same_names(adapters)
    references = [reference for atlas in atlases for reference in references_of(atlas)]
    yield from _repeated(references)
    yield from _sharing_a_path([reference for reference in references if reference.identity in adapters])
    strangers = _Strangers(stream)
    suggestions = _Suggestions(adapters)
    for reference in references:
        known = reference.identity in adapters or reference.name in unclear.names or reference.kind in unclear_kinds
        if reference.is_known and not known:
            yield _missing(reference, adapters, strangers, suggestions)
    if atlases and not unclear.atlas and ATLAS.kind not in unclear_kinds:
        clear = {
            identity: [document for document in documents if id(document) not in doubted]
            for identity, documents in adapters.items()
        }
        yield from _unreferenced(
            references, {identity: documents for identity, documents in clear.items() if documents}
        )


def _fit_together(typed: Sequence[Typed]) -> bool:
    """Whether there is nothing to report, as of nearly all files: whatever else is in the file, nothing is missing."""
    others = [(document, kind) for document, kind in typed if not isinstance(document, KnownDocument)]
    atlases = [document for document, kind in others if kind == ATLAS]
    if len(atlases) != 1:
        return False
    adapters = adapters_of(typed)
    references = identities_of(atlases[0])
    if not len(adapters) == len(references) == len(typed) - 1 or adapters.keys() != set(references):
        return False
    of_each_kind = Counter([kind for kind, _ in adapters])
    if any(number > 1 and KINDS[kind].shared_path for kind, number in of_each_kind.items()):
        return False
    return len({(kind, name.casefold()) for kind, name in adapters}) == len(adapters)


def adapters_of(typed: Sequence[Typed]) -> dict[Identity, DataDocument]:
    """Return the documents of adapters by what names them: of several the last one."""
    return {
        document.known.identity if isinstance(document, KnownDocument) else (kind.kind, document.name or ""): document
        for document, kind in typed
        if kind is not None and kind != ATLAS
    }


class _Unclear:
    """What the documents that cannot be read, or whose kind is not known, may be: that is not reported as missing."""

    def __init__(self, stream: Stream, typed: Sequence[Typed]) -> None:
        untyped = [document for document, kind in typed if kind is None]
        texts = [stream.source.text[document.limits.start : document.limits.end] for document in stream.unreadable]
        self.atlas = bool(untyped) or any(like_atlas(text) for text in texts)
        self.names = {name for text in texts for name in _LIKE_NAME.findall(text)}
        self.names |= {document.name for document in untyped if document.name}


class Reference(NamedTuple):
    """An `adapterRef`: the Atlas document it is in, its path, and what it names."""

    document: DataDocument
    path: Path
    api_version: str
    kind: str
    name: str

    @property
    def identity(self) -> Identity:
        """Return what it names."""
        return self.kind, self.name

    @property
    def is_known(self) -> bool:
        """Whether its type is one that can be looked for; others are reported by the schema."""
        return self.api_version == ADAPTERS_VERSION and self.kind in KINDS


def references_of(atlas: DataDocument) -> Iterator[Reference]:
    """Yield the references of an Atlas document that name something."""
    for path, item in items_at(atlas.data, "spec", "apiAdapters"):
        if (identity := identity_of(item)) is not None:
            version = text_at(item, "adapterRef", "apiVersion") or ""
            yield Reference(atlas, (*path, "adapterRef"), version, *identity)


def identities_of(atlas: DataDocument) -> Sequence[Identity]:
    """Return what the references of an Atlas document name, in their order."""
    if isinstance(atlas, FoldedDocument):
        return atlas.fold.identities
    return [reference.identity for reference in references_of(atlas)]


def _no_atlas(stream: Stream) -> Problem:
    if not stream.own:
        # Nothing here says that it is ours. What cannot be read is then the likeliest reason.
        for limits in stream.bystanders:
            try:
                parse_document(stream.source, limits)
            except YamlSyntaxError as error:
                return error.problem
    for limits in stream.bystanders:
        if inside := _INSIDE_A_VALUE.search(stream.source.text, limits.start, limits.end):
            return problem_at(
                stream.source,
                inside.start(1),
                "no-atlas",
                "the Atlas document is inside a value (a ConfigMap), where it is text",
                end=inside.end(1),
                hint="keep it as a file of its own and make the ConfigMap from that "
                "(kubectl create configmap --from-file=atlas.yml)",
            )
    for limits in stream.bystanders:
        for match in _KIND_LINE.finditer(stream.source.text, limits.start, limits.end):
            if match.group(1) == ATLAS.kind:
                return _version_problem(
                    stream.source,
                    limits,
                    "no-atlas",
                    "no Atlas document: `kind: Atlas` needs its apiVersion",
                    hint=f"write `apiVersion: {ATLAS.api_version}` in it",
                )
    hint = beginning.add_hint(stream.source.name)
    return problem_at(
        stream.source, stream.source.line_starts[0], "no-atlas", "no Atlas document in this file", hint=hint
    )


def _another_atlas(again: DataDocument, first: DataDocument) -> Problem:
    return again.problem(
        ("kind",),
        "several-atlas",
        f"a second Atlas document{_called(again)}: a file has one",
        related=((first.place(("kind",)), f"the first one{_called(first)}"),),
    )


def _called(document: DataDocument) -> str:
    return f", `{document.name}`" if document.name else ""


def _same_names(adapters: dict[Identity, list[DataDocument]]) -> Iterator[Problem]:
    folded: dict[Identity, DataDocument] = {}
    for (kind, name), (first, *others) in adapters.items():
        for again in others:
            yield again.problem(
                NAME,
                "duplicate-name",
                f"duplicate {kind} adapter `{name}`",
                related=((first.place(NAME), "the first one"),),
            )
        similar = folded.setdefault((kind, name.casefold()), first)
        if similar is not first:
            yield first.problem(
                NAME,
                "similar-name",
                f"`{name}` and `{similar.name}` differ only in case",
                related=((similar.place(NAME), f"`{similar.name}`"),),
            )


def _repeated(references: Sequence[Reference]) -> Iterator[Problem]:
    seen: dict[tuple[int, str, str], Reference] = {}
    for reference in references:
        first = seen.setdefault((id(reference.document), *reference.identity), reference)
        if first is not reference:
            yield reference.document.problem(
                (*reference.path, "name"),
                "duplicate-reference",
                f"{reference.kind} adapter `{reference.name}` is listed twice",
                related=((first.document.place((*first.path, "name")), "the first one"),),
            )


def _sharing_a_path(references: Sequence[Reference]) -> Iterator[Problem]:
    first: dict[str, Reference] = {}
    for reference in references:
        path = KINDS[reference.kind].shared_path
        if path and first.setdefault(reference.kind, reference).name != reference.name:
            earlier = first[reference.kind]
            yield reference.document.problem(
                (*reference.path, "name"),
                "shared-path",
                f"{reference.kind} adapter `{reference.name}` would be reached at {path}, as `{earlier.name}` is",
                related=((earlier.document.place((*earlier.path, "name")), f"`{earlier.name}`"),),
            )


def _missing(
    reference: Reference,
    adapters: dict[Identity, list[DataDocument]],
    strangers: _Strangers,
    suggestions: _Suggestions,
) -> Problem:
    kind, name = reference.identity
    other = next((known for known in KINDS if (known, name) in adapters), None)
    if (limits := strangers.find(reference.identity)) is not None:
        return _version_problem(
            reference.document.source,
            limits,
            "missing-document",
            f"the document of {kind} adapter `{name}` has another apiVersion",
            hint=f"write `apiVersion: {ADAPTERS_VERSION}` in it",
            related=((reference.document.place((*reference.path, "name")), "the adapterRef that names it"),),
        )
    if other is not None:
        hint = f"there is an {other} adapter of that name: did you mean `kind: {other}`?"
    elif meant := suggestions.name(kind, name):
        hint = f"did you mean `{meant}`?"
    else:
        hint = f"add its document ({KINDS[kind].add_command(name)} …), or remove this"
    message = f"adapterRef `{name}` has no {kind} adapter document in this file"
    return reference.document.problem((*reference.path, "name"), "missing-document", message, hint=hint)


class _Strangers:
    """Documents that look like adapters and have another apiVersion, or none. Read only when one is missing."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._found: dict[Identity, Document] | None = None

    def find(self, identity: Identity) -> Document | None:
        if self._found is None:
            source = self._stream.source
            self._found = {}
            for limits in self._stream.bystanders:
                kind = _KIND_LINE.search(source.text, limits.start, limits.end)
                name = _LIKE_NAME.search(source.text, limits.start, limits.end)
                if kind and name and kind.group(1) in KINDS:
                    self._found.setdefault((kind.group(1), name.group(1)), limits)
        return self._found.get(identity)


# The line that was meant to give the apiVersion: its key, its value, or both have a slip.
_LIKE_VERSION = re.compile(r"""^["']?(?:\w*[vV]ersion\b.*|[^\s#-].*/v1alpha1.*)""", re.MULTILINE)


def _version_problem(
    source: Source,
    limits: Document,
    rule: str,
    message: str,
    *,
    hint: str,
    related: tuple[tuple[Place, str], ...] = (),
) -> Problem:
    """Return a problem about the apiVersion of a document: at that line, else where its kind is."""
    line = _LIKE_VERSION.search(source.text, limits.body, limits.end)
    line = line or _KIND_LINE.search(source.text, limits.body, limits.end)
    start, end = line.span() if line else (limits.body, limits.body)
    return problem_at(source, start, rule, message, end=end, hint=hint, related=related)


class _Suggestions:
    """Names of adapters that resemble one that does not exist, as long as looking for them is cheap."""

    def __init__(self, adapters: dict[Identity, list[DataDocument]]) -> None:
        self._names: dict[str, list[str]] = {}
        for kind, name in adapters:
            self._names.setdefault(kind, []).append(name)
        self._left = _MAX_COMPARISONS

    def name(self, kind: str, name: str) -> str | None:
        known = self._names.get(kind, [])
        if len(known) > self._left:
            return None
        self._left -= len(known)
        return closest(name, known)


def _unreferenced(references: Sequence[Reference], adapters: dict[Identity, list[DataDocument]]) -> Iterator[Problem]:
    named = {reference.identity for reference in references}
    # A reference whose kind is misspelt still shows which adapter is meant.
    meant = {kind: closest(kind, KINDS) for kind in {reference.kind for reference in references}}
    named |= {(kind, reference.name) for reference in references if (kind := meant[reference.kind])}
    for (kind, name), (document, *_) in adapters.items():
        if (kind, name) not in named:
            yield document.problem(
                NAME,
                "unreferenced-document",
                f"{kind} adapter `{name}` is not listed in `apiAdapters`: it is not served",
                hint="list it (mom atlas config validate --fix), or remove it",
            )
