"""Which path goes where: byte for byte to the adapter it names, and to no other."""

from __future__ import annotations

import itertools

import pytest

from tests.envoy.conftest import Atlas
from tests.envoy.http2 import h2_headers, over_http2

P = "/v1/apis/http"


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        pytest.param("/plain", "/", id="the name alone is the root"),
        pytest.param("/plain/", "/", id="a slash after the name is the root too"),
        pytest.param("/plain//", "//", id="two slashes stay two, one of them the separator"),
        pytest.param("/plain?a=1", "/?a=1", id="a query right after the name"),
        pytest.param("/base", "/base/v4", id="the base path alone"),
        pytest.param("/base/", "/base/v4/", id="the base path and a slash"),
        pytest.param("/base?a=1&a=2", "/base/v4?a=1&a=2", id="a query after the base path"),
        pytest.param("/base/users/1?x=%2F+e&f", "/base/v4/users/1?x=%2F+e&f", id="a path is appended to the base path"),
        pytest.param("/plain/a%2Fb%20c", "/a%2Fb%20c", id="an encoded slash stays encoded"),
        pytest.param("/plain//a//b/", "//a//b/", id="empty segments are kept"),
        pytest.param("/plain/%41%7e~", "/%41%7e~", id="needless encoding is kept"),
        pytest.param('/plain/a|b"<>^`{}', '/a|b"<>^`{}', id="odd characters are kept"),
        pytest.param("/plain/%zz", "/%zz", id="a broken escape is kept"),
        pytest.param("/plain/x%23f%3Fq", "/x%23f%3Fq", id="encoded # and ? stay part of the path"),
        pytest.param("/plain/%0d%0aX-Injected:%201", "/%0d%0aX-Injected:%201", id="an encoded line end stays encoded"),
        pytest.param("/plain/.well-known/x", "/.well-known/x", id="a dot at the start of a segment"),
        pytest.param("/plain/a..b/.../..foo/.env", "/a..b/.../..foo/.env", id="dots that are no dot segment"),
        pytest.param("/plain/a?u=/../y", "/a?u=/../y", id="a query is nobody's path"),
        pytest.param("/plain/%252e%252e/x", "/%252e%252e/x", id="what is encoded twice is passed on as it is"),
        pytest.param("/open.ai/x", "/dot/x", id="a dot in a name is a dot"),
    ],
)
def test_bytes_of_a_path_are_kept(atlas: Atlas, sent: str, got: str) -> None:
    assert atlas.reached(P + sent).target == got


def test_a_long_path_is_passed_on(atlas: Atlas) -> None:
    path = "/" + "long/" * 8000
    assert atlas.reached(f"{P}/plain{path}").target == path


DOTS = [".", "..", "%2e", "%2E%2e", ".%2e", "%2e."]
BEFORE = ["/", "\\", "%2f", "%5C", "//"]
AFTER = ["", "/", "/base/x", "\\x", "%2Fx", "%5cx", ";/x", ";a=b", "?x"]


# Dots, separators and ends as some server reads them: `%c0%ae` is overlong UTF-8, `%ef%bc%8e` a fullwidth dot, `%u002e`
# the escape of IIS.
ODD_DOTS = [
    "..%00",
    "..%09",
    "..%0a",
    "..%0D%0A",
    "..%1f",
    "..%20",
    "..%7f",
    "..%a0",
    "..%C2%A0",
    ".%00.",
    ".%09.",
    "%2e%00%2E",
    "%00..",
    "%20%2e.",
    "%0b.%0c.%0d",
    "%c0%ae",
    "%C0%AE%c0%ae",
    ".%c0%ae",
    "%c0%2e.",
    "%c0..",
    "%e0%80%ae%e0%80%ae",
    "%f0%80%80%ae.",
    "%u002e%u002e",
    "%U002E.",
    "%uff0e%uff0e",
    "%ef%bc%8e%ef%bc%8e",
    "%EF%B9%92.",
    "%e2%80%a4%e2%80%a4",
    "%e2%80%a5",
    "%e2%80%8b..",
    "..%ef%bb%bf",
    "..%c2%ad",
]
ODD_BEFORE = ["/", "%c0%af", "%C1%9C", "%e0%80%af", "%ef%bc%8f", "%ef%bc%bc", "%u2215", "%u002F", "%e2%88%95"]
ODD_AFTER = [
    "",
    "/x",
    "%2fx",
    "%c0%af",
    "%ef%bc%8fx",
    "%u2216x",
    "%3bx",
    "%3fx",
    "%23x",
    "?x=/.",
    "%00",
    "%00/x",
    "%00%3fx",
]


@pytest.mark.parametrize("dots", ODD_DOTS)
def test_odd_spellings_of_dot_segments_are_refused(atlas: Atlas, dots: str) -> None:
    """What a server reads as `..` after decoding, cleaning or mapping more than RFC 3986 asks for."""
    before = len(atlas.api.requests)
    for start, end in [*((one, "/x") for one in ODD_BEFORE), *(("/", one) for one in ODD_AFTER)]:
        answer = atlas.get(f"{P}/plain{start}{dots}{end}")
        assert (answer.status, answer.error) == (400, "API_RequestError"), start + dots + end
    assert len(atlas.api.requests) == before


