"""Credentials that do not have the form that their vendor documents, before anything is sent. No value is repeated.

The form is a warning and never an error: a vendor may change it, and a server of one's own may have another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.model import Adapter
from mom.atlas.references import Reference, scan
from mom.catalog.integration import Integration, Variable
from mom.catalog.loader import match


@dataclass(frozen=True, slots=True)
class UnlikelyToken:
    """A variable whose value is probably not what the API wants. obtain: the vendor's page that has the right one."""

    variable: str
    adapter: str
    title: str
    form: str
    obtain: str

    def __str__(self) -> str:
        """Give the sentence, in which the value is not."""
        return f"{self.variable} does not look like a credential of {self.title} ({self.form}), see {self.obtain}"


def unlikely_tokens(adapters: Iterable[Adapter], variables: Mapping[str, str]) -> Iterator[UnlikelyToken]:
    """Yield each variable of `adapters` whose value does not have the form that the API's vendor documents.

    An adapter belongs to an API by its base URL. variables: the values that are set; what is unset or empty is no
    matter here. The names of the variables may be the user's own: the header decides.
    """
    seen: set[tuple[str, str]] = set()
    for adapter in adapters:
        if not isinstance(adapter, HttpAdapter):
            continue
        found = match(adapter.base_url, adapter.name)
        if found is None:
            continue
        entry = found.integration
        for header in adapter.headers:
            for name, known in _pairs(entry, header.name, header.value):
                value = variables.get(name, "")
                if not value.strip() or known.pattern is None or (name, entry.name) in seen:
                    continue
                if not looks_right(known, value):
                    seen.add((name, entry.name))
                    yield UnlikelyToken(name, adapter.name, _short(entry.title), known.form or "", known.obtain)


def looks_right(variable: Variable, value: str) -> bool:
    """Whether `value` has the form of the catalog's variable; true where none is documented.

    White space and quotes around it, and the word of a scheme before it, are other mistakes (`values.variables`).
    """
    if variable.pattern is None:
        return True
    bare = value.strip().strip("\"'")
    bare = re.sub(r"\A(?:bearer|token|basic|bot)[ \t]+", "", bare, flags=re.IGNORECASE)
    return re.fullmatch(variable.pattern, bare) is not None


def _pairs(entry: Integration, header_name: str, value: str) -> Iterator[tuple[str, Variable]]:
    """Yield each reference in a header's value with the variable that the entry has in its place."""
    own = [(each.name, each.value) for each in entry.headers]
    own += [(each.name, each.value) for each in entry.optional_headers]
    for own_name, own_value in own:
        if own_name.lower() == header_name.lower():
            given, known = _references(value), _references(own_value)
            # With another number of references it is not the entry's header any more.
            if len(given) == len(known):
                for name, known_name in zip(given, known, strict=True):
                    if variable := entry.variable(known_name):
                        yield name, variable


def _references(value: str) -> list[str]:
    return [part.name for part in scan(value) if isinstance(part, Reference)]


def _short(title: str) -> str:
    """Return a title without what is in parentheses."""
    return title.partition(" (")[0]
