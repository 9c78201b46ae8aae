"""How long a command's token lives: a minute for one request, as long as needed for several, at most ten minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mom.auth.base_url import parse_base_url
from mom.auth.jwk import decode_base64url
from mom.curl import arguments, curlrc, lifetime
from mom.gateway import LOCAL_MAX_LIFETIME_SECONDS, LONGEST_COMMAND_SECONDS
from tests.curl.conftest import Mom
from tests.curl.recorder import Recorder

GATEWAY = parse_base_url("http://127.0.0.1:8082")


def seconds(*line: str, curlrc_text: str = "") -> int:
    scan = arguments.scan(line, dict, tuple)
    curlrc.check_configs(scan, list(scan.words), GATEWAY, copy=False)
    return lifetime.seconds(scan, list(curlrc.settings(curlrc_text, ".curlrc")))


@pytest.mark.parametrize(
    "line",
    [
        ["/a"],
        ["-m", "900", "/a"],
        ["-T", "file", "/a"],
        ["-L", "/a"],
        ["--retry", "0", "/a"],
        ["--rate", "1/m", "/a"],
        ["-g", "/a"],
        ["/v1/x?a[]=1"],
        ["/[::1]"],
        ["/a\\{b,c\\}"],
        ["-d", "@file", "/a{b}"],
    ],
)
def test_one_request_has_a_minute_however_long_it_takes(line: list[str]) -> None:
    assert seconds(*line) == 60


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(["-m", "5", "/a", "/b"], 65, id="the second starts when the first has ended"),
        pytest.param(["-m", "5", "/a[1-11]"], 110, id="a range"),
        pytest.param(["-m5", "/{a,b}/[1-9:2]"], 105, id="a set and a range with a step"),
        pytest.param(["-m", "2.5", "/[a-e]"], 70, id="a range of letters"),
        pytest.param(["-m", "5", "-T", "{x,y,z}", "/a"], 70, id="uploads in sequence"),
        pytest.param(["-m", "5", "/a", "--next", "-m", "9", "/b", "--next", "/c"], 74, id="groups"),
        pytest.param(["-m", "5", "--rate", "6/m", "/a[1-3]"], 90, id="pauses between transfers"),
        pytest.param(["-m", "5", "--rate", "1/10s", "/a[1-3]"], 90, id="pauses in another unit"),
        pytest.param(["-m", "5", "--retry", "3", "--retry-max-time", "30", "/a"], 90, id="retries that have an end"),
        pytest.param(["-m", "5", "--retry", "3", "--retry-max-time", "30", "/a", "/b"], 125, id="each of them"),
    ],
)
def test_several_requests_have_the_minute_and_what_passes_before_the_last(line: list[str], expected: int) -> None:
    assert seconds(*line) == expected


@pytest.mark.parametrize(
    "line",
    [
        ["/a", "/b"],
        ["/a[1-2]"],
        ["/a", "--next", "/b"],
        ["--retry", "1", "/a"],
        ["-m", "5", "--retry", "1", "/a"],
        ["-m", "600", "/a", "/b"],
        ["-m", "1", "/[1-100000000000]"],
        ["-m", "1", "--rate", "3/h", "/a", "/b"],
        ["-m", "nan", "/a", "/b"],
        ["-m", "-1", "/a", "/b"],
        ["-L", "-T", "file", "/a"],
        ["-m", "5", "--url", "@file"],
        ["-m", "5", "-K", "-", "/a"],
    ],
)
def test_where_the_end_is_not_known_a_token_lives_as_long_as_it_may(line: list[str]) -> None:
    assert seconds(*line) == LONGEST_COMMAND_SECONDS == 600
    assert LONGEST_COMMAND_SECONDS <= LOCAL_MAX_LIFETIME_SECONDS


def test_files_of_options_count_too(tmp_path: Path) -> None:
    (tmp_path / "options").write_text("max-time = 7\nurl = http://127.0.0.1:8082/b\n")
    assert seconds("-K", str(tmp_path / "options"), "/a") == 67
    assert seconds("/a", "/b", curlrc_text="-m 3\n") == 63
    assert seconds("/a", curlrc_text="retry = 2\n") == 600


def test_the_token_that_is_sent_lives_so_long(mom: Mom, gateway: Recorder) -> None:
    for line, expected in ((["/a"], 60), (["-m", "9", "/a[1-3]"], 78), (["/a", "--next", "-s", "/b"], 600)):
        assert mom("-s", *line, MOM_TOKEN=None).returncode == 0
        for request in gateway.take():
            claims = json.loads(decode_base64url(request.tokens[0].split(".")[1]))
            assert claims["exp"] - claims["iat"] == expected
