"""The environment variables by which SDKs find a gateway, and by which git sends the access token.

Which they are is in the catalog, for an adapter by its name or else by its base URL. A key variable is set only
together with the base URL of the same SDK: an SDK that takes no base URL from the environment would send the token to
the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mom.auth.base_url import VARIABLE, Gateway
from mom.auth.sources import TOKEN_VARIABLE
from mom.catalog import loader
from mom.catalog.integration import Integration, Sdk
from mom.errors import MomError
from mom.gateway import AWS_PREFIX, HTTP_PREFIX, TOKEN_HEADER


@dataclass(frozen=True, slots=True)
class Served:
    """An adapter as a gateway lists it. path: below which it is served, with its final slash; it tells the kind."""

    name: str
    path: str
    base_url: str | None = None


def variables(adapters: Iterable[Served], gateway: Gateway, token: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs to call `adapters` with `token`.

    environ: that of the program, whose settings of git stay. Raises MomError where two adapters need different values
    of one variable.
    """
    environment = {VARIABLE: gateway.base, TOKEN_VARIABLE: token}
    owners: dict[str, str] = {}
    urls = []
    for adapter in adapters:
        url = gateway.base + adapter.path.rstrip("/")
        urls.append(url)
        for name, value in _of_adapter(adapter, url, token).items():
            if environment.get(name, value) != value:
                raise MomError(
                    f"{owners[name]} and {adapter.name} both set {name}",
                    hint="name one of them, and give the other's base URL to its SDK in the program",
                )
            environment[name] = value
            owners[name] = adapter.name
    return {**environment, **_git(urls, token, environ)}


def _of_adapter(adapter: Served, url: str, token: str) -> dict[str, str]:
    """Return the variables of an adapter: ATLAS_NAME_URL, and those of its SDKs."""
    upper = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in adapter.name.upper())
    values = {f"ATLAS_{upper}_URL": url}
    if f"{adapter.path.rstrip('/')}/" == AWS_PREFIX:
        # Atlas signs; an SDK needs some key to sign with itself. The token is where AWS has a session token.
        return {**values, "AWS_ACCESS_KEY_ID": "atlas", "AWS_SECRET_ACCESS_KEY": "atlas", "AWS_SESSION_TOKEN": token}
    entry = _entry(adapter)
    for sdk in entry.sdks if entry else ():
        if sdk.base_url_variable is None or entry is None:
            continue
        values.setdefault(sdk.base_url_variable, url + _suffix(sdk, entry, adapter))
        if sdk.key_variable is not None:
            values.setdefault(sdk.key_variable, token)
    return values


def _entry(adapter: Served) -> Integration | None:
    if not adapter.path.startswith(HTTP_PREFIX):
        return None
    if entry := loader.find(adapter.name):
        return entry
    match = loader.match(adapter.base_url, adapter.name) if adapter.base_url else None
    return match.integration if match else None


def _suffix(sdk: Sdk, entry: Integration, adapter: Served) -> str:
    """Return what an SDK expects after the adapter's base URL, without what that has already (`/v1`)."""
    base, own = (urlsplit(url or "").path.rstrip("/") for url in (entry.base_url, adapter.base_url))
    beyond = own.removeprefix(base) if own.startswith(base) else ""
    return sdk.suffix.removeprefix(beyond) if f"{sdk.suffix}/".startswith(f"{beyond}/") else sdk.suffix


def _git(urls: Iterable[str], token: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings by which git sends the token to these URLs and nowhere else (git-config(1), GIT_CONFIG_*).

    A redirect is not followed: libcurl would send the header along, to whatever host.
    """
    before = environ.get("GIT_CONFIG_COUNT", "0")
    first = int(before) if before.isascii() and before.isdigit() else 0
    settings = [
        setting
        for url in urls
        for setting in (
            (f"http.{url}/.extraHeader", f"{TOKEN_HEADER}: {token}"),
            (f"http.{url}/.followRedirects", "false"),
        )
    ]
    environment = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, start=first):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment
