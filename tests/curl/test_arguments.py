"""curl's command line as we read it: tables of single rules, curl's own help, and the real curl as the judge."""

from __future__ import annotations

import functools
import os
import random
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from mom.curl import arguments, options
from mom.curl.arguments import Scan
from mom.errors import UsageError
from tests.searches import examples


def installed() -> Mapping[str, bool]:
    text = subprocess.run(["curl", "-q", "--help", "all"], capture_output=True, text=True, check=True).stdout
    return options.parse_help(text)


def version() -> tuple[int, ...]:
    text = subprocess.run(["curl", "-q", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in text.split()[1].split("-")[0].split("."))


def never() -> Mapping[str, bool]:
    raise AssertionError("curl is asked only about options that the tables lack")


def no_version() -> tuple[int, ...]:
    raise AssertionError("curl's version is asked only where it matters")


def scan(*words: str) -> Scan:
    return arguments.scan(words, never, no_version)


def urls(found: Scan) -> list[str]:
    return [url.text for url in found.urls]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(["/a"], ["/a"], id="a word without a dash is a URL"),
        pytest.param([""], [""], id="so is an empty word"),
        pytest.param(["-s", "/a", "-v", "/b"], ["/a", "/b"], id="paths stand anywhere"),
        pytest.param(["-o", "/f", "/a"], ["/a"], id="the word after -o is its value"),
        pytest.param(["-o/f", "/a"], ["/a"], id="or what is left of the word"),
        pytest.param(["-sSo", "/f", "/a"], ["/a"], id="also at the end of a cluster"),
        pytest.param(["-sSo/f", "/a"], ["/a"], id="also within a cluster"),
        pytest.param(["-so", "-L", "/a"], ["/a"], id="a value may look like an option"),
        pytest.param(["-d", "--", "/a"], ["/a"], id="a value may be --"),
        pytest.param(["-H", "--help", "/a"], ["/a"], id="a value may be --help"),
        pytest.param(["-d", "--base-url", "/a"], ["/a"], id="a value may look like one of ours"),
        pytest.param(["--output", "/f", "/a"], ["/a"], id="long options take the next word"),
        pytest.param(["--output=/f", "/a"], ["/a"], id="or what stands after ="),
        pytest.param(["--url", "/a", "--url=/b"], ["/a", "/b"], id="--url takes a URL"),
        pytest.param(["--fail=", "/a", "--silent=-o", "/b"], ["/a", "/b"], id="the value of a boolean is dropped"),
        pytest.param(["--no-fail=x", "--no-buffer=", "/a"], ["/a"], id="also where it is turned off"),
        pytest.param(["--no-buffer", "/a", "--no-location"], ["/a"], id="--no- turns a boolean off"),
        pytest.param(["--expand-data", "/f", "/a"], ["/a"], id="--expand- takes a value too"),
        pytest.param(["--", "-o", "/a", "--next"], ["-o", "/a", "--next"], id="after -- every word is a URL"),
        pytest.param(["-:/a", "/b"], ["/b"], id="what follows -: in its cluster is dropped"),
        pytest.param(["--DATA", "x", "/a"], ["/a"], id="old curls take capitals"),
        pytest.param(["-F", "a=@/f", "-u", "/u", "-x", "/p", "-T", "/t", "/a"], ["/a"], id="many take values"),
        pytest.param(["--haproxy-clientip", "/x", "--quote", "/q", "/a"], ["/a"], id="some whose values help hides"),
        pytest.param(["-#", "-0146", "-iIkjJlnNOpqRsSvBafgG", "/a"], ["/a"], id="many take none"),
        pytest.param(["-2", "/a", "-s3", "/b"], ["/a", "/b"], id="2 and 3 at the end of a cluster"),
    ],
)
def test_urls_are_found_where_curl_finds_them(line: list[str], expected: list[str]) -> None:
    found = scan(*line)
    assert urls(found) == expected
    assert not found.ambiguous
    assert found.words == line
    for url in found.urls:
        assert found.words[url.index] == url.before + url.text


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(["/a", "-o"], id="a value is missing at the end"),
        pytest.param(["/a", "--output"], id="a long option's value is missing"),
        pytest.param(["/a", "-sSo"], id="a cluster's value is missing"),
        pytest.param(["/a", "-"], id="a single dash"),
        pytest.param(["/a", "-s?"], id="a letter that curl does not have"),
        pytest.param(["/a", "-sé"], id="a letter that nobody has"),
        pytest.param(["/a", "--no-output", "x"], id="a value cannot be turned off"),
        pytest.param(["/a", "--expand-silent"], id="a boolean has nothing to expand"),
    ],
)
def test_where_curl_would_refuse_the_line_nothing_is_certain(line: list[str]) -> None:
    found = scan(*line, "/later")
    if line[-1] in ("-o", "--output", "-sSo"):
        found = scan(*line)
    assert found.ambiguous
    assert found.words[: len(line)] == line
    assert urls(found) == ["/a"]


