"""What Envoy gets for adapters of one form (`mom.atlas.forms`): rendered once, with each adapter's values put in.

The text is that of the form's example, whose name, host and variables are stand-ins, and split where these turn up.
What is rendered must have an adapter's values as they are, or as `re.escape` writes them. That is tried with the first
adapter of a form, and a test tries others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from mom.atlas.forms import Form, FormedAdapter
from mom.atlas.model import Adapter
from mom.atlas.rules.variable_rules import variable_names
from mom.envoy.options import Options

_Key = tuple[int, tuple[bool, ...]]


def distinct(adapters: Iterable[Adapter], options: Options | None = None) -> Iterator[Adapter]:
    """Yield one adapter of each form, and all that have none: for what name, host and variables make no difference to.

    options: with these it makes a difference whether the value of a variable comes from a file.
    """
    seen: set[_Key] = set()
    for adapter in adapters:
        if isinstance(adapter, FormedAdapter) and adapter.form is not None:
            key = _key(adapter.form, adapter.values, options)
            if key in seen:
                continue
            seen.add(key)
        yield adapter


def longest(adapter: Adapter) -> Adapter:
    """Return the adapter of the same form whose values are the longest, or the adapter itself where it has no form."""
    form = adapter.form if isinstance(adapter, FormedAdapter) else None
    return adapter if form is None or form.example is None else form.example


def _key(form: Form, values: tuple[str, ...], options: Options | None) -> _Key:
    if options is None or not options.secrets:
        return id(form), ()
    return id(form), tuple(name in options.secrets for name, _ in form.variables(values))


# What is left of a stand-in that was changed.
_TRACE = re.compile("(?i)stand.?in")


class Texts:
    """Gives the text of each adapter. `render` creates it; equal options give equal texts."""

    def __init__(self, render: Callable[[Adapter, Options], str], options: Options) -> None:
        """Take what renders an adapter, and the options for it."""
        self._render = render
        self._options = options
        self._pieces: dict[_Key, list[str | int] | None] = {}
        # The variables of each form's example.
        self._names: dict[int, list[str]] = {}

    def of(self, adapter: Adapter) -> str:
        """Return the text of an adapter."""
        if not isinstance(adapter, FormedAdapter) or (form := adapter.form) is None or form.example is None:
            return self._render(adapter, self._options)
        # By which proxy a host is reached differs from host to host; an OAuth2 client is what its values make of it.
        if form.example.oauth2 is not None or self._options.proxies:
            return self._render(adapter, self._options)
        values = adapter.values
        # A secret that is there twice is carried once.
        if self._options.secrets and self._is_repeated(form, values):
            return self._render(adapter, self._options)
        key = _key(form, values, self._options)
        if key not in self._pieces:
            pieces = self._of_form(form, values)
            text = self._render(adapter, self._options)
            self._pieces[key] = pieces if pieces is not None and _filled(pieces, values) == text else None
            return text
        known = self._pieces[key]
        return self._render(adapter, self._options) if known is None else _filled(known, values)

    def _is_repeated(self, form: Form, values: tuple[str, ...]) -> bool:
        """Whether two places have the same variable that had different ones in the form's example."""
        if (names := self._names.get(id(form))) is None:
            assert form.example is not None
            names = self._names[id(form)] = variable_names([form.example])
        changed = {stand_in: name for name, stand_in in form.variables(values)}
        return len({changed.get(name, name) for name in names}) < len(names)

    def _of_form(self, form: Form, values: tuple[str, ...]) -> list[str | int] | None:
        secrets = {stand_in for name, stand_in in form.variables(values) if name in self._options.secrets}
        options = replace(self._options, secrets=self._options.secrets | secrets) if secrets else self._options
        assert form.example is not None
        text = self._render(form.example, options)
        stand_ins = [*form.stand_ins, *map(_in_pattern, form.stand_ins)]
        numbers = {stand_in: number for number, stand_in in reversed(list(enumerate(stand_ins)))}
        parts = re.split(f"({'|'.join(map(re.escape, numbers))})", text)
        # What has become of a stand-in in another way cannot be told from its values.
        if any(_TRACE.search(part) for part in parts[::2]):
            return None
        return [numbers[part] if at % 2 else part for at, part in enumerate(parts)]


def _filled(pieces: Sequence[str | int], values: tuple[str, ...]) -> str:
    both = values
    if any(isinstance(piece, int) and piece >= len(values) for piece in pieces):
        both = (*values, *map(_in_pattern, values))
    return "".join([piece if isinstance(piece, str) else both[piece] for piece in pieces])


def _in_pattern(value: str) -> str:
    return json.dumps(re.escape(value))[1:-1]
