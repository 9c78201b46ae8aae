"""The HTTP adapter that options describe: its checked values, and the warnings and notes about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.references import names
from mom.atlas.values.foreign import find_foreign, is_meant_as_reference, meant_instead, message
from mom.atlas.values.headers import EMPTY_VALUE, check_header_name, check_header_value, refused_header
from mom.atlas.values.names import check_adapter_name
from mom.atlas.values.secrets import (
    is_credential_header,
    known_token,
    literal_secret,
    suggested_reference,
    unencoded_basic,
)
from mom.atlas.values.urls import check_base_url, endpoint, is_plain_http
from mom.errors import MomError, UsageError
from mom.masking import mask_tokens

if TYPE_CHECKING:
    from mom.catalog.adapter import Choice


def read_adapter(
    name: str,
    base_url: str,
    headers: Sequence[str],
    *,
    basic_auth: str | None = None,
    query: Sequence[str] = (),
    http2: bool = False,
    tls: Mapping[str, str | None] | None = None,
    oauth2: tuple[str | None, str | None, str | None, Sequence[str], Sequence[str]] | None = None,
    proxy: str | None = None,
    allow_literal_secret: bool = False,
) -> HttpAdapterSpec:
    """Return the adapter that the options of add-http-adapter describe; `oauth2`: the values of `OAuth2Options`.

    Raises UsageError for a value that cannot be used, MomError for a credential that is written out.
    """
    adapter = HttpAdapterSpec(
        name=read_adapter_name(name),
        base_url=read_base_url(base_url),
        headers=read_headers(headers, allow_literal_secret=allow_literal_secret),
        http2=http2,
        tls=_read_tls(tls or {}, base_url),
    )
    if http2 and adapter.base_url.lower().startswith("https:"):
        raise UsageError("--http2 is for plain http", hint="leave it out: over https, HTTP/2 is negotiated")
    if basic_auth is None and not query and not any(oauth2 or ()) and proxy is None:
        return adapter
    from mom.cli.http_credentials import OAuth2Options, read_basic_auth, read_oauth2, read_proxy, read_query

    client = None if oauth2 is None else read_oauth2(OAuth2Options(*oauth2))
    has_authorization = any(header.lower() == "authorization" for header, _ in adapter.headers)
    if client is not None and (basic_auth is not None or has_authorization):
        raise UsageError(
            "OAuth2 excludes --basic-auth and -H Authorization",
            hint="Atlas sends the token in that header: give one of them",
        )
    if basic_auth is not None and has_authorization:
        raise UsageError("--basic-auth and -H Authorization exclude each other", hint="give one of them")
    return adapter._replace(
        basic_auth=None
        if basic_auth is None
        else read_basic_auth(basic_auth, allow_literal_secret=allow_literal_secret),
        query=read_query(query, allow_literal_secret=allow_literal_secret),
        oauth2=client,
        proxy=read_proxy(proxy),
    )


def read_choice(choice: Choice, *, allow_literal_secret: bool = False) -> HttpAdapterSpec:
    """Return the adapter that an entry of the catalog, and what the user said of it, make; raises as `read_adapter`."""
    return read_adapter(
        choice.adapter_name,
        choice.base_url,
        choice.header_arguments(),
        basic_auth=choice.basic_argument(),
        query=choice.query_arguments(),
        oauth2=choice.oauth2_arguments(),
        allow_literal_secret=allow_literal_secret,
    )


def _read_tls(given: Mapping[str, str | None], base_url: str) -> tuple[tuple[str, str], ...]:
    """Return the keys of `tls` with the files that options give. Raises UsageError for a part of a pair."""
    files = {key: name for key, name in given.items() if name is not None}
    if ("certFile" in files) != ("keyFile" in files):
        raise UsageError("--cert-file and --key-file are given together", hint="give both, or leave both out")
    if files and base_url.lower().startswith("http:"):
        raise UsageError("TLS has no effect: the base URL is plain http", hint="write https://")
    refuse_unusable_files(files.values())
    return tuple(files.items())


def refuse_unusable_files(names: Iterable[str]) -> None:
    """Raise UsageError where the name of a file of TLS settings is empty or has a reference."""
    if any(not name.strip() or "${{" in name for name in names):
        raise UsageError("a file of TLS settings is a path", hint="write it relative to the configuration file")


def read_adapter_name(name: str) -> str:
    """Return the name that `--adapter-name` gives; raises UsageError where it is not one."""
    return _checked("--adapter-name", name, check_adapter_name(name))


def read_base_url(base_url: str) -> str:
    """Return the URL that `--base-url` gives; raises UsageError where an adapter cannot have it."""
    return _checked("--base-url", base_url, check_base_url(base_url))


def read_headers(given: Sequence[str], *, allow_literal_secret: bool) -> tuple[tuple[str, str], ...]:
    """Return the headers that `-H` gives as name and value. Raises UsageError, or MomError for a literal secret.

    A header is split at its first colon, as curl does; one pair of double quotes around the value is dropped, as the
    original mom did.
    """
    headers: list[tuple[str, str]] = []
    seen: set[str] = set()
    for text in given:
        name, value = _split_header(text)
        if name.lower() in seen:
            raise UsageError(f"-H: duplicate header `{mask_tokens(name)}`", hint="pass each header once")
        seen.add(name.lower())
        if not allow_literal_secret:
            _refuse_literal_secret(name, value)
        headers.append((name, value))
    return tuple(headers)


def _split_header(text: str) -> tuple[str, str]:
    """Return name and value of a `-H`; raises UsageError where Atlas could not send them."""
    name, colon, value = text.partition(":")
    if not colon:
        # What follows a name, or stands alone, may be the credential.
        known = re.match(r"[A-Za-z-]{1,40}(?=[ =]|$)", text)
        shown = "a header" if known is None else f"`{known[0]}{'' if known[0] == text else ' …'}`"
        raise UsageError(f"-H: {shown} has no colon", hint="write a header as -H 'Name: value'")
    _checked("-H", name, check_header_name(name))
    value = value.strip(" \t")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    _checked("-H", name, refused_header(name))
    if wrong := check_header_value(value) if value.strip() else EMPTY_VALUE:
        raise UsageError(f"-H {mask_tokens(name)}: {wrong}")
    return name, value


def _refuse_literal_secret(name: str, value: str) -> None:
    """Raise MomError where the value is a credential itself, or names a variable in another tool's syntax."""
    if not literal_secret(name, value):
        return
    foreign = find_foreign(value, placeholders=True) if is_meant_as_reference(value) else None
    if foreign:
        # No credential has leaked, but the adapter could not work.
        meant = value[: foreign.start] + meant_instead(foreign, suggested_reference(name)) + value[foreign.end :]
        raise MomError(
            f"-H {name}: {message(value, foreign)}",
            hint=f"name a variable: -H '{name}: {meant}' (or --allow-literal-secret)",
        )
    if token := known_token(value):
        refusal = f"-H {name}: {token}: do not commit credentials"
    else:
        refusal = f"-H: refusing to write a plain-text credential for `{name}`"
    raise MomError(
        refusal,
        hint=f"name a variable: -H '{name}: {suggested_reference(name, value)}' (or --allow-literal-secret)",
    )