@pytest.mark.parametrize("word", ["--help", "-h", "-V", "--version", "--manual", "-M", "-sV", "-Vs", "--help=all"])
def test_after_an_informational_option_curl_reads_no_further(word: str) -> None:
    found = scan("/a", word, "-o", "--base-url")
    assert found.is_informational
    assert found.words == ["/a", word, "-o", "--base-url"]


def test_turning_an_informational_option_off_prints_nothing() -> None:
    assert not scan("--no-version", "/a").is_informational


@pytest.mark.parametrize(
    ("line", "before", "since"),
    [
        (["-2so", "/f", "/a"], ["/a"], ["/f", "/a"]),
        (["-s2o/f", "/a"], ["/a"], ["/a"]),
        (["-23L", "/a"], ["/a"], ["/a"]),
        (["-q2s:o", "/a"], ["/a"], ["/a"]),
        (["-3V", "/a"], [], ["/a"]),
        (["-0146so", "/f", "/a"], ["/a"], ["/a"]),
    ],
)
def test_what_follows_2_or_3_in_a_cluster_counts_as_the_curl_at_hand_takes_it(
    line: list[str], before: list[str], since: list[str]
) -> None:
    for version, expected in (((8, 14, 0), before), ((8, 14, 1), since), ((9,), since)):
        found = arguments.scan(line, never, functools.partial(tuple, version))
        assert found.words == line
        assert urls(found) == expected
        assert not found.ambiguous
    assert arguments.scan(["-2L", "/a"], never, lambda: (8, 14, 0)).groups[0].follows
    assert not arguments.scan(["-2L", "/a"], never, lambda: (8, 14, 1)).groups[0].follows


def ends(found: Scan) -> list[int]:
    return [group.end for group in found.groups]


def test_a_group_ends_before_next_before_two_dashes_or_at_the_end() -> None:
    assert ends(scan("/a", "-s")) == [2]
    assert ends(scan("/a", "-s", "--next", "/b", "-i")) == [2, 5]
    assert ends(scan("/a", "-s:", "/b", "--", "/c", "/d")) == [1, 3]
    assert ends(scan("--", "/c")) == [0]


def test_next_without_a_url_before_it_starts_no_group() -> None:
    found = scan("-s", "--next", "-i", "/a")
    assert ends(found) == [4]
    assert len(scan("-K", "f", "--next", "/a").groups) == 2


def test_a_group_knows_what_the_user_asked_for_in_it() -> None:
    found = scan("-L", "-x", "p", "/a", "--next", "-H", "atlas-ACCESSTOKEN : x", "-K", "f", "/b", "--next", "/c")
    first, second, third = found.groups
    assert (first.follows, first.proxy, first.own_token, first.configs) == (True, True, False, [])
    assert (second.follows, second.proxy, second.own_token, [one.option for one in second.configs]) == (
        False,
        False,
        True,
        [7],
    )
    assert (third.follows, third.proxy, third.own_token, third.connect_to) == (False, False, False, False)


