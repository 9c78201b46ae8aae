"""The adapters of the configuration in this folder, for hints and completion. Imported only when one is wanted."""

from __future__ import annotations

FILES = ("atlas.yml", "atlas.yaml")


def local_adapters() -> dict[str, str]:
    """Return the base URL of each HTTP adapter in ./atlas.yml by its name; empty where there is no valid file."""
    from mom.atlas.adapters.http import HttpAdapter
    from mom.atlas.load import load
    from mom.errors import MomError
    from mom.files import read_file
    from mom.yamledit.source import MAX_BYTES, decode

    for name in FILES:
        try:
            configuration = load(decode(read_file(name, MAX_BYTES), name))
        except MomError:
            continue
        return {
            adapter.name: adapter.base_url for adapter in configuration.adapters if isinstance(adapter, HttpAdapter)
        }
    return {}
