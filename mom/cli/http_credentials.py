"""The options --basic-auth, --query, --oauth2-... and --proxy of add-http-adapter: what is not a header's value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mom.atlas.values.headers import check_header_value
from mom.atlas.values.secrets import literal_credential, plain_parameter
from mom.errors import MomError, UsageError
from mom.yamledit.shape import Value

# RFC 6749, 3.3.
_SCOPE = re.compile(r"[!#-\[\]-~]+")


class OAuth2Options(NamedTuple):
    """What the options --oauth2-... say, as they are given."""

    token_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    scopes: Sequence[str] = ()
    parameters: Sequence[str] = ()


def read_basic_auth(text: str, *, allow_literal_secret: bool) -> tuple[str, str]:
    """Return user name and password of `--basic-auth USER:PASSWORD`, split at the first colon, as curl's -u does.

    Raises UsageError for a value that cannot be used, MomError for a password that is written out.
    """
    username, colon, password = text.partition(":")
    if not colon:
        hint = "write --basic-auth '${{ USER }}:${{ PASSWORD }}'; a colon at the end leaves the password empty"
        raise UsageError("--basic-auth: there is no colon after the user name", hint=hint)
    for part in (username, password):
        if wrong := check_header_value(part):
            raise UsageError(f"--basic-auth: {wrong.message}", hint=wrong.hint)
    if password and not allow_literal_secret and (reason := literal_credential("password", password)):
        raise MomError(
            f"--basic-auth: {reason}",
            hint="name a variable: --basic-auth 'USER:${{ PASSWORD }}' (or --allow-literal-secret)",
        )
    return username, password


def read_query(given: Sequence[str], *, allow_literal_secret: bool) -> tuple[tuple[str, str], ...]:
    """Return the parameters of each `--query NAME=VALUE`, neither encoded.

    Raises UsageError for a value that cannot be used, MomError for a credential that is written out.
    """
    parameters: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UsageError("--query: write a parameter as 'NAME=VALUE'", hint="--query 'key=${{ EXAMPLE_KEY }}'")
        for part in (name, value):
            if wrong := check_header_value(part):
                raise UsageError(f"--query {name}: {wrong.message}", hint=wrong.hint)
        if name in parameters:
            raise UsageError(f"--query: the parameter {name} is given twice", hint="give each parameter once")
        if not allow_literal_secret and plain_parameter(name, value) is not None:
            hint = f"name a variable: --query '{name}=${{{{ EXAMPLE_KEY }}}}' (or --allow-literal-secret)"
            raise MomError(f"--query: the parameter {name} is a plain-text credential", hint=hint)
        parameters[name] = value
    return tuple(parameters.items())


def read_oauth2(given: OAuth2Options) -> dict[str, Value] | None:
    """Return `oauth2` as the options describe it, None where there are none.

    Raises UsageError for a value that cannot be used, MomError for a secret that is written out.
    """
    if not any(given):
        return None
    if given.token_url is None or given.client_id is None or given.client_secret is None:
        options = "--oauth2-token-url, --oauth2-client-id and --oauth2-client-secret"
        raise UsageError(f"{options} are given together", hint="give all three, or no option of OAuth2")
    return read_oauth2_parts(given)


def read_oauth2_parts(given: OAuth2Options) -> dict[str, Value]:
    """Return the parts of `oauth2` that the options describe, lists that are empty where they are given so.

    Raises UsageError for a value that cannot be used, MomError for a secret that is written out.
    """
    from mom.atlas.references import only_reference
    from mom.atlas.values.urls import check_token_url

    if given.token_url is not None and (wrong := check_token_url(given.token_url)):
        raise UsageError(f"--oauth2-token-url: {wrong.message}", hint=wrong.hint)
    if given.client_id is not None and (refused := check_header_value(given.client_id)):
        raise UsageError(f"--oauth2-client-id: {refused.message}", hint=refused.hint)
    if given.client_secret is not None and only_reference(given.client_secret) is None:
        hint = "name a variable: --oauth2-client-secret '${{ CLIENT_SECRET }}'"
        raise MomError("--oauth2-client-secret: the secret is one variable, and nothing else", hint=hint)
    for scope in given.scopes:
        if scope and _SCOPE.fullmatch(scope) is None:
            hint = "give each scope by an option of its own"
            raise UsageError(f"--oauth2-scope: {scope!r} is not a scope", hint=hint)
    texts = {"tokenUrl": given.token_url, "clientId": given.client_id, "clientSecret": given.client_secret}
    oauth2: dict[str, Value] = {key: text for key, text in texts.items() if text is not None}
    if given.scopes:
        oauth2["scopes"] = [scope for scope in given.scopes if scope]
    if given.parameters:
        oauth2["parameters"] = [_parameter(text) for text in given.parameters if text]
    return oauth2


def _parameter(text: str) -> Value:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        hint = "--oauth2-parameter 'audience=https://api.example.com'"
        raise UsageError("--oauth2-parameter: write a parameter as 'NAME=VALUE'", hint=hint)
    return {"name": name, "value": value}


def read_proxy(text: str | None) -> str | None:
    """Return what `--proxy` says. Raises UsageError for what is not a proxy; a credential in it is not repeated."""
    from mom.atlas.values.urls import check_proxy

    if text is not None and (wrong := check_proxy(text)):
        raise UsageError(f"--proxy: {wrong.message}", hint=wrong.hint)
    return text
