"""The rules of an Atlas configuration, by the id under which each is reported. Ids stay: people filter by them."""

from __future__ import annotations

RULES: dict[str, str] = {
    # Reading.
    "file": "A file can be read, and is UTF-8.",
    "line-end": "Lines end in a line feed, with or without a carriage return before it.",
    "yaml-syntax": "A document is YAML.",
    "yaml-alias": "An alias names an anchor that stands before it, and stands for a bounded amount of data.",
    "conflict-marker": "A merge is finished: no git conflict markers are left.",
    "template": "A file is rendered: no template braces (Helm, Jinja) are left.",
    "missing-separator": "Documents are separated by `---`.",
    "duplicate-key": "A mapping holds each key once (YAML 1.2.2, section 3.2.1.1).",
    # The shape of a document.
    "missing-kind": "A document of moment.dev names its kind.",
    "unknown-kind": "The apiVersion and kind of a document of moment.dev are known.",
    "unknown-key": "A key is known where it stands.",
    "missing-key": "A required key is there.",
    "unknown-value": "A value that is chosen from a list is one of it.",
    "wrong-type": "A value has the type its key wants.",
    "wrong-value": "A value has the form and the range its key wants.",
    # Values.
    "adapter-name": "An adapter's name can be a segment of a URL's path.",
    "base-url": "A base URL is an absolute http or https URL without user name, query or fragment.",
    "plain-http": "A base URL uses https, so that credentials cannot be read on the way.",
    "public-key": "Keys of an identity provider come over https, from this machine or from a file.",
    "header-name": "A header's name is a token (RFC 9110) that is not the proxy's own to set.",
    "header-value": "A header's value is one line of text.",
    "non-ascii-header": "A header's value is ASCII, which every server reads alike.",
    "repeated-header": "An adapter sets each header once, whatever the case of its name.",
    "quoted-value": "A header's value does not hold the quotes that were meant for a shell or for YAML.",
    "environment-reference": "An environment reference is written ${{ NAME }}.",
    "reference-without-dollar": "An environment reference begins with a dollar sign.",
    "foreign-reference": "An environment reference is written ${{ NAME }}, in no other tool's form.",
    "basic-credentials": "`Basic` is followed by base64 of user and password (RFC 7617).",
    "stray-mark": "A value has no quote, comma or comment sign that a slip left.",
    "endpoint-as-base-url": "A base URL is where the API's paths begin, not one of its endpoints.",
    "not-served": "A setting that Atlas does not obey yet is told as ignored.",
    "literal-secret": "A credential is an environment reference, never plain text.",
    "duplicate-profile": "A profile's name is unique in its adapter.",
    # A file as a whole.
    "no-atlas": "A file has an Atlas document.",
    "several-atlas": "A file has one Atlas document.",
    "duplicate-name": "The name of an adapter is unique among those of its kind.",
    "similar-name": "Names of adapters differ in more than case.",
    "duplicate-reference": "An adapter is listed once in apiAdapters.",
    "missing-document": "Each adapterRef names an adapter document of the file.",
    "unreferenced-document": "Each adapter document is named by an adapterRef.",
}
