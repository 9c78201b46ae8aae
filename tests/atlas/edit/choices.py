"""Where random choices come from: Hypothesis, which shrinks what fails, or a seed, which is a hundred times faster.

Both make the same kinds of values, so that what is written with them (`tests.atlas.edit.streams`) can be searched in
either way. A seed that fails is a number: the same one makes the same stream again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.values.headers import check_header_name, check_header_value
from mom.atlas.values.urls import check_base_url

T = TypeVar("T")
# Names of the adapters in the streams; those to be added are others.
NAMES = ("github", "aws.main", "Intern_1", "x")
_TAKEN = {name.casefold() for name in NAMES}
_SIGNS = "ab #:-{}[],'\"\\&*!|>%@`"
_QUOTED = st.text(
    st.one_of(st.sampled_from(_SIGNS), st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"))),
    max_size=12,
)

_ODD_NAMES = ("openai", "null", "true", "123", "1e3", "0x1F", "yes", "y", "on", "2024-01-01", "1_000", "0o17")
_ODD_URLS = ("https://api.openai.com", "http://127.0.0.1:8080/v1", "https://a_b.example/x:y")
_ODD_HEADER_NAMES = ("Authorization", "X-Api-Key", "yes", "null", "~", "*", "!x", "0", "`", "%", "&a", "#", "'")
_ODD_VALUES = (
    *("Bearer ${{ X }}", "${{ X }}", "yes", "1_000", "a: b", "x #y", "'", '"', "\\", "- x", "a\tb", "}", "é"),
    *("...", "---", "=", "<<", "~", "", " x ", "w" * 200, "? ", ":", "a:", "[x]", "{", "a, b", "0b1", "!x"),
)
_VALUE_SIGNS = "ab 0123.:_+-eExXoO'\"\\#{}[],&*!|>%@`~=?<$/\t"

ADAPTER_NAMES = st.one_of(st.sampled_from(_ODD_NAMES), st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z")).filter(
    lambda name: name.casefold() not in _TAKEN
)
BASE_URLS = st.one_of(
    st.sampled_from(_ODD_URLS),
    st.from_regex(r"\Ahttps?://[a-z][a-z0-9]{0,8}(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~:@!$&'()*+,;=-]{0,6}){0,3}\Z"),
).filter(lambda url: check_base_url(url) is None)
HEADER_NAMES = st.one_of(
    st.sampled_from(_ODD_HEADER_NAMES), st.from_regex(r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}\Z")
).filter(lambda name: check_header_name(name) is None)
HEADER_VALUES = st.one_of(
    st.sampled_from(_ODD_VALUES),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20),
    st.text(st.sampled_from(_VALUE_SIGNS), max_size=12),
).filter(lambda value: check_header_value(value) is None)


class Choices(Protocol):
    """Makes one random choice after another."""

    def pick(self, choices: Sequence[T]) -> T: ...

    def integer(self, low: int, high: int) -> int: ...

    def shuffled(self, values: Sequence[T]) -> list[T]: ...

    def quoted(self) -> str:
        """Return any text, to be put in quotes."""

    def adapter_name(self) -> str: ...

    def base_url(self) -> str: ...

    def headers(self, most: int) -> tuple[tuple[str, str], ...]:
        """Return headers with different names."""

    def adapter(self) -> HttpAdapterSpec:
        """Return an adapter whose name no stream has."""
        return HttpAdapterSpec(self.adapter_name(), self.base_url(), self.headers(3))


class Drawn(Choices):
    """Choices of Hypothesis."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw

    def pick(self, choices: Sequence[T]) -> T:
        choice: T = self.draw(st.sampled_from(choices))
        return choice

    def integer(self, low: int, high: int) -> int:
        number: int = self.draw(st.integers(low, high))
        return number

    def shuffled(self, values: Sequence[T]) -> list[T]:
        order: list[T] = self.draw(st.permutations(values))
        return order

    def quoted(self) -> str:
        return str(self.draw(_QUOTED))

    def adapter_name(self) -> str:
        return str(self.draw(ADAPTER_NAMES))

    def base_url(self) -> str:
        return str(self.draw(BASE_URLS))

    def headers(self, most: int) -> tuple[tuple[str, str], ...]:
        pairs = st.tuples(HEADER_NAMES, HEADER_VALUES)
        return tuple(self.draw(st.lists(pairs, max_size=most, unique_by=lambda header: header[0].lower())))


class Seeded(Choices):
    """Choices of Python's own generator, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.random.random() * len(choices))]

    def integer(self, low: int, high: int) -> int:
        return low + int(self.random.random() * (high - low + 1))

    def shuffled(self, values: Sequence[T]) -> list[T]:
        return self.random.sample(values, len(values))

    def quoted(self) -> str:
        return self._text(12, lambda: self.pick(_SIGNS) if self.integer(0, 1) else self._character())

    def adapter_name(self) -> str:
        return self._until(
            lambda name: name.casefold() not in _TAKEN,
            lambda: self.pick(_ODD_NAMES),
            lambda: self.pick(_ALNUM) + self._text(20, lambda: self.pick(f"{_ALNUM}._-")),
        )

    def base_url(self) -> str:
        return self._until(
            lambda url: check_base_url(url) is None,
            lambda: self.pick(_ODD_URLS),
            lambda: "".join(
                [
                    self.pick(("http://", "https://")),
                    "a" + self._text(8, lambda: self.pick("abz09")),
                    f":{self.integer(1, 9999)}" if self.integer(0, 1) else "",
                    *("/" + self._text(6, lambda: self.pick(f"{_ALNUM}._~:@!$&'()*+,;=-")) for _ in range(3)),
                ]
            ),
        )

    def headers(self, most: int) -> tuple[tuple[str, str], ...]:
        pairs = [(self._header_name(), self._header_value()) for _ in range(self.integer(0, most))]
        return tuple({name.lower(): (name, value) for name, value in pairs}.values())

    def _header_name(self) -> str:
        return self._until(
            lambda name: check_header_name(name) is None,
            lambda: self.pick(_ODD_HEADER_NAMES),
            lambda: self._text(12, lambda: self.pick(f"{_ALNUM}!#$%&'*+.^_`|~-")),
        )

    def _header_value(self) -> str:
        return self._until(
            lambda value: check_header_value(value) is None,
            lambda: self.pick(_ODD_VALUES),
            lambda: self._text(20, self._character),
            lambda: self._text(12, lambda: self.pick(_VALUE_SIGNS)),
        )

    def _character(self) -> str:
        """Return a character that no category excludes: of the first planes, most of them of the first."""
        while True:
            character = chr(self.pick((self.integer(32, 126), self.integer(0xA0, 0x2FF), self.integer(0x20, 0x1FFFF))))
            if character.isprintable() or character in "\xa0\u3000":
                return character

    def _text(self, most: int, character: Callable[[], str]) -> str:
        return "".join(character() for _ in range(self.integer(0, most)))

    def _until(self, is_wanted: Callable[[str], bool], *makers: Callable[[], str]) -> str:
        while True:
            if is_wanted(text := self.pick(makers)()):
                return text


_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
