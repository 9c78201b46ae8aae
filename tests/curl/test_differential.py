"""`mom curl` against curl: the same generated command lines, and the same requests, output, files and exit status.

The token is all that differs. Lines are generated from a fixed seed: what is tested today is tested tomorrow.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.curl.conftest import TOKEN, Mom
from tests.curl.recorder import Recorder, Request
from tests.searches import examples

# A word of a command line; PATH and what follows it stands for a path, which plain curl gets as a URL.
PATH = "\0"

FLAGS = [
    "-s", "-S", "-sS", "-i", "-I", "-f", "-G", "-k", "-g", "-L", "-N", "-0", "-R", "-4", "-j", "-v", "-q", "-Ss",
    "--compressed", "--fail-with-body", "--http1.1", "--raw", "--no-keepalive", "--no-buffer", "--path-as-is",
    "--basic", "--tcp-nodelay", "--no-progress-meter", "--create-dirs", "--post301", "--no-location", "--no-fail",
    "--styled-output", "--no-sessionid", "--fail-early", "--anyauth", "--remove-on-error", "--SILENT", "--sil",
    "--no-alpn", "-sSi", "--no-silent", "-2", "-s2S",
]  # fmt: skip
VALUED = [
    ["-d", "x=1"], ["-dx=1"], ["--data", "@body"], ["--data-raw", "@body"], ["--data-b", "@body"],
    ["--DATA", "/v1/x"], ["-d", "--base-url"], ["-d", "--next"], ["-d", "@-"], ["--data-urlencode", "a=b c"],
    ["--json", '{"a":1}'], ["-H", "X-A: b"], ["-HX-B:"], ["-H", "X-E;"], ["--header", "Host: other"],
    ["-H", "--help"], ["-A", "agent"], ["-A", "-L"], ["-e", "/ref"], ["-b", "c=1"], ["-c", "jar"], ["-D", "dump"],
    ["-D", "-"], ["-o", "out"], ["-oout2"], ["-sSo", "out3"], ["-so/dev/null"], ["-O"], ["--output-dir", "folder"],
    ["-T", "body"], ["-T", "-"], ["-X", "PATCH"], ["-XDELETE"], ["--request", "GET"], ["-u", "user:pass"],
    ["-w", "%{http_code} %{url_effective} %{num_redirects}\\n"], ["-m", "20"], ["--retry", "0"], ["-r", "0-3"],
    ["-F", "a=b"], ["-F", "f=@body"], ["--form-string", "x=@y"], ["-K", "options"], ["-Koptions"],
    ["--config", "data"], ["--limit-rate", "1G"], ["--max-filesize", "100000"], ["--resolve", "x.test:1:127.0.0.1"],
    ["--connect-timeout", "9"], ["-z", "2020-01-01"], ["--stderr", "err"], ["--url-query", "q=1"], ["-C", "2"],
    ["--max-redirs", "3"], ["--etag-save", "etag"], ["--proto-default", "http"], ["--unknown"], ["-o"],
    ["--oauth2-bearer", "t"], ["--request-target", "/other"], ["--interface", "lo"], ["-x", ""], ["--noproxy", "*"],
    ["--ciphers", "x"], ["--referer", "r;auto"], ["--next"], ["-:"], ["-s:"], ["--"], ["-L", "-e", ";auto"],
]  # fmt: skip
PATHS = [
    "/a", "/a?b=c&d=%2F", "/a/b.txt", "/file.txt", "//double//", "/{x,y}", "/[1-3]", "/a%20b", "/status/404",
    "/status/500", "/redirect?to=/a", "/a#fragment", "/../up", "/ünï", "/a b", "/[bad", "/",
]  # fmt: skip

words = st.one_of(
    st.sampled_from(FLAGS).map(lambda flag: [flag]),
    st.sampled_from(VALUED),
    st.sampled_from(PATHS).map(lambda path: [PATH + path]),
    st.sampled_from(PATHS).map(lambda path: ["--url", PATH + path]),
)


def line_of(groups: list[list[str]]) -> list[str]:
    """Return the words of a command line, without the options behind `--`.

    There each word is a URL to curl: it looks for a host named `-s` or `--url`. mom curl refuses such a line, since
    that is not a path at the gateway: see `test_an_option_behind_the_end_of_options_is_refused`.
    """
    end = groups.index(["--"]) if ["--"] in groups else len(groups)
    behind = [group for group in groups[end + 1 :] if group[0].startswith(PATH)]
    return [word for group in [*groups[: end + 1], *behind] for word in group]


lines = st.builds(
    lambda first, before, path, after: line_of([first, *before, [PATH + path], *after]),
    st.sampled_from([["-s"], ["-s"], ["-sS"], ["-q", "-s"], []]),
    st.lists(words, max_size=3),
    st.sampled_from(PATHS),
    st.lists(words, max_size=4),
)


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    requests: list[Request]
    status: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]


def prepare(folder: Path) -> None:
    """Lay the files that the command lines name."""
    folder.mkdir()
    (folder / "folder").mkdir()
    (folder / "body").write_bytes(b"body of a file\n")
    (folder / "options").write_text('header = "X-From: options"\n-i\n')
    (folder / "data").write_text('data = "from=config"\n')


def outcome(command: list[str], environ: dict[str, str], folder: Path, recorder: Recorder) -> Outcome:
    prepare(folder)
    done = subprocess.run(
        command, env=environ, cwd=folder, input=b"standard input", capture_output=True, timeout=120, check=False
    )
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return Outcome([normal(one) for one in recorder.take()], done.returncode, done.stdout, done.stderr, files)


BOUNDARY = re.compile(r"-{24}[0-9A-Za-z]{16,22}")


def normal(request: Request) -> Request:
    """Return the request without its random boundary."""
    return Request(
        request.method,
        request.target,
        tuple((name, BOUNDARY.sub("boundary", value)) for name, value in request.headers),
        BOUNDARY.sub("boundary", request.body.decode("latin-1")).encode("latin-1"),
    )


def unsigned(request: Request) -> Request:
    headers = tuple((name, value) for name, value in request.headers if name != "Atlas-Accesstoken")
    return Request(request.method, request.target, headers, request.body)


def boundless(text: bytes) -> bytes:
    return BOUNDARY.sub("boundary", text.decode("latin-1")).encode("latin-1")


@settings(
    # Two processes for each.
    max_examples=examples(60, 400),
    deadline=None,
    derandomize=True,
    database=None,
    # Shrinking runs the two commands hundreds of times more: worth it when a difference is looked into by hand.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(line=lines)
def test_a_command_line_does_the_same_through_mom_curl(
    mom: Mom, gateway: Recorder, tmp_path_factory: pytest.TempPathFactory, line: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("both")
    environ = {name: value for name, value in mom.environ.items() if not name.startswith("MOM_")}
    theirs = outcome(
        ["curl", *(gateway.url + word[1:] if word.startswith(PATH) else word for word in line)],
        environ,
        folder / "curl",
        gateway,
    )
    ours = outcome(mom.command(*(word.removeprefix(PATH) for word in line)), mom.environ, folder / "mom", gateway)
    assert ours.status == theirs.status
    assert [unsigned(request) for request in ours.requests] == theirs.requests
    assert all(request.tokens == [TOKEN] for request in ours.requests)
    assert boundless(ours.stdout) == boundless(theirs.stdout)
    assert ours.files.keys() == theirs.files.keys()
    shown = {"-v"} & set(line)
    for name, content in theirs.files.items():
        # What -v shows is the request, and the way the connection took.
        if not (name == "err" and shown):
            assert boundless(ours.files[name]) == boundless(content), name
    # The progress meter shows times.
    if not shown and line[0] in ("-s", "-sS", "-q") and "--no-silent" not in line:
        assert complaint(ours.stderr) == complaint(theirs.stderr)


@pytest.mark.parametrize("behind", [["--url", f"{PATH}/a"], ["-s"], ["-d", "x=1", f"{PATH}/a"], ["--"]])
def test_an_option_behind_the_end_of_options_is_refused(
    mom: Mom, gateway: Recorder, tmp_path: Path, behind: list[str]
) -> None:
    """What curl would send to a host of that name, after all that came before, mom curl does not begin."""
    line = ["-s", f"{PATH}/first", "--", *behind]
    environ = {name: value for name, value in mom.environ.items() if not name.startswith("MOM_")}
    words = [gateway.url + word[1:] if word.startswith(PATH) else word for word in line]
    theirs = outcome(["curl", *words], environ, tmp_path / "curl", gateway)
    ours = outcome(mom.command(*(word.removeprefix(PATH) for word in line)), mom.environ, tmp_path / "mom", gateway)
    assert "/first" in {request.target for request in theirs.requests}
    assert (ours.status, ours.requests, ours.stdout) == (125, [], b"")
    assert ours.stderr.startswith(b"error: ")


def complaint(text: bytes) -> str:
    """Return what curl says on stderr without the progress meters of groups that are not silent."""
    return "\n".join(line for line in text.decode().splitlines() if line.startswith(("curl:", "Warning:")))


def test_the_generated_lines_are_of_many_kinds(gateway: Recorder, tmp_path: Path) -> None:
    """A generator that only made lines which curl refuses would prove nothing."""
    accepted = 0
    for number, path in enumerate(PATHS):
        done = outcome(
            ["curl", "-s", gateway.url + path], {"PATH": os.environ["PATH"]}, tmp_path / str(number), gateway
        )
        accepted += bool(done.requests)
    assert accepted >= len(PATHS) - 2
