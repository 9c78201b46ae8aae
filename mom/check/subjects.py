"""What a check has a result for: each adapter, and of one with several sets of credentials each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from mom.atlas.adapters.profiles import ProfileAdapter
from mom.atlas.model import Adapter
from mom.envoy import adapters as served_kinds
from mom.problems import Place


class Subject(NamedTuple):
    """An adapter, or an adapter with one of its profiles and no others."""

    adapter: Adapter
    profile: str = ""

    @property
    def name(self) -> str:
        """What a report calls it: `github`, `aws/prod`."""
        return f"{self.adapter.name}/{self.profile}" if self.profile else self.adapter.name

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name, by which those of one configuration differ."""
        return self.adapter.kind, self.name

    @property
    def place(self) -> Place:
        """Where the credentials are in the file, else the adapter."""
        profiles = self.adapter.profiles if isinstance(self.adapter, ProfileAdapter) else ()
        places = [setting.place for profile in profiles for setting in profile.settings]
        return places[0] if self.profile and places else self.adapter.place


def subjects(adapters: Iterable[Adapter], *, apart: bool) -> list[Subject]:
    """Return them in the order of the adapters.

    apart: whether profiles are told apart, since each has a request of its own.
    """
    result: list[Subject] = []
    for adapter in adapters:
        if apart and isinstance(adapter, ProfileAdapter) and adapter.kind in served_kinds.KINDS:
            each = (Subject(replace(adapter, profiles=(profile,)), profile.name) for profile in adapter.profiles)
            result += list(each) or [Subject(adapter)]
        else:
            result.append(Subject(adapter))
    return result
