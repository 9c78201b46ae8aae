"""What no schema can say about one document: duplicate keys, names, URLs, headers, references, credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mom.atlas.adapters import KINDS, kinds
from mom.atlas.documents import DataDocument, items_at, tagged_key_problems, text_at, value_at
from mom.atlas.kinds import ATLAS, Kind
from mom.atlas.references import OBJECTIONABLE, objection, scan
from mom.atlas.rules.access_rules import check_allow, check_claims, check_tenants
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.key_rules import duplicate_key
from mom.atlas.rules.value_rules import check_stray, stray_objection
from mom.atlas.suggestions import closest, listed, only_close
from mom.atlas.values import names, origins, urls
from mom.atlas.values.placeholders import placeholder_provider
from mom.problems import Problem
from mom.yamledit.data import Data, duplicate_keys
from mom.yamledit.nodes import Mapping, Node, Scalar, text_of
from mom.yamledit.paths import Path, places, show


def kind_of(document: DataDocument) -> tuple[Kind | None, list[tuple[Path, Problem]]]:
    """Return the kind that a document is, or was probably meant to be, and what is wrong with how it is named."""
    findings = Findings(document)
    version = text_at(document.data, "apiVersion") or ""
    every = kinds()
    kind = document.data.get("kind")
    of_version = {known.kind: known for known in every if known.api_version == version}
    if kind is None:
        meant = closest("kind", document.data)
        hint = f"did you mean `kind` instead of `{meant}`?" if meant else f"add `kind:`, one of {listed(of_version)}"
        at = document.tree.nearest((meant or "apiVersion",)).key
        findings.add((), "missing-kind", "this document has no `kind`", at=at, hint=hint)
        return next(iter(of_version.values())) if len(of_version) == 1 else None, findings.problems
    if not isinstance(kind, str):
        findings.add(("kind",), "unknown-kind", "`kind` must be text", hint=f"known here: {listed(of_version)}")
        return None, findings.problems
    if kind in of_version:
        return of_version[kind], []
    by_kind = {known.kind: known for known in every}
    if (known := by_kind.get(kind)) is not None:
        hint = f"did you mean `{known.api_version}`?"
        findings.add(("apiVersion",), "unknown-kind", f"`{kind}` is not a kind of `{version}`", hint=hint)
        return known, findings.problems
    if not of_version:
        versions = list(dict.fromkeys(known.api_version for known in every))
        likely = closest(version, versions)
        hint = f"did you mean `{likely}`?" if likely else f"known versions: {listed(versions)}"
        findings.add(("apiVersion",), "unknown-kind", f"`{version}` is not known", hint=hint)
        return None, findings.problems
    likely = closest(kind, of_version)
    hint = f"did you mean `{likely}`?" if likely else f"known here: {listed(of_version)}"
    message = f"`{kind}` is not a kind of `{version}`"
    findings.add(("kind",), "unknown-kind", message, hint=hint, replacement=only_close(kind, of_version))
    return of_version.get(likely or ""), findings.problems


def check_document(document: DataDocument, kind: Kind | None) -> Findings:
    """Return all that is wrong with `document`, as one of `kind`, beyond what its schema says."""
    findings = Findings(document)
    _duplicate_keys(findings)
    _tagged_keys(findings)
    _braces(findings)
    if kind == ATLAS:
        check_stray(findings, ("metadata", "name"))
        check_stray(findings, ("spec", "owner"))
        _identity_providers(findings)
        check_allow(findings)
        _cors(findings)
        _not_served(findings)
    elif kind is not None:
        _adapter_name(findings)
        KINDS[kind.kind].check(findings)
    return findings


def _duplicate_keys(findings: Findings) -> None:
    document = findings.document
    duplicates = duplicate_keys(document.root)
    paths = _paths_of_keys(document.root) if duplicates else {}
    for name, first, again in duplicates:
        problem = duplicate_key(document.source, name, first, again, show(paths[id(again)]))
        # No schema speaks of that key by this path, so none is covered.
        findings.problems.append(((), problem))


def _tagged_keys(findings: Findings) -> None:
    source, limits = findings.document.source, findings.document.limits
    findings.problems += [((), problem) for problem in tagged_key_problems(source, limits, findings.document.root)]


def _paths_of_keys(root: Node) -> dict[int, Path]:
    return {
        id(key): (*path, name) if (name := text_of(key)) else path
        for path, node in places(root)
        if isinstance(node, Mapping)
        for key, _ in node.entries
    }


# Anything but well-formed references, as most documents have it written: those need not be walked through.
_ODD_BRACES = re.compile(rf"(?<!\$)\{{\{{|\{{%|{OBJECTIONABLE}")
_BRACES = re.compile(r"(?<!\$)\{\{.*?(?:\}\}|$)|\{%-?\s.*?(?:%\}|$)", re.MULTILINE)
_BARE_NAME = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}\Z")


def _braces(findings: Findings) -> None:
    """Find malformed environment references, and the braces of templates, in any text."""
    document = findings.document
    text = document.source.text
    start, end = document.root.start, document.root.end
    if not _ODD_BRACES.search(text, start, end) and text.find("\\", start, end) == -1:
        return
    for path, node in places(document.root):
        if isinstance(node, Scalar) and "{" in node.value:
            if "${{" in node.value and path[:1] == ("spec",):
                _references(findings, path, node)
            in_use = path[:1] == ("spec",) or path == ("metadata", "name")
            if in_use and (braces := _BRACES.search(node.value)) is not None:
                _braces_in_text(findings, path, node, braces.group())


def _braces_in_text(findings: Findings, path: Path, node: Scalar, braces: str) -> None:
    start, end = findings.inside(node, braces)
    if not _is_sent(path):
        findings.templates.add(path)
        shown = braces if len(braces) <= 60 else f"{braces[:59]}…"
        message = f"`{shown}` is a template (Helm, Jinja): render the file first"
        findings.add_at((start, start + len(shown)), path, "template", message)
        return
    findings.unread.add(path)
    name = _BARE_NAME.match(braces)
    hint = f"write ${{{{ {name.group(1)} }}}}" if name else "write ${{ NAME }}, or run mom on the rendered file"
    message = f"`{braces}` is sent as it is: a reference begins with `$`"
    findings.add_at((start, end), path, "reference-without-dollar", message, hint=hint)


def _is_sent(path: Path) -> bool:
    """Whether a value is text for an API, where braces may be meant."""
    return path[-1] == "value" and "headers" in path


def _references(findings: Findings, path: Path, node: Scalar) -> None:
    if path == ("spec", "baseUrl"):
        return  # reported there: a base URL has no references at all
    after = node.start
    wrong = [(part, reason) for part in scan(node.value) if not isinstance(part, str) and (reason := objection(part))]
    # No value of a person's has more; one of a megabyte may have a hundred thousand.
    for part, reason in wrong[:20]:
        findings.unread.add(path)
        start, after = findings.inside(node, node.value[part.start : part.end], after)
        findings.add_at((start, after), path, "environment-reference", reason.message, hint=reason.hint)


def _adapter_name(findings: Findings) -> None:
    path: Path = ("metadata", "name")
    name = findings.document.name
    if name is not None and not findings.has_template(path) and (reason := names.check_adapter_name(name)):
        findings.objection(path, "adapter-name", stray_objection(name) or reason)


def _identity_providers(findings: Findings) -> None:
    for path, provider in identity_providers(findings.document.data):
        place = (*path, "publicKey")
        key = text_at(provider, "publicKey")
        if key is not None and not findings.has_template(place) and (reason := urls.check_public_key(key)):
            findings.objection(place, "public-key", reason)
        elif key is not None:
            check_stray(findings, place)
        for name in ("audience", "issuer"):
            check_stray(findings, (*path, name))
        check_claims(findings, (*path, "claims"))
        check_tenants(findings, path, provider)
        values = (text_at(provider, name) or "" for name in ("issuer", "publicKey", "audience"))
        if message := placeholder_provider(str(path[-1]), values):
            findings.add(path, "placeholder-provider", message, at=findings.document.tree.nearest(path).key)


def _cors(findings: Findings) -> None:
    path: Path = ("spec", "cors", "origins")
    listed_origins = value_at(findings.document.data, *path)
    if listed_origins == []:
        findings.add(path, "cors-origin", "no origin is listed: no page could call", hint="list one, or remove `cors`")
    for at, origin in items_at(findings.document.data, *path):
        if isinstance(origin, str) and not findings.has_template(at) and (reason := origins.check_origin(origin)):
            findings.objection(at, "cors-origin", stray_objection(origin) or reason)


_NOT_SERVED = ((("spec", "gatewayRegistration"), "this Atlas registers at no gateway"),)


def _not_served(findings: Findings) -> None:
    """Say which settings of the original are read, checked and not obeyed yet."""
    for path, consequence in _NOT_SERVED:
        if value_at(findings.document.data, *path) is not None:
            at = findings.document.tree.nearest(path).key
            message = f"`{path[-1]}` is ignored: {consequence} yet"
            findings.add(path, "not-served", message, at=at)


def identity_providers(data: Data) -> Iterator[tuple[Path, Data]]:
    """Yield the identity providers of an Atlas document with their paths, from both published forms."""
    path: Path = ("spec", "identityProviders")
    value = value_at(data, *path)
    for place, group in items_at(data, *path) if isinstance(value, list) else [(path, value)]:
        for name, provider in group.items() if isinstance(group, dict) else ():
            yield (*place, name), provider
