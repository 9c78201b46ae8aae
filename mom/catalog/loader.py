"""Finding and reading entries. One entry is one file: reading it reads no other.

A search by base URL or by a word reads the first lines of all files as text and parses only what fits.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mom.catalog.integration import PLACEHOLDER, Form, Integration, from_data
from mom.errors import UsageError
from mom.masking import mask_tokens

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_ENDING = ".yml"
_TITLE = re.compile(r"^title: (.+)$", re.MULTILINE)
_BASE_URL = re.compile(r"^baseUrl: (.+)$", re.MULTILINE)
# In the text of a file: the section of placeholders, and in it the values of `default` and `choices`.
_PLACEHOLDERS = re.compile(r"^placeholders:\n(?:[ -].*\n)+", re.MULTILINE)
_VALUES = re.compile(r"^ +(?:- |default: )([A-Za-z0-9.:/-]+)$", re.MULTILINE)
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?"
_SHAPES = {Form.LABEL: _LABEL, Form.HOST: _HOST, Form.ORIGIN: rf"https?://{_HOST}"}


@dataclass(frozen=True, slots=True)
class Head:
    """What the table and a search need of an entry, without parsing it."""

    name: str
    title: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that an adapter's base URL belongs to.

    beyond: the path that the adapter's base URL has after the entry's (`/v1`).
    """

    integration: Integration
    beyond: str

    @property
    def smoke_path(self) -> str | None:
        """The path of the smoke request below the adapter, None where the adapter does not reach it."""
        path = self.integration.smoke.path
        if not self.beyond:
            return path
        rest = path.removeprefix(self.beyond)
        return rest if rest != path and rest[:1] in {"", "/", "?"} else None


def _folder() -> Traversable | Path:
    """Return the folder of the entries, in the file system or in an archive that Python runs mom from."""
    path = Path(__file__).parent / "apis"
    if path.is_dir():
        return path
    from importlib.resources import files

    return files("mom.catalog").joinpath("apis")


@cache
def names() -> tuple[str, ...]:
    """Return the names of all entries, sorted. No file is read."""
    return tuple(sorted(path.name.removesuffix(_ENDING) for path in _folder().iterdir() if path.name.endswith(_ENDING)))


def find(name: str) -> Integration | None:
    """Return the entry of that name, None where there is none. One file is read."""
    return _entry(name) if name in _known() else None


@cache
def _known() -> frozenset[str]:
    return frozenset(names())


@cache
def _entry(name: str) -> Integration:
    return from_data(_parsed(_text(name)))


def get(name: str) -> Integration:
    """Return the entry of that name. Raises UsageError, with what was probably meant, where there is none."""
    if integration := find(name):
        return integration
    close = nearest(name)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    raise UsageError(
        f"the catalog has no API {mask_tokens(name[:60])!r}",
        hint=f"{meant}all names: mom atlas config integrations\nany other API: mom atlas config add-http-adapter",
    )


def all_integrations() -> tuple[Integration, ...]:
    """Return every entry, sorted by name; reads all files."""
    return tuple(integration for name in names() if (integration := find(name)))


@cache
def heads() -> tuple[Head, ...]:
    """Return name, title and base URL of every entry, sorted by name. The files are read, not parsed."""
    return tuple(_head(name, _text(name)) for name in names())


def nearest(word: str, most: int = 3) -> list[str]:
    """Return the names that are spelt like `word`, or whose name, title or host contains it; the likeliest first."""
    word = word.strip().lower()[:64]
    plain = re.sub(r"[^a-z0-9]", "", word)
    if not plain:
        return []
    containing = [
        head.name
        for head in heads()
        if len(plain) > 2
        and any(plain in re.sub(r"[^a-z0-9]", "", text.lower()) for text in (head.name, head.title, head.base_url))
    ]
    by_spelling = difflib.get_close_matches(word, names(), n=most, cutoff=0.75 if containing else 0.6)
    same = [name for name in names() if re.sub(r"[^a-z0-9]", "", name) == plain]
    return list(dict.fromkeys([*same, *containing, *by_spelling]))[:most]


def match(base_url: str, adapter_name: str = "") -> Match | None:
    """Return the entry that an adapter with this base URL is probably of, None where none fits.

    An entry whose host can be any host, such as one's own server, fits only an adapter of the entry's name, unless the
    host is one that the entry names. Of several entries with the same base URL the one of that name is returned.
    """
    url = _normal(base_url)
    own = find(adapter_name)
    if own and (fit := re.match(_template(own.base_url, _shapes(own)), url)):
        return Match(own, url[fit.end() :])
    index = _index()
    for known, name in index.fixed.get(_host(url), ()):
        if url.startswith(known) and url[len(known) : len(known) + 1] in {"", "/"}:
            return Match(get(name), url[len(known) :])
    for pattern, name in index.labels:
        if fit := pattern.match(url):
            return Match(get(name), url[fit.end() :])
    return None


@dataclass(frozen=True, slots=True)
class _Index:
    """Where a base URL leads: by its host, to known base URLs; else by patterns, of hosts of which a label varies."""

    fixed: Mapping[str, Sequence[tuple[str, str]]]
    labels: Sequence[tuple[re.Pattern[str], str]]


@cache
def _index() -> _Index:
    """Make the index from the text of the files: none is parsed, since most will never be asked for."""
    known: dict[str, set[tuple[str, str]]] = {}
    labels: list[tuple[re.Pattern[str], str]] = []
    for head in heads():
        section = _PLACEHOLDERS.search(_text(head.name))
        if section is None:
            urls = [head.base_url]
        else:
            urls = [PLACEHOLDER.sub(value, head.base_url) for value in _VALUES.findall(section[0])]
            if "form: label" in section[0] and not urls:
                labels.append((re.compile(_template(head.base_url, lambda _: _LABEL)), head.name))
        for url in map(_normal, urls):
            known.setdefault(_host(url), set()).add((url, head.name))
    return _Index({host: sorted(urls, key=lambda each: -len(each[0])) for host, urls in known.items()}, labels)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _shapes(entry: Integration) -> Callable[[str], str]:
    """Return the pattern of each placeholder of an entry."""
    return {each.name: f"(?:{_SHAPES[each.form]})" for each in entry.placeholders}.__getitem__


def _template(base_url: str, values: Callable[[str], str]) -> str:
    """Return the pattern of an entry's base URL and what begins with it. values: the pattern of a placeholder."""
    parts = PLACEHOLDER.split(_normal(base_url))
    pattern = "".join(values(part) if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return rf"(?:{pattern})(?=/|\Z)"


def _normal(url: str) -> str:
    """Return a URL with its scheme and host in lower case and without the default port and a final slash."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    host = host.lower().removesuffix(":443" if scheme.lower() == "https" else ":80")
    whole = f"{scheme.lower()}://{host}{slash}{path}" if separator else url
    return whole.rstrip("/")


def _head(name: str, text: str) -> Head:
    title, base_url = _TITLE.search(text), _BASE_URL.search(text)
    return Head(name, _unquoted(title[1] if title else name), _unquoted(base_url[1] if base_url else ""))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


@cache
def _text(name: str) -> str:
    return _folder().joinpath(name + _ENDING).read_text(encoding="utf-8")


def _parsed(text: str) -> Any:
    from mom.yamledit.data import to_data
    from mom.yamledit.parser import parse

    return to_data(parse(text, 0))