@pytest.mark.parametrize(
    "path",
    [
        b"/\xc0\xae\xc0\xae/x",
        b"/.\xc0\xae",
        b"/\xc0%ae\xc0./x",
        b"/%c0\xae./x",
        b"\xc0\xaf..\xc1\x9cx",
        b"/\xe0\x80\xae\xe0\x80\xae/",
        b"/\xf0\x80\x80\xae.",
        b"/\xef\xbc\x8e\xef\xbc\x8e/",
        b"/..\xef\xbc\x8fx",
        b"/..\xc2\xa0/x",
        b"/..\xa0/x",
        b"/\xff/../x",
        b"/\xe2\x80\xa5/x",
    ],
)
def test_dot_segments_of_raw_bytes_are_refused_over_http2(atlas: Atlas, path: bytes) -> None:
    """HTTP/1.1 refuses raw bytes above ASCII in any path; HTTP/2 does not."""
    before = len(atlas.api.requests)
    with atlas.client.connect() as connection:
        answer = over_http2(connection, h2_headers(atlas, f"{P}/plain{path.decode('latin-1')}"))
    assert answer is None or answer[":status"] == "400"
    assert len(atlas.api.requests) == before


@pytest.mark.parametrize(
    "path",
    [
        "/%00/x",
        "/%20/x",
        "/..%20x/y",
        "/..x%00/y",
        "/...%00/y",
        "/.%20x",
        "/x..%00/y",
        "/x.%2e/y",
        "/%e2%80%a6/x",
        "/%c0%ad/x",
        "/%ef%bc%8ex/y",
        "/x%ef%bc%8e/y",
        "/%c3%ae%c3%a0/x",
        "/v1.0%2f.well-known",
        "/%5cx",
        "/a;..=b/c",
        "/a?..%00/",
        "/a?%c0%ae%c0%ae/",
        "/%2500/%252e",
    ],
)
def test_what_only_looks_like_an_odd_dot_segment_passes(atlas: Atlas, path: str) -> None:
    assert atlas.reached(f"{P}/plain{path}").target == path


@pytest.mark.parametrize("dots", DOTS)
def test_dot_segments_are_refused_in_every_spelling(atlas: Atlas, dots: str) -> None:
    before = len(atlas.api.requests)
    for start, end in itertools.product(BEFORE, AFTER):
        answer = atlas.get(f"{P}/plain{start}{dots}{end}")
        assert (answer.status, answer.error) == (400, "API_RequestError"), start + dots + end
    assert len(atlas.api.requests) == before


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/openai2/x", id="a longer name"),
        pytest.param("/opena", id="a shorter name"),
        pytest.param("/openXai/x", id="a dot in a name is no wildcard"),
        pytest.param("/OpenAI/x", id="another case"),
        pytest.param("/%6fpenai/x", id="an encoded letter"),
        pytest.param("/openai%2Fx", id="an encoded separator"),
        pytest.param("/openai;x=1/x", id="a path parameter"),
        pytest.param("//openai/x", id="an empty segment before the name"),
        pytest.param("/", id="no name"),
        pytest.param("", id="nothing"),
        pytest.param("/none/x", id="an unknown name"),
    ],
)
def test_no_other_spelling_is_the_adapter(atlas: Atlas, path: str) -> None:
    before = len(atlas.api.requests)
    answer = atlas.get(P + path)
    assert (answer.status, answer.error) == (404, "API_NoMatchingInstanceError")
    assert answer.json()["error"]["type"] == answer.error
    assert len(atlas.api.requests) == before


def test_an_absolute_target_is_only_a_path(atlas: Atlas) -> None:
    """RFC 9112, 3.2.2: the host of the target replaces the Host header; neither chooses where a request goes."""
    token = atlas.key.token()
    refused = atlas.client.send(f"http://evil.test{P}/plain/absolute", token=token)
    assert (refused.status, refused.error) == (421, "API_MisdirectedRequestError")
    served = atlas.client.send(f"http://127.0.0.1:{atlas.client.port}{P}/plain/absolute", token=token, host="evil.test")
    assert served.status == 200
    (request,) = atlas.api.seen("/absolute")
    assert request.get("host") == [f"127.0.0.1:{atlas.api.port}"]


@pytest.mark.parametrize(
    "target",
    [
        "/v1/apis/http/plain/a b",
        "/v1/apis/http/plain/\xff/../x",
        "*",
        "v1/apis/http/plain",
        f"{P}/plain/#f",
        f"{P}/plain/\x01",
    ],
)
def test_what_is_not_a_request_target_is_refused(atlas: Atlas, target: str) -> None:
    before = len(atlas.api.requests)
    answer = atlas.get(target)
    assert answer.status in {400, 401, 404}
    assert len(atlas.api.requests) == before


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:80", "127.0.0.1.evil.test", "127.0.0.1", "localhost:1", "0.0.0.0"]
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(atlas: Atlas, host: str) -> None:
    answer = atlas.client.send(f"{P}/plain/rebound", token=atlas.key.token(), host=host)
    assert (answer.status, answer.error) == (421, "API_MisdirectedRequestError")
    assert atlas.client.send("/healthz", host=host).status == 421
    assert not atlas.api.seen("/rebound")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_the_names_of_this_machine_are_served(atlas: Atlas, name: str) -> None:
    assert atlas.client.send("/healthz", host=f"{name}:{atlas.client.port}").status == 200
