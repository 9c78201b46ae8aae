"""What Envoy gets for adapters of one form (`mom.atlas.forms`): rendered once, with each adapter's values put in.

The form's example is rendered, whose name, host and variables are stand-ins, and split where these turn up. The result
must have an adapter's values as they are, or as `re.escape` writes them. That is tried with the first one of a form,
and a test tries others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from mom.atlas.forms import Form, FormedAdapter, Known
from mom.atlas.model import Adapter
from mom.atlas.rules.variable_rules import variable_names
from mom.envoy.messages import Entries, Json, dumps
from mom.envoy.options import Options
from mom.envoy.wire import Content, Template, joined

_Key = tuple[int, tuple[bool, ...]]
# What adapters were rendered to, by what is known of each: the same object as long as its document has the same text.
_Rendered = dict[Known, Any]


def distinct(adapters: Iterable[Adapter], options: Options | None = None) -> Iterator[Adapter]:
    """Yield one adapter of each form, and all that have none: for what name, host and variables make no difference to.

    options: with these it makes a difference whether the value of a variable comes from a file.
    """
    seen: set[object] = set()
    has_secrets = options is not None and bool(options.secrets)
    for adapter in adapters:
        # Asked five times of each adapter in a reload.
        if isinstance(adapter, FormedAdapter) and (known := adapter.known) is not None:
            key = _key(known.form, known.values, options) if has_secrets else id(known.form)
            if key in seen:
                continue
            seen.add(key)
        yield adapter


def longest(adapter: Adapter) -> Adapter:
    """Return the adapter of the same form whose values are the longest, or the adapter itself where it has no form."""
    known = adapter.known if isinstance(adapter, FormedAdapter) else None
    return adapter if known is None or known.form.example is None else known.form.example


def _key(form: Form, values: tuple[str, ...], options: Options | None) -> _Key:
    if options is None or not options.secrets:
        return id(form), ()
    return id(form), tuple(name in options.secrets for name, _ in form.variables(values))


# What is left of a stand-in that was changed.
_TRACE = re.compile("(?i)stand.?in")
# What an adapter is rendered to: a text, or bytes.
_Output = TypeVar("_Output")
_Filled = Callable[[Sequence[str]], _Output]


class Memory:
    """What adapters were rendered to the last time: a run translates all of them again for each change of one."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._last: dict[str, tuple[object, _Rendered]] = {}

    def recall(self, what: str, given: object) -> tuple[_Rendered, _Rendered]:
        """Return what was rendered the last time, empty where other things were `given`; and what takes its place.

        what: a name for what is rendered. given: all that it depends on, beside the adapters.
        """
        before, rendered = self._last.get(what, (None, {}))
        now: _Rendered = {}
        self._last[what] = given, now
        return (rendered if before == given else {}), now


class _ByForm(Generic[_Output]):
    """Renders each adapter.

    render: renders one. split: renders a form's example, whose stand-ins it gets, and returns what puts an adapter's
    values in their places; None where a stand-in is there in another form. recalled: what `Memory.recall` returns.
    """

    def __init__(
        self,
        render: Callable[[Adapter, Options], _Output],
        split: Callable[[Adapter, Options, Sequence[str]], _Filled[_Output] | None],
        options: Options,
        recalled: tuple[_Rendered, _Rendered],
    ) -> None:
        self._render = render
        self._split = split
        self._options = options
        self._before, self._now = recalled
        self._filled: dict[_Key, _Filled[_Output] | None] = {}
        # The variables of each form's example.
        self._names: dict[int, list[str]] = {}

    def of(self, adapter: Adapter) -> _Output:
        """Return what an adapter is rendered to."""
        known = adapter.known if isinstance(adapter, FormedAdapter) else None
        if known is None or known.form.example is None:
            return self._render(adapter, self._options)
        output: _Output | None = self._before.get(known)
        if output is None:
            output = self._new(adapter, known.form, known.values)
        self._now[known] = output
        return output

    def _new(self, adapter: Adapter, form: Form, values: tuple[str, ...]) -> _Output:
        assert form.example is not None
        # By which proxy a host is reached differs from host to host; an OAuth2 client is what its values make of it.
        if form.example.oauth2 is not None or self._options.proxies:
            return self._render(adapter, self._options)
        # A secret that is there twice is carried once.
        if self._options.secrets and self._is_repeated(form, values):
            return self._render(adapter, self._options)
        key = _key(form, values, self._options)
        if key not in self._filled:
            filled = self._of_form(form, values)
            output = self._render(adapter, self._options)
            self._filled[key] = filled if filled is not None and filled(values) == output else None
            return output
        filled = self._filled[key]
        return self._render(adapter, self._options) if filled is None else filled(values)

    def _is_repeated(self, form: Form, values: tuple[str, ...]) -> bool:
        """Whether two places have the same variable that had different ones in the form's example."""
        if (names := self._names.get(id(form))) is None:
            assert form.example is not None
            names = self._names[id(form)] = variable_names([form.example])
        changed = {stand_in: name for name, stand_in in form.variables(values)}
        return len({changed.get(name, name) for name in names}) < len(names)

    def _of_form(self, form: Form, values: tuple[str, ...]) -> _Filled[_Output] | None:
        secrets = {stand_in for name, stand_in in form.variables(values) if name in self._options.secrets}
        options = replace(self._options, secrets=self._options.secrets | secrets) if secrets else self._options
        assert form.example is not None
        return self._split(form.example, options, form.stand_ins)