def variables(adapter: HttpAdapterSpec) -> list[str]:
    """Return the environment variables that the adapter names, each once."""
    values = [value for _, value in (*adapter.headers, *adapter.query)]
    values += [str((adapter.oauth2 or {}).get(key, "")) for key in ("clientId", "clientSecret")]
    return list(dict.fromkeys(name for value in (*(adapter.basic_auth or ()), *values) for name in names(value)))


def warnings(adapter: HttpAdapterSpec) -> list[str]:
    """Return what is probably wrong with the adapter."""
    warnings = [
        f"the value of `{name}` is not ASCII: servers decode such bytes differently"
        for name, value in adapter.headers
        if not value.isascii()
    ]
    if is_plain_http(adapter.base_url):
        warnings.append(f"credentials would be sent unencrypted, over plain http, to {adapter.base_url}")
    for name, value in adapter.headers:
        if wrong := unencoded_basic(name, value):
            warnings.append(str(wrong))
        foreign = find_foreign(value, placeholders=is_credential_header(name))
        if foreign and (foreign.name or is_meant_as_reference(value)):
            instead = meant_instead(foreign, suggested_reference(name))
            warnings.append(f"-H {name}: {message(value, foreign)}; to name a variable write {instead}")
    return warnings


def notes(adapter: HttpAdapterSpec) -> list[str]:
    """Return what may be intended, but is more often a mistake."""
    notes = []
    if ending := endpoint(adapter.base_url):
        notes.append(f"`{ending}` looks like an endpoint: callers append their path to the base URL")
    if (
        not variables(adapter)
        and adapter.basic_auth is None
        and adapter.oauth2 is None
        and not any(is_credential_header(name) for name, _ in adapter.headers)
    ):
        notes.append("no header has a credential; add one with -H 'NAME: VALUE'")
    return notes


def _checked(option: str, value: str, wrong: str | None) -> str:
    if wrong:
        raise UsageError(f"{option}: {wrong}")
    return value
