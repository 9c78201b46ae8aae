"""The adapters of the configuration in this folder, for hints. Imported only when there is a mistake to explain."""

from __future__ import annotations

from pathlib import Path

FILES = ("atlas.yml", "atlas.yaml")


def local_adapters() -> dict[str, str]:
    """Return the base URL of each HTTP adapter in ./atlas.yml by its name; empty where there is no valid file."""
    from mom.atlas.load import load
    from mom.errors import MomError
    from mom.files import read_file
    from mom.yamledit.source import decode

    for name in FILES:
        if not Path(name).exists():
            continue
        try:
            configuration = load(decode(read_file(name), name))
        except MomError:
            return {}
        return {adapter.name: adapter.base_url for adapter in configuration.http_adapters}
    return {}
