"""Which file curl takes for its .curlrc: curl's `tool_homedir.c` and, since 7.81, `tool_findfile.c`."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def curlrc_paths(environ: Mapping[str, str], version: Callable[[], tuple[int, ...]]) -> list[str]:
    """Return the path of the file that the curl at hand reads as its .curlrc; no path where there is none.

    `version` gives that curl's version; it is called only where versions differ.
    """
    existing = [path for path in candidates(environ) if _opens(path)]
    if not existing or (existing == [f"{environ.get('HOME')}/.curlrc"] and not environ.get("CURL_HOME")):
        return existing
    return [path for path in _searched(environ, version()) if _opens(path)][:1]


def candidates(environ: Mapping[str, str]) -> list[str]:
    """Return the paths that some curl takes for its .curlrc, whether or not there is such a file."""
    home, curl_home, config_home = (environ.get(name) for name in ("HOME", "CURL_HOME", "XDG_CONFIG_HOME"))
    paths = [f"{folder}/.curlrc" for folder in (curl_home, config_home, home, _listed_home()) if folder]
    paths += [f"{config_home}/curlrc"] if config_home else []
    paths += [f"{folder}/.config/curlrc" for folder in (curl_home, home) if folder]
    return list(dict.fromkeys(paths))


def _searched(environ: Mapping[str, str], version: tuple[int, ...]) -> Iterator[str]:
    """Yield the paths at which curl of `version` looks for its .curlrc: it takes the first that opens."""
    home, curl_home, config_home = (environ.get(name) for name in ("HOME", "CURL_HOME", "XDG_CONFIG_HOME"))
    if version < (7, 81):
        # The first of these that is set, whether or not it has the file; only the second has to.
        if curl_home:
            yield f"{curl_home}/.curlrc"
            return
        if config_home and version >= (7, 73):
            yield f"{config_home}/.curlrc"
        folder = home or _listed_home()
        if folder:
            yield f"{folder}/.curlrc"
        return
    if curl_home:
        yield f"{curl_home}/.curlrc"
    if config_home:
        yield f"{config_home}/{'curlrc' if version >= (8, 10) else '.curlrc'}"
    if home:
        yield f"{home}/.curlrc"
    if not config_home and version >= (7, 82) and (folder := curl_home or home):
        # Of the two, curl looks only below the first that is set.
        yield f"{folder}/.config/curlrc"
    if listed := _listed_home():
        yield f"{listed}/.curlrc"


def _listed_home() -> str | None:
    """Return the home that the user database has, which curl asks last."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_dir or None
    except (ImportError, KeyError):
        return None


def _opens(path: str) -> bool:
    """Whether a file can be opened for reading, as curl tests it, but without waiting for a pipe's writer."""
    try:
        os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)))
    except (OSError, ValueError):
        return False
    return True
