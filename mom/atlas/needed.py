"""The environment variables that a configuration needs, and where each is used. Values are not looked at here."""

from __future__ import annotations

from dataclasses import dataclass

from mom.atlas.adapters import settings
from mom.atlas.adapters.kind import Setting
from mom.atlas.model import Adapter, Configuration
from mom.atlas.references import names


@dataclass(frozen=True, slots=True)
class Use:
    """A text of an adapter that refers to a variable."""

    adapter: Adapter
    setting: Setting

    def __str__(self) -> str:
        """Give `openai: header Authorization`."""
        return f"{self.adapter.name}: {self.setting.label}"


def needed(configuration: Configuration) -> dict[str, tuple[Use, ...]]:
    """Return the uses of each variable that an adapter refers to, in the order of the file."""
    uses: dict[str, list[Use]] = {}
    for adapter in configuration.adapters:
        for setting in settings(adapter):
            for name in names(setting.value):
                uses.setdefault(name, []).append(Use(adapter, setting))
    return {name: tuple(of_name) for name, of_name in uses.items()}


def needed_by(adapter: Adapter) -> list[str]:
    """Return the variables that one adapter refers to, each once."""
    return list(dict.fromkeys(name for setting in settings(adapter) for name in names(setting.value)))
