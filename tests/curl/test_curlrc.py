"""~/.curlrc and `-K` files: a line that would lead the token elsewhere is refused with its place, the rest obeyed."""

from __future__ import annotations

import os
import pwd
import random
import subprocess
from pathlib import Path

import pytest

from mom.auth.base_url import parse_base_url
from mom.curl.arguments import Scan
from mom.curl.curlrc import check_curlrc
from mom.curl.curlrc_path import curlrc_paths
from mom.errors import MomError
from tests.curl.conftest import TOKEN, Mom
from tests.curl.recorder import Recorder
from tests.searches import examples

GATEWAY = parse_base_url("http://127.0.0.1:8082")

REROUTES = [
    "connect-to = ::127.0.0.1:1",
    '--connect-to "::127.0.0.1:1"',
    "connect-t=::127.0.0.1:1",
    "  CONNECT-TO :::1",
    "expand-connect-to = x",
    "unix-socket = /x",
    "abstract-unix-socket x",
    "resolve = 127.0.0.1:80:192.0.2.1",
    'resolve: "+*:80:192.0.2.1"',
    "resolve=127.0.0.1:80:192.0.2.1",
]


@pytest.mark.parametrize("line", REROUTES)
def test_a_curlrc_that_reroutes_is_refused_with_its_line_unless_it_is_left_out(
    mom: Mom, gateway: Recorder, line: str
) -> None:
    mom.curlrc(f"# a comment\nsilent\n{line}\n")
    done = mom("/a")
    assert done.returncode == 125
    assert f"{mom.home}/.curlrc:3: " in done.stderr.decode()
    assert gateway.take() == []
    for first in ("-q", "--disable"):
        assert mom(first, "/a").returncode == 0
    assert len(gateway.take()) == 2


@pytest.mark.parametrize(
    "line",
    [
        "# connect-to = x",
        "resolve = other.example:443:192.0.2.1",
        "connect-timeout = 5",
        "user-agent = resolve",
        "",
        "-s",
        'header = "connect-to: x"',
    ],
)
def test_a_curlrc_that_does_not_is_read_as_ever(mom: Mom, gateway: Recorder, line: str) -> None:
    mom.curlrc(f"{line}\nreferer = from-curlrc\n")
    assert mom("-s", "/a").returncode == 0
    assert gateway.take()[0].all("Referer") == ["from-curlrc"]


@pytest.mark.parametrize("line", ["--connect-to=::127.0.0.1:1", "  --unix-socket=/x", "expand-config = {{x}}"])
def test_a_curlrc_that_only_a_newer_curl_understands_is_refused_too(mom: Mom, gateway: Recorder, line: str) -> None:
    mom.curlrc(f"silent\n{line}\n")
    assert f"{mom.home}/.curlrc:2: `" in mom("/a").stderr.decode()
    mom.curlrc("--config=more\n")
    (mom.folder / "more").write_text(line)
    assert b"more:1: `" in mom("/a").stderr
    assert gateway.take() == []


@pytest.mark.parametrize(
    "text", ['connect\0#\n-to = "::127.0.0.1:{port}"\n', 'connect-t\0\no = "::127.0.0.1:{port}"\n']
)
def test_a_nul_does_not_hide_a_line(mom: Mom, gateway: Recorder, elsewhere: Recorder, text: str) -> None:
    # Some curls drop the rest of the line with its end, and read `connect-to`.
    mom.curlrc(text.format(port=elsewhere.port))
    done = mom("/a")
    assert done.returncode == 125
    assert b".curlrc:1: the line has a NUL character" in done.stderr
    assert (gateway.take(), elsewhere.take()) == ([], [])


@pytest.mark.parametrize("line", ["unix-socket = /x", "abstract-unix-socket x", "resolve = *:80:192.0.2.1", "-sK more"])
def test_a_file_of_options_that_leads_past_the_pin_is_refused_with_its_line(
    mom: Mom, gateway: Recorder, line: str
) -> None:
    (mom.folder / "options").write_text(f"silent\n{line}\n")
    (mom.folder / "more").write_text("next\n")
    done = mom("/a", "-K", "options")
    assert done.returncode == 125
    assert done.stderr.startswith(b"error: more:1: `next`" if "more" in line else b"error: options:2: `")
    assert gateway.take() == []


