"""What is wrong with a single value: a base URL, a credential, or what a slip left at the ends of any."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mom.atlas.documents import text_at
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.header_rules import plain_credential
from mom.atlas.values import secrets, urls
from mom.atlas.values.objection import Objection
from mom.atlas.values.stray import find_stray
from mom.yamledit.nodes import Scalar
from mom.yamledit.paths import Path


def stray_objection(value: str) -> Objection | None:
    """Return what a slip left in a value that is wrong anyway: that says more than the rule that it breaks."""
    stray = find_stray(value)
    return Objection(stray.message, stray.hint) if stray else None


def check_stray(findings: Findings, path: Path) -> None:
    """Warn of what a slip left at an end of the text at `path`."""
    value = text_at(findings.document.data, *path)
    if value and not findings.has_template(path) and (stray := find_stray(value)):
        part = value[stray.start : stray.end]
        at_end = value.count(part) > 1
        findings.add_inside(path, "stray-mark", stray.message, part, hint=stray.hint, at_end=at_end)


def check_base_url(findings: Findings, path: Path, *, served_at: str | None = None) -> None:
    """Report what is wrong with the base URL at `path`.

    served_at: the path at which Atlas serves the API; None where callers have no path below the base URL.
    """
    url = text_at(findings.document.data, *path)
    if url is None or findings.has_template(path):
        return
    if reason := urls.check_base_url(url):
        findings.objection(path, "base-url", stray_objection(url) or reason)
        _hide_credentials(findings, path, url)
    elif urls.is_plain_http(url):
        findings.add(path, "plain-http", "plain http: credentials can be read on the way")
    elif served_at is not None and (ending := urls.endpoint(url)) is not None:
        message = f"`{ending}` is an endpoint: callers' paths are appended to the base URL"
        hint = f"end the base URL before `{ending}`, and call {served_at}{ending}"
        findings.add_inside(path, "endpoint-as-base-url", message, ending, hint=hint, at_end=True)


def _hide_credentials(findings: Findings, path: Path, url: str) -> None:
    """Hide what may be a credential in a base URL that is refused: all of it, or all after its `?` or `#`."""
    value = findings.document.tree.nearest(path).value
    marks = [at for mark in "?#" if (at := url.find(mark)) != -1]
    if "@" in url or urls.secret_in_path(url) is not None:
        findings.secrets.append((value.start, value.end))
    elif marks and isinstance(value, Scalar):
        start, _ = findings.inside(value, url[min(marks) :])
        findings.secrets.append((start, value.end))


def check_proxy(findings: Findings, path: Path) -> None:
    """Report what is wrong with the proxy at `path`; a credential in it is not shown."""
    text = text_at(findings.document.data, *path)
    if text is not None and (wrong := urls.check_proxy(text)):
        value = findings.document.tree.nearest(path).value
        if "@" in text:
            findings.secrets.append((value.start, value.end))
        findings.objection(path, "proxy", wrong)


def check_credential(findings: Findings, path: Path) -> None:
    """Warn of a credential in plain text at `path`, whose last key says which one."""
    check_secret(findings, path, partial(secrets.literal_credential, str(path[-1])))


def check_secret(findings: Findings, path: Path, check: Callable[[str], str | None]) -> None:
    """Warn of the text at `path` where `check` says what credential it contains in plain text."""
    value = text_at(findings.document.data, *path)
    if value is not None and (reason := check(value)):
        plain_credential(findings, path, reason, value)
