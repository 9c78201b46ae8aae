"""What an edit needs of a file: its documents' limits, its one Atlas, and the documents that may have a name.

Only those are parsed. Of the other documents of ours it is only seen that they can be read: a file of ten thousand
adapters is edited in well under a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from mom.atlas import beginning
from mom.atlas.documents import alias_problem, carriage_return_problem, own_data, tagged_key_problems
from mom.atlas.ownership import ADAPTERS, ATLAS, OwnDocument, like_atlas, looks_own, may_be_own, read_own
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.rules.separators import missing_separator, separate
from mom.errors import MomError
from mom.problems import Problem
from mom.yamledit.data import Data, ExpansionError, duplicate_keys, to_data
from mom.yamledit.nodes import Node
from mom.yamledit.parser import MAX_EVENTS
from mom.yamledit.source import BOM, Source
from mom.yamledit.stream import Document, YamlSyntaxError, check_syntax, documents, parse_document

# As many are reported of a file that cannot be read; a hostile one has a hundred thousand.
MAX_PROBLEMS = 1000


def refusal(*problems: Problem) -> MomError:
    """Return the error that refuses an edit because of `problems`; the first one is its message."""
    first = problems[0]
    return MomError(first.message, hint=first.hint, problems=problems)


class EditScope(NamedTuple):
    """What an edit needs of a file: every document's limits, the Atlas documents, those that may have the name."""

    documents: tuple[Document, ...]
    atlases: tuple[OwnDocument, ...]
    named: tuple[OwnDocument, ...]


def read_scope(source: Source, *names: str) -> EditScope:
    """Parse the documents that the edit is about; of the other documents of ours, see only that they can be read.

    What is unreadable for `validate` is so here: syntax, aliases that lead nowhere, carriage returns as line endings.
    """
    stream = documents(source)
    must_be_parsed = _must_be_parsed(source, names)
    wanted = {name.casefold() for name in names}
    atlases: list[OwnDocument] = []
    named: list[OwnDocument] = []
    rest: list[Document] = []
    problems: list[Problem] = []
    for document in stream:
        if not may_be_own(source, document):
            continue
        if not must_be_parsed(document):
            rest.append(document)
            continue
        own, wrong = _parsed(source, document)
        problems += wrong
        if len(problems) >= MAX_PROBLEMS:
            break
        if own is None:
            continue
        if own.api_version.startswith(ATLAS) and own.kind == "Atlas":
            atlases.append(own)
        elif own.api_version.startswith(ADAPTERS) and (own.name or "").casefold() in wanted:
            named.append(own)
    problems += _syntax_problems(source, rest)
    if (problems or not atlases) and (hidden := _unreadable_bystander(source, stream)) is not None:
        problems.append(hidden)
    if problems:
        problems.sort(key=lambda problem: problem.place)
        raise MomError(f"{source.name} cannot be read: nothing was changed", problems=problems)
    return EditScope(stream, tuple(atlases), tuple(named))


def _must_be_parsed(source: Source, names: Sequence[str]) -> Callable[[Document], bool]:
    """Return whether a document is looked at as a tree; of the others it is enough that a parser goes through them."""
    text = source.text
    pattern = re.compile("|".join(map(re.escape, names)), re.IGNORECASE)
    # `{{ x }}` of a template may pass for YAML until its tree is looked at.
    everyone = text.count("{{") > text.count("${{") or source.carriage_return(0, len(text)) is not None

    def must_be_parsed(document: Document) -> bool:
        limits = (document.body, document.end)
        # Escapes may spell any word; aliases may lead nowhere; a tree has a limit that no long text may pass.
        return (
            everyone
            or text.find("\\", *limits) != -1
            or text.find("*", *limits) != -1
            or text.find(ATLAS, *limits) != -1
            or document.end - document.body >= MAX_EVENTS
            or pattern.search(text, *limits) is not None
        )

    return must_be_parsed


def _parsed(source: Source, document: Document) -> tuple[OwnDocument | None, list[Problem]]:
    """Return a document when it is ours and can be read, and what is wrong with it when it cannot."""
    returns = carriage_return_problem(source, document)
    line_ends = [returns] if returns is not None else []
    try:
        own = read_own(source, document)
        if own is not None and source.text.find("*", document.body, document.end) != -1:
            own_data(own)
    except YamlSyntaxError as error:
        return None, [error.problem, *line_ends]
    except ExpansionError as error:
        return None, [alias_problem(source, error), *line_ends]
    return own, line_ends if own is not None else []