@pytest.mark.parametrize("line", ["doh-url = https://192.0.2.1/", "dns-servers = 192.0.2.1"])
def test_who_resolves_names_matters_only_where_no_certificate_is_checked(mom: Mom, line: str) -> None:
    mom.curlrc(f"{line}\n")
    far = ["--mom-print", "/a", "--base-url"]
    assert mom(*far, "https://atlas.example").returncode == 0
    assert b".curlrc:1: `" in mom(*far, "http://atlas.example", "--mom-insecure-http").stderr


def random_curlrc(generator: random.Random, folder: Path, port: int, depth: int = 0) -> str:
    """Return a file of options that sends connections elsewhere, in one of the many ways to write it, or nearly so."""
    # Newer curls take less and less of what is odd.
    odd = generator.random() < 0.6
    space = generator.choice([" ", "\t", "\v", "\f", "\r", "  ", ""]) if odd else ""
    separator = generator.choice([" ", "=", ":", " = ", "\t:\t", "==", "= :", "\v"] if odd else [" ", " "])
    quote = generator.choice(["", '"', '"', "'"] if odd else ['"'])
    if generator.random() < 0.5 or depth > 3:
        names = ["connect-t", "CONNECT-TO", "--Connect-To", "-connect-to", "con"] if odd else []
        name = generator.choice(["connect-to", "--connect-to", *names])
        line = f"{space}{name}{separator}{quote}::127.0.0.1:{port}{quote}"
    else:
        inner = folder / f"more-{depth}-{generator.randrange(10**9)}"
        inner.write_text(random_curlrc(generator, folder, port, depth + 1))
        names = ["conf", "-s2K", "CONFIG", "-Ks", f"-K{inner}"] if odd else []
        name = generator.choice(["config", "--config", "-K", "-sK", "-SsK", *names])
        line = f"{space}{name}{separator}{quote}{inner}{quote}"
    before = generator.choice(["", "silent\n", "# comment\n", "-s -K\n", "\n\n", "*\n", "user-agent = x # y\n"])
    after = generator.choice(["\n", "\r\n", " # x", "\0"]) if odd else ""
    return f"{before}{line}{after}"


def test_whatever_leads_curl_elsewhere_is_refused(mom: Mom, gateway: Recorder, elsewhere: Recorder) -> None:
    generator = random.Random(7)
    led = 0
    for _ in range(examples(70, 150)):
        text = random_curlrc(generator, mom.folder, elsewhere.port)
        mom.curlrc(text)
        before = elsewhere.connections
        # `-connect-to` is `-c onnect-to`, which writes a file.
        subprocess.run(
            ["curl", "-s", gateway.url],
            env=mom.environ,
            cwd=mom.folder,
            capture_output=True,
            check=False,
            timeout=120,
        )
        if elsewhere.connections > before:
            led += 1
            with pytest.raises(MomError):
                check_curlrc([str(mom.home / ".curlrc")], Scan(), GATEWAY)
    assert led > 10


def test_a_curlrc_that_has_nothing_is_read_as_nothing(mom: Mom, gateway: Recorder) -> None:
    (mom.home / ".curlrc").symlink_to("/dev/null")
    assert mom("-s", "/a").returncode == 0
    (mom.home / ".curlrc").unlink()
    (mom.home / ".curlrc").mkdir()
    assert mom("-q", "-s", "/a").returncode == 0
    assert len(gateway.take()) == 2


def test_a_token_of_the_users_own_in_curlrc_is_the_only_token(mom: Mom, gateway: Recorder) -> None:
    mom.curlrc('header = "Atlas-Accesstoken: mine"\n')
    assert mom("-s", "/a", "--next", "-s", "/b").returncode == 0
    assert [request.tokens for request in gateway.take()] == [["mine"], [TOKEN]]


PLACES = ["c/.curlrc", "x/.curlrc", "x/curlrc", "home/.curlrc", "c/.config/curlrc", "home/.config/curlrc"]


