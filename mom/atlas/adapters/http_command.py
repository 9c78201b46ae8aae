"""The options of the command that adds an HTTP adapter as a document has it: the undo of its removal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from mom.atlas.documents import text_at
from mom.atlas.references import only_reference
from mom.atlas.values.secrets import literal_credential, literal_secret, plain_parameter
from mom.yamledit.data import Data
from mom.yamledit.shape import Value

_FILES = {"caFile": "--ca-file", "certFile": "--cert-file", "keyFile": "--key-file"}
_CLIENT = {
    "tokenUrl": "--oauth2-token-url",
    "clientId": "--oauth2-client-id",
    "clientSecret": "--oauth2-client-secret",
}


class _NotAnOptionError(Exception):
    """A part of the document is nothing that an option says, or a credential in plain text."""


def options_for(spec: dict[str, Data]) -> list[str] | None:
    """Return the options of `add-http-adapter`, None where no options say the same.

    A credential in plain text is never repeated: with one, there is no command either.
    """
    words: list[str] = []
    try:
        for key, value in _in_order(spec):
            words += _OPTIONS[key](value)
    except (_NotAnOptionError, KeyError):
        return None
    return words if "--base-url" in words else None


def words_for(key: str, value: Data | Value) -> list[str] | None:
    """Return the options of `set` for a key of `spec`, None where no option says the same.

    An empty part of a mapping is one that goes.
    """
    given = cast("Data", value)
    emptied: list[str] = []
    if isinstance(value, dict) and key in {"oauth2", "tls"}:
        given = {part: cast("Data", each) for part, each in value.items() if each not in ("", [])}
        emptied = [part for part in value if part not in given]
    try:
        words = _OPTIONS[key](given)
    except (_NotAnOptionError, KeyError):
        return None
    return [*words, *(word for part in emptied for word in (_EMPTIED[part], ""))]


def _in_order(spec: dict[str, Data]) -> Iterator[tuple[str, Data]]:
    """Yield the entries: those that an option sets in the order of the options, then any others."""
    yield from ((key, spec[key]) for key in _OPTIONS if key in spec)
    yield from ((key, value) for key, value in spec.items() if key not in _OPTIONS)


def _base_url(value: Data) -> list[str]:
    return ["--base-url", _text(value)]


def _headers(value: Data) -> list[str]:
    words: list[str] = []
    for name, text in _pairs(value):
        if literal_secret(name, text) is not None:
            raise _NotAnOptionError
        words += ["-H", f"{name}: {text}"]
    return words


def _basic_auth(value: Data) -> list[str]:
    if not isinstance(value, dict) or value.keys() - {"username", "password"}:
        raise _NotAnOptionError
    username, password = _text(value.get("username")), _text(value.get("password", ""))
    if ":" in username or (password and literal_credential("password", password) is not None):
        raise _NotAnOptionError
    return ["--basic-auth", f"{username}:{password}"]


def _query(value: Data) -> list[str]:
    words: list[str] = []
    for name, text in _pairs(value):
        if "=" in name or plain_parameter(name, text) is not None:
            raise _NotAnOptionError
        words += ["--query", f"{name}={text}"]
    return words


def _tls(value: Data) -> list[str]:
    if not isinstance(value, dict) or value.keys() - _FILES.keys():
        raise _NotAnOptionError
    return [word for key, option in _FILES.items() if key in value for word in (option, _text(value[key]))]


def _oauth2(value: Data) -> list[str]:
    if not isinstance(value, dict) or value.keys() - {*_CLIENT, "scopes", "parameters"}:
        raise _NotAnOptionError
    secret = _text(value.get("clientSecret"))
    if only_reference(secret) is None:
        raise _NotAnOptionError
    words = [word for key, option in _CLIENT.items() for word in (option, _text(value.get(key)))]
    scopes = value.get("scopes", [])
    if not isinstance(scopes, list):
        raise _NotAnOptionError
    words += [word for scope in scopes for word in ("--oauth2-scope", _text(scope))]
    for name, text in _pairs(value.get("parameters")):
        if "=" in name:
            raise _NotAnOptionError
        words += ["--oauth2-parameter", f"{name}={text}"]
    return words


def _proxy(value: Data) -> list[str]:
    if "@" in _text(value):
        raise _NotAnOptionError
    return ["--proxy", _text(value)]


def _http2(value: Data) -> list[str]:
    if value != "prior-knowledge":
        raise _NotAnOptionError
    return ["--http2"]


def _allow(value: Data) -> list[str]:
    from mom.atlas.adapters.http_words import write_allow

    words: list[str] = []
    for entry in value if isinstance(value, list) else [None]:
        text = write_allow(entry) if isinstance(entry, dict) else None
        if text is None:
            raise _NotAnOptionError
        words += ["--allow", text]
    return words


def _limits(value: Data) -> list[str]:
    from mom.atlas.adapters.http_words import write_limit

    if not isinstance(value, dict) or not {"requestsPerMinute"} <= value.keys() <= {"requestsPerMinute", "per"}:
        raise _NotAnOptionError
    return ["--limit", write_limit(value)]


def _timeout(value: Data) -> list[str]:
    return ["--timeout", _text(value)]


def _retries(value: Data) -> list[str]:
    if not isinstance(value, int):
        raise _NotAnOptionError
    return ["--retries", str(value)]


def _smoke(value: Data) -> list[str]:
    from mom.atlas.adapters.http_words import write_smoke

    text = write_smoke(value)
    if text is None:
        raise _NotAnOptionError
    return ["--smoke", text]


# By key of `spec`, what turns its value into options; any other key has none.
_OPTIONS = {
    "baseUrl": _base_url,
    "headers": _headers,
    "basicAuth": _basic_auth,
    "query": _query,
    "oauth2": _oauth2,
    "proxy": _proxy,
    "tls": _tls,
    "http2": _http2,
    "smoke": _smoke,
    "allow": _allow,
    "limits": _limits,
    "timeout": _timeout,
    "retries": _retries,
}
# By part of a mapping, the option whose empty value takes it out.
_EMPTIED = {**_FILES, "scopes": "--oauth2-scope", "parameters": "--oauth2-parameter"}


def _pairs(value: Data) -> list[tuple[str, str]]:
    """Return the names and values of a list of headers or parameters; nothing for an empty one."""
    if not isinstance(value, list):
        if value is None:
            return []
        raise _NotAnOptionError
    return [(_text(text_at(each, "name")), _text(text_at(each, "value"))) for each in value]


def _text(value: Data) -> str:
    if not isinstance(value, str):
        raise _NotAnOptionError
    return value