def _syntax_problems(source: Source, stream: Sequence[Document]) -> list[Problem]:
    errors = check_syntax(source, stream) if stream else iter(())
    own = (error.problem for error in errors if looks_own(source, error.document))
    return list(islice(own, MAX_PROBLEMS))


def only_atlas(source: Source, scope: EditScope) -> OwnDocument:
    """Return the file's one Atlas document.

    Raises MomError where there is none, or another one, and where it or a document of the name has a key twice or a
    key that is not text.
    """
    if not scope.atlases:
        raise _no_atlas(source)
    if len(scope.atlases) > 1:
        raise _several_atlases(source, scope.atlases)
    atlas = scope.atlases[0]
    doubtful = [problem for own in (atlas, *scope.named) for problem in _doubtful_keys(source, own)]
    if doubtful:
        raise MomError(f"{source.name} is not valid YAML: nothing was changed", problems=doubtful)
    return atlas


def _doubtful_keys(source: Source, own: OwnDocument) -> Iterator[Problem]:
    parts = separate(own.root)
    if len(parts) > 1:
        yield from (missing_separator(source, part.start) for part in parts[1:])
        return
    yield from tagged_key_problems(source, own.document, own.root)
    for key, first, second in duplicate_keys(own.root):
        from mom.atlas.rules.key_rules import duplicate_key

        yield duplicate_key(source, key, first, second)


def data_of(source: Source, root: Node) -> Data:
    """Return the data of a document that an edit is about. Raises MomError where its aliases cannot be followed."""
    try:
        return to_data(root)
    except ExpansionError as error:
        raise refusal(alias_problem(source, error)) from None


# Of thousands of equal things, this many are named.
_NAMED = 10


def _several_atlases(source: Source, atlases: Sequence[OwnDocument]) -> MomError:
    first, second = atlases[0], atlases[1]
    names = [f"{own.name or 'unnamed'} (line {source.line_number(own.root.start)})" for own in atlases[:_NAMED]]
    names += ["others"] if len(atlases) > _NAMED else []
    return refusal(
        problem_at(
            source,
            second.root.start,
            "several-atlas",
            f"{len(atlases)} Atlas documents, expected one: {' and '.join(names)}",
            end=source.text.find("\n", second.root.start),
            hint="move the others to files of their own",
            related=((source.place(first.root.start), "the first one"),),
        )
    )


def _unreadable_bystander(source: Source, stream: Sequence[Document]) -> Problem | None:
    """Return what is wrong in a file in which nothing says that it is ours: that is why the Atlas is not seen."""
    bystanders: list[Document] = []
    for document in stream:
        try:
            own = read_own(source, document)
            if own is not None:
                own_data(own)
        except ExpansionError:
            continue
        except YamlSyntaxError:
            if like_atlas(source.text[document.start : document.end]):
                return None
        else:
            if own is not None:
                return None
            bystanders.append(document)
    for document in bystanders:
        try:
            parse_document(source, document)
        except YamlSyntaxError as error:
            return error.problem
    return None


def _no_atlas(source: Source) -> MomError:
    inside = re.search(r"^[ \t][^#\n]*\bmoment\.dev/atlas/", source.text, re.MULTILINE)
    if inside:
        return refusal(
            problem_at(
                source,
                inside.end() - len(ATLAS),
                "no-atlas",
                "the Atlas document is inside a value (a ConfigMap), where it is text",
                end=inside.end(),
                hint="keep atlas.yml as a file of its own and make the ConfigMap from it "
                "(kubectl create configmap --from-file=atlas.yml)",
            )
        )
    empty = "is empty: it " if not source.text.strip(BOM + " \t\r\n") else ""
    return MomError(
        f"{source.name} {empty}has no Atlas document (apiVersion: {ATLAS}v1alpha1, kind: Atlas)",
        hint=f"{beginning.add_hint(source.name)}; or name another file: -f FILE",
    )