@pytest.mark.parametrize("unset", [(), ("CURL_HOME",), ("XDG_CONFIG_HOME",), ("CURL_HOME", "XDG_CONFIG_HOME")])
@pytest.mark.parametrize("missing", [(), ("home/.curlrc",), ("c/.curlrc", "x/.curlrc", "home/.curlrc")])
def test_the_file_that_the_curl_at_hand_takes_for_curlrc_is_the_one_that_counts(
    mom: Mom, gateway: Recorder, tmp_path: Path, unset: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    variables = {"CURL_HOME": str(tmp_path / "c"), "XDG_CONFIG_HOME": str(tmp_path / "x")}
    environ: dict[str, str | None] = {name: None if name in unset else path for name, path in variables.items()}

    def write(place: str, text: str) -> None:
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).write_text(text)

    places = [place for place in PLACES if place not in missing]
    for place in places:
        write(place, f'referer = "{place}"\n')
    given = {name: value for name, value in {**mom.environ, **environ}.items() if value is not None}
    subprocess.run(["curl", "-s", gateway.url], env=given, check=True, capture_output=True)
    taken = gateway.take()[0].all("Referer")
    for place in places:
        write(place, f'referer = "{place}"\n' + ("connect-to = ::127.0.0.1:1\n" if [place] != taken else ""))
    assert mom.run(["-s", "/a"], environ).returncode == 0
    assert gateway.take()[0].all("Referer") == taken
    for place in taken:
        write(place, "connect-to = ::127.0.0.1:1\n")
        done = mom.run(["-s", "/a"], environ)
        assert done.returncode == 125
        assert f"{tmp_path / place}:1: `connect-to`" in done.stderr.decode()


