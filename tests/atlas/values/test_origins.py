"""Origins of web pages that may call, as browsers write them."""

from __future__ import annotations

import pytest

from mom.atlas.values.origins import check_origin

GOOD = [
    "https://canvas.example.com",
    "https://canvas.example.com:8443",
    "https://10.0.0.1",
    "https://[2001:db8::1]:8443",
    "http://localhost:3000",
    "http://127.0.0.1",
    "http://app.localhost",
    "http://[::1]:80"[:-3],
]
BAD = {
    "*": "every site",
    "null": "every site",
    "": "not an origin",
    "https://": "not an origin",
    "https://a.test/": "not an origin",
    "https://a.test/path": "not an origin",
    "https://A.test": "not an origin",
    "HTTPS://a.test": "not an origin",
    "https://*.a.test": "not an origin",
    "https://user@a.test": "not an origin",
    " https://a.test": "not an origin",
    "https://a.test\n": "not an origin",
    "https://ü.test": "not an origin",
    "file://": "not an origin",
    "ftp://a.test": "not an origin",
    "http://a.test": "plain http",
    "http://127.0.0.1.a.test": "plain http",
    "https://a.test:443": "no port",
    "http://localhost:80": "no port",
    "https://a.test:0": "no port",
    "https://a.test:065": "no port",
    "https://a.test:65536": "no port",
}


@pytest.mark.parametrize("text", GOOD)
def test_an_origin_of_https_or_of_this_machine_is_taken(text: str) -> None:
    assert check_origin(text) is None


@pytest.mark.parametrize(("text", "reason"), BAD.items(), ids=map(repr, BAD))
def test_every_other_is_refused_with_its_reason(text: str, reason: str) -> None:
    wrong = check_origin(text)
    assert wrong is not None
    assert reason in wrong.message
    assert wrong.hint
