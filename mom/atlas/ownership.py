"""Which documents of a stream are Atlas's, and which are other tools'.

A document is ours when its `apiVersion` is of the group `moment.dev`. All others are bystanders: they are not parsed
more than it takes to know that, and nothing in them is an error.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mom.atlas import kinds
from mom.atlas.kinds import PREFIX
from mom.yamledit.data import ExpansionError, is_merge, to_data
from mom.yamledit.nodes import Alias, Mapping, Node, entries_of, is_string, text_of
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, parse_document

ATLAS = f"{PREFIX}atlas/"
ADAPTERS = f"{PREFIX}adapters/"

# What tells whose a document is that cannot be read: lines, or flow entries, that give an apiVersion. The slip may be
# in that line itself: another sign than the colon, or none, other quotes, a tag close behind it, or a dash or a mark
# before it. This one and the next are compiled at first use: most files can be read, and edits must start at once.
_VERSION_LINE = (
    r"""(?m)^([ \t]*+)[{,\ufeff\u00a0]?[ \t]*+["'\u201c]?apiVersion["'\u201d]?\s?(?:[ \t]*+[:=\uff1a;]>?)?"""
    r"""[\s\u00a0]*+(?:[&!]\S*+[ \t]++)*+["'\u201c]?([^\s"',}\u201d]*)"""
)


# What makes a document that cannot be read look like the Atlas.
_LIKE_ATLAS = rf"""{kinds.ATLAS_VERSION}|kind\W{{1,5}}{kinds.ATLAS.kind}\b"""


class OwnDocument(NamedTuple):
    """A parsed document of ours. `root` is its mapping; the fields are its text, None where absent or no scalar."""

    document: Document
    root: Mapping
    api_version: str
    kind: str | None
    name: str | None


def may_be_own(source: Source, document: Document) -> bool:
    """Whether `document` can be ours: it contains the group's name, or escapes that could spell it."""
    text = source.text
    return text.find(PREFIX, document.body, document.end) != -1 or text.find("\\", document.body, document.end) != -1


def looks_own(source: Source, document: Document) -> bool:
    """Whether `document`, though it cannot be read, says it is ours: by the least indented of its apiVersion lines.

    Those further in belong to references, or to a value of another tool's document that contains a configuration.
    """
    # A copy: in a part of a text `^` matches at the text's lines only, and a document may start behind a mark or `---`.
    lines = re.finditer(_VERSION_LINE, source.text[document.body : document.end])
    least = min(lines, key=lambda line: len(line.group(1)), default=None)
    return least is not None and least.group(2).startswith(PREFIX)


def read_own(source: Source, document: Document) -> OwnDocument | None:
    """Return `document` parsed when it is ours, None when it is a bystander.

    Raises YamlSyntaxError when it cannot be read and looks like ours.
    """
    if not may_be_own(source, document):
        return None
    try:
        root = parse_document(source, document)
    except YamlSyntaxError:
        if looks_own(source, document):
            raise
        return None
    return as_own(document, root)


def as_own(document: Document, root: Node | None) -> OwnDocument | None:
    """Return a parsed document when it is ours."""
    version = _text(root, "apiVersion")
    if not isinstance(root, Mapping) or version is None or not version.startswith(PREFIX):
        return None
    return OwnDocument(document, root, version, _text(root, "kind"), _text(root, "metadata", "name"))


def _text(root: Node | None, *path: str) -> str | None:
    """Return the text of the scalar at `path`, wherever an alias or a `<<` says that it is."""
    node = root
    for key in path:
        entries = entries_of(node, key)
        if not entries:
            break
        node = entries[0][1]
    else:
        if not isinstance(node, Alias):
            return text_of(node) if node is not None and is_string(node) else None
    if not isinstance(node, Alias) and not (
        isinstance(node, Mapping) and any(is_merge(key) for key, _ in node.entries)
    ):
        return None
    try:
        data = to_data(root)
    except ExpansionError:
        return None
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, str) else None


def like_atlas(text: str) -> bool:
    """Whether a document that cannot be read, with this text, may be the Atlas."""
    return re.search(_LIKE_ATLAS, text) is not None
