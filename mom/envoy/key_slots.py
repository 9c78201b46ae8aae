"""The headers in which a client may send the access token, beside `Atlas-Accesstoken`: where SDKs put an API's key.

Every header that an adapter sets from text and one reference at its end is such a place on that adapter's routes:
`Authorization: Bearer ${{ X }}` takes `Authorization: Bearer TOKEN`. Atlas replaces the whole header anyway, so nothing
is given up, and an SDK that takes a base URL and a key needs no further setting. Only the adapter's own text counts,
case-sensitive.

No place: a header that Atlas never takes from a client (`Cookie`, which browsers send by themselves, and the like), and
`Host`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mom.atlas.adapters.http import Header
from mom.atlas.references import Reference, scan
from mom.envoy import headers
from mom.gateway import TOKEN_HEADER


class KeySlot(NamedTuple):
    """A place for the access token: a header, by its name in lower case, and the text before the token in it."""

    header: str
    prefix: str = ""

    def __str__(self) -> str:
        """Give `authorization: Bearer `, as a header is written."""
        return f"{self.header}: {self.prefix}"


# Tried first on every route.
OWN = KeySlot(TOKEN_HEADER.lower())


class Opening(NamedTuple):
    """What opens an adapter beside a token for the whole gateway in `OWN`.

    path: below which the adapter is, and by which a narrowed token names it. slots: further places for a token.
    """

    path: str
    slots: tuple[KeySlot, ...]


def of_headers(configured: Iterable[Header]) -> tuple[KeySlot, ...]:
    """Return the places that the headers of an adapter are, in their order."""
    return tuple(dict.fromkeys(_slots(configured)))


def _slots(configured: Iterable[Header]) -> Iterator[KeySlot]:
    for header in configured:
        # A client's value arrives without the blanks around it (RFC 9110, 5.5).
        *before, last = scan(header.value.strip()) or [""]
        name = header.name.lower()
        if name in headers.REQUEST_REMOVED or headers.is_host(header) or not isinstance(last, Reference):
            continue
        if all(isinstance(part, str) for part in before):
            yield KeySlot(name, "".join(map(str, before)))
