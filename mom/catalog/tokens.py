"""Credentials that do not have the form that their vendor documents, before anything is sent. No value is repeated.

The form is a warning and never an error: a vendor may change it, and a server of one's own may have another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mom.catalog.integration import Integration, Variable
from mom.catalog.loader import match

_REFERENCE = re.compile(r"\$\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
_SCHEME = re.compile(r"\A(?:bearer|token|basic|bot)[ \t]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UnlikelyToken:
    """A variable whose value is probably not what the API wants.

    variable: its name. message: a clause about it. hint: where the right value is.
    """

    variable: str
    message: str
    hint: str


def unlikely_tokens(
    base_url: str, adapter_name: str, credential: tuple[str, str], variables: Mapping[str, str]
) -> Iterator[UnlikelyToken]:
    """Yield each variable in a credential of an adapter whose value has another form than the vendor documents.

    credential: where it is and its text: a header's name, `basicAuth username`, `basicAuth password` or `query NAME`.
    An adapter belongs to an API by its base URL; the names of its variables may be the user's own, the place decides.
    variables: the values that are set; what is unset or empty is no matter here.
    """
    matched = match(base_url, adapter_name)
    if matched is None:
        return
    entry = matched.integration
    for name, known in _pairs(entry, *credential):
        value = variables.get(name, "")
        if value.strip() and not looks_right(known, value):
            message = f"does not look like a {_vendor(entry.title)} credential, {known.form}"
            yield UnlikelyToken(name, message, f"see {known.obtain}")


def looks_right(variable: Variable, value: str) -> bool:
    """Whether `value` has the form of the catalog's variable; true where none is documented.

    White space and quotes around it, and the word of a scheme before it, are other mistakes.
    """
    if variable.pattern is None:
        return True
    bare = _SCHEME.sub("", value.strip().strip("\"'"))
    return re.fullmatch(variable.pattern, bare) is not None


def _vendor(title: str) -> str:
    """Return a title without what is in parentheses, and without the word API and the kind of it."""
    return re.sub(r"(?: (?:Web|Admin|Management|Public|App))? API\Z", "", title.partition(" (")[0])


def _pairs(entry: Integration, place: str, value: str) -> Iterator[tuple[str, Variable]]:
    """Yield each reference in a credential with the variable that the entry has in its place."""
    own = [(each.name, each.value) for each in entry.headers]
    own += [(each.name, each.value) for each in entry.optional_headers]
    own += [(f"query {each.name}", each.value) for each in entry.query]
    if basic := entry.basic_auth:
        own += [("basicAuth username", basic.username), ("basicAuth password", basic.password)]
    given = _REFERENCE.findall(value)
    for own_name, own_value in own:
        known = _REFERENCE.findall(own_value)
        # With another number of references it is not the entry's credential any more.
        if own_name.lower() == place.lower() and len(given) == len(known):
            for name, known_name in zip(given, known, strict=True):
                if variable := entry.variable(known_name):
                    yield name, variable