@pytest.mark.parametrize(
    ("version", "variables", "expected"),
    [
        ((7, 72), ["CURL_HOME", "HOME"], []),
        ((7, 72), ["XDG_CONFIG_HOME", "HOME"], ["home/.curlrc"]),
        ((7, 73), ["XDG_CONFIG_HOME", "HOME"], ["x/.curlrc"]),
        ((7, 80), ["CURL_HOME", "XDG_CONFIG_HOME"], []),
        ((7, 81), ["CURL_HOME", "HOME"], ["home/.curlrc"]),
        ((8, 9), ["XDG_CONFIG_HOME", "HOME"], ["x/.curlrc"]),
        ((8, 10), ["XDG_CONFIG_HOME", "HOME"], ["x/curlrc"]),
        ((8, 10), ["CURL_HOME"], ["c/.config/curlrc"]),
        ((7, 81), ["CURL_HOME"], ["listed/.curlrc"]),
        ((8, 21), [], ["listed/.curlrc"]),
        ((7, 61), [], ["listed/.curlrc"]),
    ],
)
def test_where_curls_look_for_their_curlrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], variables: list[str], expected: list[str]
) -> None:
    for place in ("x/.curlrc", "x/curlrc", "home/.curlrc", "c/.config/curlrc", "listed/.curlrc"):
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).touch()
    user = pwd.struct_passwd(("u", "x", 1, 1, "", str(tmp_path / "listed"), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: user)
    folders = {"CURL_HOME": "c", "XDG_CONFIG_HOME": "x", "HOME": "home"}
    environ = {name: str(tmp_path / folders[name]) for name in variables}
    found = curlrc_paths(environ, lambda: version)
    assert [str(Path(path).relative_to(tmp_path)) for path in found] == expected


@pytest.mark.parametrize("first", ["-q", "-qs", "-qS", "--disable"])
def test_q_leaves_curlrc_out_as_the_curl_at_hand_takes_it(mom: Mom, gateway: Recorder, first: str) -> None:
    mom.curlrc("referer = x\n")
    subprocess.run(["curl", first, gateway.url], env=mom.environ, check=True, capture_output=True)
    left_out = gateway.take()[0].all("Referer") == []
    mom.curlrc("connect-to = ::127.0.0.1:1\n")
    assert mom(first, "/a").returncode == (0 if left_out else 125)


@pytest.mark.parametrize("config", ["next\nurl = {url}", "url = {url}\nnext\nurl = {url}", "url={url}\n-s:\nurl={url}"])
@pytest.mark.parametrize("how", ["a file", "a pipe", "stdin", "curlrc"])
def test_a_file_that_starts_a_group_without_a_token_is_refused_before_anything_is_sent(
    mom: Mom, gateway: Recorder, elsewhere: Recorder, config: str, how: str
) -> None:
    text = config.format(url=f"{elsewhere.url}/from-file") + "\n"
    options = mom.folder / "options"
    if how == "curlrc":
        mom.curlrc(text)
        done = mom("-s", "/a")
    elif how == "stdin":
        done = mom("-s", "-K", "-", "/a", stdin=text.encode())
    else:
        options.write_text(text)
        words = mom.command("-s", "-K", "options" if how == "a file" else "<(cat options)", "/a")
        done = subprocess.run(
            ["bash", "-c", " ".join(words)], env=mom.environ, cwd=mom.folder, capture_output=True, check=False
        )
    assert done.returncode == 125
    assert "starts a group of requests that would have no token" in done.stderr.decode()
    assert (gateway.take(), elsewhere.take()) == ([], [])


@pytest.mark.parametrize("how", ["-K -", "-K <(cat options)", "-sK<(cat options)", "--config <(cat options)"])
def test_options_from_a_pipe_are_read_by_curl_too(mom: Mom, gateway: Recorder, how: str) -> None:
    (mom.folder / "options").write_text('referer = "from a pipe"\nheader = "Atlas-Accesstoken: mine"\n')
    words = [*mom.command("-s"), how, "/a", *(["<", "options"] if how == "-K -" else [])]
    done = subprocess.run(
        ["bash", "-c", " ".join(words)], env=mom.environ, cwd=mom.folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (request,) = gateway.take()
    assert request.all("Referer") == ["from a pipe"]
    assert request.tokens == ["mine"]


# Each line behind one kind of white space, and one line behind each; all of them in the proof.
SPACES = [" ", "\t", "\v", "\f", "\r", " \v\t"]
HIDDEN = ["connect-to = ::127.0.0.1:1", "-sK more", "config=more", "--config more", "conf more"]


@pytest.mark.parametrize(
    ("space", "line"),
    [
        pytest.param(space, line, marks=() if space == "\v" or line == "config=more" else pytest.mark.proof)
        for space in SPACES
        for line in HIDDEN
    ],
)
def test_no_white_space_and_no_include_hides_a_line(mom: Mom, gateway: Recorder, space: str, line: str) -> None:
    (mom.folder / "more").write_text("silent\n-sSK deeper\n")
    (mom.folder / "deeper").write_text(f"{space}unix-socket = /x\n")
    mom.curlrc(f"silent\n{space}{line}\n")
    done = mom("/a")
    assert done.returncode == 125
    place = f"{mom.home}/.curlrc:2" if line.startswith("connect") else "deeper:1"
    assert f"error: {place}: `" in done.stderr.decode()
    assert gateway.take() == []


def test_a_harmless_include_is_followed_and_an_include_of_itself_ends(mom: Mom, gateway: Recorder) -> None:
    (mom.folder / "more").write_text("referer = included\n")
    mom.curlrc('silent\n-K "more"\n')
    assert mom("/a").returncode == 0
    assert gateway.take()[0].all("Referer") == ["included"]
    mom.curlrc(f"config = {mom.home}/.curlrc\n")
    done = mom("/a")
    assert done.returncode == 125
    assert "`config` includes files too deeply" in done.stderr.decode()


@pytest.mark.parametrize("line", ["config = -", "config = pipe", "-K pipe"])
def test_an_include_that_only_curl_can_read_is_refused(mom: Mom, gateway: Recorder, line: str) -> None:
    os.mkfifo(mom.folder / "pipe")
    mom.curlrc(f"{line}\n")
    done = mom("/a")
    assert done.returncode == 125
    assert ".curlrc:1: `config` includes a file that only curl can read" in done.stderr.decode()
    assert gateway.take() == []


def test_a_folder_in_the_place_of_a_file_of_options_has_none(mom: Mom, gateway: Recorder) -> None:
    (mom.home / ".curlrc").mkdir()
    assert mom("-s", "/a").returncode == 0
    (mom.folder / "options").mkdir()
    # Older curls read nothing from it, newer ones refuse it: so does mom curl, in curl's words.
    theirs = subprocess.run(["curl", "-s", "-K", "options", f"{gateway.url}/a"], cwd=mom.folder, check=False)
    done = mom("-s", "-K", "options", "/a")
    assert (done.returncode, b"internal error" in done.stderr) == (theirs.returncode, False)
    assert {request.target for request in gateway.take()} == {"/a"}