@pytest.mark.parametrize("word", ["-L", "--location", "--location-trusted", "--follow", "-sLS"])
def test_each_way_to_ask_for_redirects_is_seen(word: str) -> None:
    assert scan(word, "/a").groups[0].follows
    assert not scan("-d", word, "/a").groups[0].follows


@pytest.mark.parametrize(
    ("header", "own"),
    [
        ("Atlas-Accesstoken: x", True),
        ("atlas-accesstoken:x", True),
        ("Atlas-Accesstoken:", True),
        ("Atlas-Accesstoken;", True),
        ("X-Atlas-Accesstoken: x", False),
        ("X: Atlas-Accesstoken: x", False),
        ("@file", False),
    ],
)
def test_a_token_header_of_the_users_own_is_seen(header: str, own: bool) -> None:
    assert [scan(option, header, "/a").groups[0].own_token for option in ("-H", "--header")] == [own, own]
    assert scan(f"-sH{header}", "/a").groups[0].own_token is own


def test_our_own_options_are_taken_out_wherever_curl_would_look_for_an_option() -> None:
    found = scan(
        "-s", "--base-url", "http://x", "/a", "--mom-print", "--next", "--base-url=http://y", "/b", "--mom-no-auth"
    )
    assert found.words == ["-s", "/a", "--next", "/b"]
    assert found.own == {"base-url": "http://y", "mom-print": "", "mom-no-auth": ""}
    assert scan("--", "--mom-print").own == {}


