"""What is wrong with the environment variables that a configuration names: for `run`, and for `validate --env`.

Envoy sends an unset variable as `-` and skips an empty one, so that the client's own header would go through; a line
ending inside one it finds out per request. No value is ever repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from mom.atlas.adapters import kind_of, settings, variables_in
from mom.atlas.adapters.kind import Setting
from mom.atlas.forms import FormedAdapter
from mom.atlas.model import Adapter
from mom.atlas.references import names
from mom.atlas.rules.catalogue import problem_of
from mom.problems import Problem

_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Use(NamedTuple):
    """A variable that a setting of an adapter names."""

    name: str
    setting: Setting
    adapter: Adapter

    @property
    def words(self) -> str:
        """Where it is used: `header X-Key of openai`."""
        return f"{self.setting.label} of {self.adapter.name}"


class Environment(NamedTuple):
    """Where values come from: the process's environment, then an env file, None without one; `file` is its name."""

    environ: Mapping[str, str]
    in_file: Mapping[str, str] | None = None
    file: str = ""

    def value(self, name: str) -> str | None:
        """Return the value of a variable, None where it is not set."""
        return self.environ.get(name, (self.in_file or {}).get(name))

    def state(self, name: str) -> str:
        """Return `set`, `empty` or `unset`."""
        value = self.value(name)
        return "unset" if value is None else "set" if value.strip() else "empty"


def variable_names(adapters: Iterable[Adapter]) -> list[str]:
    """Return the variables that `adapters` name, each once, in their order."""
    return list(dict.fromkeys(chain.from_iterable(map(names_in, adapters))))


def names_in(adapter: Adapter) -> tuple[str, ...]:
    """Return the variables that an adapter names, each once, in their order."""
    if isinstance(adapter, FormedAdapter) and adapter.known is not None:
        return adapter.known.variables
    return variables_in(adapter)


def variable_problem(use: Use, environment: Environment) -> Problem | None:
    """Return why a variable cannot be used, None where it can."""
    value = environment.value(use.name)
    where = f"({use.words})"
    if value is None:
        hint = f"export {use.name}=…, or put it in {environment.file or 'a file: --env-file .env'}"
        return problem_of(use.setting.place, "unset-variable", f"the variable {use.name} is not set {where}", hint=hint)
    if use.name in environment.environ and not value and (environment.in_file or {}).get(use.name):
        message = f"the variable {use.name} is empty in the environment, which hides the one in {environment.file}"
        return problem_of(use.setting.place, "hidden-variable", f"{message} {where}", hint=f"unset {use.name}")
    if not value.strip():
        hint = f"export {use.name}=…, with its value"
        return problem_of(use.setting.place, "empty-variable", f"the variable {use.name} is empty {where}", hint=hint)
    if not is_sendable(value):
        # A secret read with a trailing line ending is the usual case.
        message = f"the variable {use.name} contains a line ending or another control character {where}"
        return problem_of(use.setting.place, "unsendable-variable", message)
    return None


def is_sendable(value: str) -> bool:
    """Whether a header can have it: no control character but the tab (RFC 9110, 5.5)."""
    return _UNSENDABLE.search(value) is None


def uses(adapters: Iterable[Adapter]) -> Iterator[Use]:
    """Yield each use of a variable in `adapters`, in their order."""
    for adapter in adapters:
        for setting in settings(adapter):
            for name in names(setting.value):
                yield Use(name, setting, adapter)


def doubtful_variables(adapters: Iterable[Adapter], variables: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a warning for each variable whose value has a form that no API accepts; `variables` has all of them."""
    seen: set[tuple[str, str]] = set()
    for adapter in (adapter for adapter in adapters if names_in(adapter)):
        for name, objection, setting in kind_of(adapter).doubts(adapter, variables):
            if (name, objection.message) not in seen:
                seen.add((name, objection.message))
                message = f"the variable {name} {objection.message} ({setting.label} of {adapter.name})"
                yield problem_of(setting.place, "doubtful-variable", message, hint=objection.hint)
