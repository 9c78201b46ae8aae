"""From an entry to an HTTP adapter: what the guide's `add-http-adapter` would be given for it.

What a user says (values of placeholders, optional headers, own headers) is checked here, so that no value can lead the
credential to another host than the entry's: a placeholder that is a label of a host name stays one label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mom.catalog.integration import Form, Integration, OAuth2, OptionalHeader, Placeholder, filled, placeholders_in
from mom.errors import UsageError
from mom.gateway import is_this_machine
from mom.masking import mask_tokens

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[1-9][0-9]{{0,4}})?"
_FORMS = {
    Form.LABEL: (_LABEL, "one part of a host name: letters, digits and `-`"),
    Form.HOST: (_HOST, "a host name, with a port if need be, without scheme and path"),
    Form.ORIGIN: (rf"https?://{_HOST}", "scheme, host and port, without a path"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The adapter that an entry and what the user said of it make: the arguments of `add-http-adapter`."""

    adapter_name: str
    base_url: str
    headers: tuple[tuple[str, str], ...]
    basic_auth: tuple[str, str] | None = None
    query: tuple[tuple[str, str], ...] = ()
    oauth2: OAuth2 | None = None

    def header_arguments(self) -> list[str]:
        """Return each header as `-H` takes it."""
        return [f"{name}: {value}" for name, value in self.headers]

    def basic_argument(self) -> str | None:
        """Return user name and password as `--basic-auth` takes them."""
        return None if self.basic_auth is None else ":".join(self.basic_auth)

    def query_arguments(self) -> list[str]:
        """Return each parameter as `--query` takes it."""
        return [f"{name}={value}" for name, value in self.query]

    def oauth2_arguments(self) -> tuple[str, str, str, Sequence[str], Sequence[str]] | None:
        """Return what each of `--oauth2-token-url`, `-client-id`, `-client-secret`, `-scope` and `-parameter` takes."""
        if self.oauth2 is None:
            return None
        parameters = [f"{each.name}={each.value}" for each in self.oauth2.parameters]
        return self.oauth2.token_url, self.oauth2.client_id, self.oauth2.client_secret, self.oauth2.scopes, parameters