@pytest.mark.parametrize(
    "line", [["--base-url"], ["--mom-token-file"], ["--mom-print=x"], ["--mom-quiet"], ["--mom-"], ["--mom-no-auth="]]
)
def test_a_mistake_in_an_option_of_mom_is_reported_by_mom(line: list[str]) -> None:
    with pytest.raises(UsageError, match="--"):
        scan("/a", *line)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--mom-prnt", "--mom-print"),
        ("--mom-no-auht=x", "--mom-no-auth"),
        ("--mom-tokenfile", "--mom-token-file"),
        ("--mom-PRINT", "--mom-print"),
        ("--baseurl", "--base-url"),
        ("--base-ulr=http://x", "--base-url"),
    ],
)
def test_a_misspelt_option_of_mom_gets_a_suggestion(word: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        arguments.scan(["/a", word], dict, no_version)
    assert caught.value.hint == f"did you mean {meant}?"


def test_a_slip_in_an_option_of_curl_is_curls_to_tell() -> None:
    assert arguments.scan(["/a", "--data-bnary", "x"], dict, no_version).ambiguous


def test_an_option_that_the_tables_lack_is_looked_up_in_the_curl_at_hand() -> None:
    known = {"new-value": True, "new-flag": False, "nifty": True}
    found = arguments.scan(["--new-value", "/v", "--new-flag", "/a", "--nif", "/n", "/b"], lambda: known, no_version)
    assert urls(found) == ["/a", "/b"]
    for unknown in ("--other", "--new", "--new-", "--new-flags", "--no-", "--expand-"):
        assert arguments.scan(["/a", unknown, "x"], lambda: known, no_version).ambiguous


def test_abbreviations_are_those_of_the_curl_at_hand() -> None:
    found = arguments.scan(["--data-b", "/d", "--HEAD", "--max-t", "/m", "/a"], installed, no_version)
    assert urls(found) == ["/a"]
    assert arguments.scan(["--he", "/a"], installed, no_version).ambiguous


def test_the_tables_say_the_same_as_the_help_of_the_curl_at_hand() -> None:
    text = subprocess.run(["curl", "-q", "--help", "all"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^ *(-(.), )?--(no-)?(\S+)( <)?", text, re.MULTILINE)
    assert len(listed) > 200
    for _, letter, _, name, value in listed:
        takes = name in options.WITH_VALUE
        assert takes or name in options.WITHOUT_VALUE, name
        # Help forgets the value of some (see the module), but never invents one.
        assert takes or not value, name
        if letter:
            assert options.LETTERS[letter] in (name, {"include": "show-headers"}.get(name)), letter


def test_no_option_is_in_both_tables_and_each_letter_has_an_option() -> None:
    assert not options.WITH_VALUE & options.WITHOUT_VALUE
    assert set(options.LETTERS.values()) <= options.WITH_VALUE | options.WITHOUT_VALUE
    assert (len(options.WITH_VALUE), len(options.WITHOUT_VALUE), len(options.LETTERS)) == (151, 136, 59)


# Options that would make curl wait, read our stdin, print and end, or that change where the judge's report goes.
NOT_JUDGED = {
    "help", "manual", "version", "rate", "libcurl", "disable", "config", "proto", "parallel", "dump-ca-embed",
    "retry-all-errors", "test-event", "test-duphandle", "wdebug", "fail-early",
}  # fmt: skip
VALUES = ["x", "file", "1", "-s", "--next", "--", "-", "a=b", "/v1", "--url", "http://h/", "-o"]


def random_line(generator: random.Random) -> list[str]:
    """Return a command line of the real options, with values that look like other things."""
    line = []
    letters = [letter for letter, name in options.LETTERS.items() if name not in NOT_JUDGED]
    for number in range(generator.randint(1, 7)):
        kind = generator.random()
        if kind < 0.3:
            line.append(
                generator.choice([f"http://u{number}/", f"http://u{number}/x?y", f"/path{number}", f"u{number}"])
            )
        elif kind < 0.6:
            cluster = "-" + "".join(generator.choices(letters, k=generator.randint(1, 4)))
            line.append(cluster)
            if generator.random() < 0.7:
                line.append(generator.choice(VALUES))
        elif kind < 0.95:
            name = generator.choice(sorted((options.WITH_VALUE | options.WITHOUT_VALUE) - NOT_JUDGED))
            line.append(generator.choice(["--", "--", "--", "--no-"]) + name)
            if name in options.WITH_VALUE and generator.random() < 0.9:
                line.append(generator.choice(VALUES))
        else:
            line.append(generator.choice(["--", "--next", "-:", "-s:o"]))
    return line


def judged(line: list[str], folder: Path) -> list[str] | None:
    """Return the URLs that the real curl reads in `line`, None where it refuses it. No URL in it is fetched."""
    report = folder / "report.c"
    report.unlink(missing_ok=True)
    # The options come first: what the line does after them, `--` above all, is its own.
    done = subprocess.run(
        ["curl", "-q", "--libcurl", str(report), "--proto", "=file", "-sg", *line],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )  # fmt: skip
    # 2: refused; 26: a file that an option names is missing; 27, 43 and above 100: curl gave up before the first URL.
    if done.returncode in (2, 26, 27, 43) or done.returncode > 100 or not report.exists():
        return None
    found = re.findall(r'CURLOPT_URL, "(.*)"\);', report.read_text(errors="replace"))
    # C would read ??x as a trigraph, so curl escapes the question mark.
    return [text.replace("\\?", "?") for text in found]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.proof) for seed in (1, 2, 3))])
def test_the_real_curl_reads_the_same_urls_in_random_command_lines(seed: int, tmp_path: Path) -> None:
    generator = random.Random(seed)
    compared = 0
    lines = examples(75, 150)
    for _ in range(lines):
        line = random_line(generator)
        expected = judged(line, tmp_path)
        if not expected:
            continue
        found = arguments.scan(line, installed, version)
        assert not found.ambiguous, line
        ours = [url.text for url in found.urls]
        # curl adds to a URL what -G, --url-query and -T ask for. A transfer that it gave up early (a missing file, a
        # bad range) ends its report: what is in it must agree.
        assert len(ours) >= len(expected), line
        for our, theirs in zip(ours, expected, strict=False):
            assert theirs.removeprefix("http://").startswith(our.removeprefix("http://").split("?")[0].rstrip("/")), (
                line
            )
        compared += len(expected)
    assert compared > lines * 0.4
