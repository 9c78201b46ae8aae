"""The adapters of the configuration that commands find here, for hints and completion. Imported only when wanted."""

from __future__ import annotations


def local_adapters() -> dict[str, str]:
    """Return the base URL of each HTTP adapter by its name; empty where no valid configuration is found."""
    import os

    from mom.atlas.adapters.http import HttpAdapter
    from mom.atlas.load import load
    from mom.cli.configuration_file import locate, read_source
    from mom.errors import MomError

    try:
        configuration = load(read_source(locate(os.environ)))
    except MomError:
        return {}
    return {adapter.name: adapter.base_url for adapter in configuration.adapters if isinstance(adapter, HttpAdapter)}