class Texts:
    """Gives the text of each adapter. `render` creates it; equal options give equal texts."""

    def __init__(
        self,
        render: Callable[[Adapter, Options], str],
        options: Options,
        recalled: tuple[_Rendered, _Rendered] | None = None,
    ) -> None:
        """Take what renders an adapter, the options for it, and what `Memory.recall` returns."""

        def split(example: Adapter, options: Options, stand_ins: Sequence[str]) -> _Filled[str] | None:
            pieces = _pieces(render(example, options), [*stand_ins, *map(_in_pattern, stand_ins)])
            return None if pieces is None else lambda values: _filled(pieces, values)

        self._by_form = _ByForm(render, split, options, recalled or ({}, {}))

    def of(self, adapter: Adapter) -> str:
        """Return the text of an adapter."""
        return self._by_form.of(adapter)


class EntryOfEach(Entries):
    """An object with an entry for each adapter. `entry` creates it, an object with the one entry."""

    def __init__(
        self,
        entry: Callable[[Adapter, Options], Json],
        adapters: Sequence[Adapter],
        options: Options,
        recalled: tuple[_Rendered, _Rendered],
    ) -> None:
        """Take what creates an entry, for which adapters, the options for it, and what `Memory.recall` returns."""
        self._entry = entry
        self._adapters = adapters
        self._options = options
        self._recalled = recalled

    @property
    def text(self) -> str:
        """The text of the object."""
        texts = Texts(lambda adapter, options: dumps(self._entry(adapter, options))[1:-1], self._options)
        return f"{{{','.join([texts.of(adapter) for adapter in self._adapters])}}}"

    def encoded(self, encode: Callable[[Json, Callable[[str], Any]], Any]) -> Template:
        """Return the bytes of all entries."""

        def render(adapter: Adapter, options: Options) -> bytes:
            content: bytes = encode(self._entry(adapter, options), str.encode)
            return content

        def split(example: Adapter, options: Options, stand_ins: Sequence[str]) -> _Filled[bytes] | None:
            return _template(lambda text: encode(self._entry(example, options), text), stand_ins)

        by_form = _ByForm(render, split, self._options, self._recalled)
        # Not joined: messages around it would be 20 MB more, each.
        return Template([by_form.of(adapter) for adapter in self._adapters])


def _pieces(text: str, stand_ins: Sequence[str]) -> list[str | int] | None:
    """Return a text split at stand-ins, each as its number; None where one has become something else in it."""
    numbers = {stand_in: number for number, stand_in in reversed(list(enumerate(stand_ins)))}
    parts = re.split(f"({'|'.join(map(re.escape, numbers))})", text)
    # What has become of a stand-in in another way cannot be told from its values.
    if any(_TRACE.search(part) for part in parts[::2]):
        return None
    return [numbers[part] if at % 2 else part for at, part in enumerate(parts)]


def _filled(pieces: Sequence[str | int], values: Sequence[str]) -> str:
    both = values
    if any(isinstance(piece, int) and piece >= len(values) for piece in pieces):
        both = (*values, *map(_in_pattern, values))
    return "".join([piece if isinstance(piece, str) else both[piece] for piece in pieces])


def _in_pattern(value: str) -> str:
    return json.dumps(re.escape(value))[1:-1]


def _template(encode: Callable[[Callable[[str], Content]], Content], stand_ins: Sequence[str]) -> _Filled[bytes] | None:
    all_stand_ins = [*stand_ins, *map(re.escape, stand_ins)]
    changed: list[str] = []
    escaped: list[int] = []

    def encoded(text: str) -> Content:
        pieces = _pieces(text, all_stand_ins)
        if pieces is None:
            changed.append(text)
            return text.encode()
        escaped.extend(piece for piece in pieces if isinstance(piece, int) and piece >= len(stand_ins))
        return joined([piece.encode() if isinstance(piece, str) else Template([piece]) for piece in pieces])

    template = encode(encoded)
    if changed:
        return None
    if isinstance(template, bytes):
        return lambda _: template
    if escaped:
        return lambda values: template.filled([value.encode() for value in (*values, *map(re.escape, values))])
    return lambda values: template.filled([value.encode() for value in values])