def choose(
    entry: Integration,
    *,
    values: Mapping[str, str],
    optional: Sequence[str] = (),
    adapter_name: str | None = None,
    base_url: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Choice:
    """Return the adapter for `entry`.

    values: of placeholders (`--set`). optional: keys of optional headers (`--with`). adapter_name, base_url: instead of
    the entry's. headers: of the user; one that the entry has too replaces its value, and `Authorization` its Basic
    authentication or OAuth2. Raises UsageError for an unknown key, a value that cannot be used, and placeholders
    without a value, which are all named.
    """
    texts = [] if base_url is not None else [entry.base_url]
    chosen = [_optional_header(entry, key) for key in dict.fromkeys(optional)]
    known = [*((each.name, each.value) for each in entry.headers), *((each.name, each.value) for each in chosen)]
    own = {name.lower(): (name, value) for name, value in known}
    given = {name.lower(): (name, value) for name, value in headers}
    texts += [value for key, (_, value) in own.items() if key not in given]
    basic = None if entry.basic_auth is None or "authorization" in given else entry.basic_auth
    oauth2 = None if "authorization" in given else entry.oauth2
    texts += oauth2.texts if oauth2 else ()
    texts += [each.value for each in entry.query] + ([basic.username, basic.password] if basic else [])
    filling = _values(entry, values, needed={name for text in texts for name in placeholders_in(text)})
    merged = {key: (name, filled(value, filling)) for key, (name, value) in own.items()} | given
    return Choice(
        adapter_name=entry.name if adapter_name is None else adapter_name,
        base_url=filled(entry.base_url, filling) if base_url is None else base_url,
        headers=tuple(merged.values()),
        basic_auth=(filled(basic.username, filling), filled(basic.password, filling)) if basic else None,
        query=tuple((each.name, filled(each.value, filling)) for each in entry.query),
        oauth2=_filled_oauth2(oauth2, filling) if oauth2 else None,
    )


def _filled_oauth2(oauth2: OAuth2, filling: Mapping[str, str]) -> OAuth2:
    parameters = (replace(each, value=filled(each.value, filling)) for each in oauth2.parameters)
    return replace(oauth2, token_url=filled(oauth2.token_url, filling), parameters=tuple(parameters))


def usual_host(entry: Integration, base_url: str) -> str | None:
    """Return the API's host where `base_url` leads to another domain, None where it may be the API's.

    Another domain than the vendor's gets the credential: a proxy of one's own, or a mistake. What anyone may host, and
    this machine, is never another.
    """
    host = _host(base_url)
    if is_this_machine(host):
        return None
    hosts = [_host(entry.base_url)]
    for each in entry.placeholders:
        if each.form is not Form.LABEL and not each.choices:
            return None
        hosts = [filled(known, {each.name: value}) for known in hosts for value in each.choices or (each.example,)]
    domains = {".".join(known.split(".")[-2:]) for known in hosts}
    if any(host == domain or host.endswith(f".{domain}") for domain in domains):
        return None
    return hosts[0]


def _host(url: str) -> str:
    """Return the host of a URL in lower case, without user, port and brackets."""
    authority = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    host = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    return host.lower()


def read_values(given: Sequence[str]) -> dict[str, str]:
    """Return what each `--set NAME=VALUE` says. Raises UsageError for one without `=`, and for a name given twice."""
    values: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        key = name.strip().lower().replace("_", "-")
        if not separator or not key:
            raise UsageError(f"--set: {_shown(text)} is not NAME=VALUE", hint="write --set host=api.example.com")
        if key in values:
            raise UsageError(f"--set {_shown(name, quote='')} is given twice", hint="give it once")
        values[key] = value
    return values


def _values(entry: Integration, values: Mapping[str, str], *, needed: set[str]) -> dict[str, str]:
    """Return a value for each placeholder that is needed, given or by default."""
    by_name = {placeholder.name: placeholder for placeholder in entry.placeholders}
    for name in values:
        if name not in by_name:
            known = ", ".join(by_name)
            hint = f"it has: {known}" if known else f"mom atlas config integrations {entry.name} shows it"
            raise UsageError(f"--set: {entry.name} has no placeholder {_shown(name)}", hint=hint)
        if name not in needed:
            raise UsageError(f"--set {name} has no effect beside --base-url", hint="give one of the two")
    missing = [by_name[name] for name in by_name if name in needed - values.keys() and not by_name[name].default]
    if missing:
        raise _missing(entry, missing)
    return {name: _checked(by_name[name], values.get(name, by_name[name].default or "")) for name in needed}


def _missing(entry: Integration, missing: Sequence[Placeholder]) -> UsageError:
    """Return the error that names every placeholder without a value, its meaning, and the command with examples."""
    needs = "; ".join(f"--set {each.name}=…, {each.meaning}" for each in missing)
    example = " ".join(f"--set {each.name}={each.example}" for each in missing)
    return UsageError(f"{entry.name} needs {needs}", hint=f"such as: mom atlas config add {entry.name} {example}")


def _checked(placeholder: Placeholder, value: str) -> str:
    """Return the value, without the final slash of an origin. Raises UsageError where it has another form."""
    if placeholder.form is Form.ORIGIN:
        value = value.removesuffix("/")
    pattern, form = _FORMS[placeholder.form]
    port = re.search(r":([0-9]+)\Z", value)
    if not re.fullmatch(pattern, value) or (port and int(port[1]) > 65_535):
        raise UsageError(
            f"--set {placeholder.name}: {_shown(value)} is not {form}",
            hint=f"{placeholder.meaning}, such as {placeholder.example}",
        )
    if placeholder.choices and value.lower() not in placeholder.choices:
        raise UsageError(
            f"--set {placeholder.name}: {_shown(value)} is not one of those that the vendor documents",
            hint=f"one of: {', '.join(placeholder.choices)} (for any other: --base-url URL)",
        )
    return value.lower() if placeholder.choices else value


def _optional_header(entry: Integration, key: str) -> OptionalHeader:
    for header in entry.optional_headers:
        if header.key == key.lower():
            return header
    known = ", ".join(header.key for header in entry.optional_headers)
    hint = f"it has: {known}" if known else "add any header with -H 'NAME: VALUE'"
    raise UsageError(f"--with: {entry.name} has no optional header {_shown(key)}", hint=hint)


def _shown(text: str, *, quote: str = "`") -> str:
    """Return what was typed as a message may repeat it: short, and without a credential."""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return f"{quote}{mask_tokens(short)}{quote}"
