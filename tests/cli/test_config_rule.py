"""`mom atlas config rule`: each id that mom or the gateway shows has an explanation."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from mom.atlas.rules.catalogue import RULES
from mom.atlas.rules.error_types import ERROR_TYPES
from mom.envoy.failures import FAILURES
from mom.envoy.replies import REPLIES
from mom.gateway import ErrorTypes
from tests.golden import MOM, run_mom

RULE = ("atlas", "config", "rule")


def shown(*arguments: str) -> str:
    result = run_mom([*RULE, *arguments])
    assert (result.status, result.stderr) == (0, "")
    return result.stdout.decode()


def test_an_entry_has_severity_words_explanation_hint_and_how_to_silence_it() -> None:
    rule = RULES["plain-http"]
    text = shown("plain-http")
    assert text.startswith("plain-http (warning)\n")
    for part in (rule.words, rule.explanation, f"hint: {rule.hint}", "# mom: ignore[plain-http] REASON"):
        assert part in text
    assert "silence:" not in shown("base-url")


def test_without_an_id_everything_is_listed() -> None:
    text = shown()
    for known in (*RULES, *ERROR_TYPES):
        assert re.search(rf"^  {known} ", text, re.MULTILINE)


@pytest.mark.parametrize("name", [*RULES, *ERROR_TYPES])
def test_every_id_is_explained_in_both_formats(name: str) -> None:
    entry = json.loads(shown(name, "--format", "json"))
    assert entry["id"] == name
    assert all(entry[key] for key in ("words", "hint", "explanation"))
    assert name in shown(name)


def test_the_list_as_json_has_all_entries() -> None:
    report = json.loads(shown("--format", "json"))
    assert [entry["id"] for entry in report["rules"]] == list(RULES)
    assert [entry["id"] for entry in report["errorTypes"]] == list(ERROR_TYPES)


def test_an_id_that_does_not_exist_is_a_usage_error_with_the_one_that_was_meant() -> None:
    result = run_mom([*RULE, "plain-htp"])
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr == "error: there is no rule or error type `plain-htp`\nhint: did you mean `plain-http`?\n"


def test_every_error_type_of_the_gateway_has_an_entry_with_its_status() -> None:
    types = {value for name, value in vars(ErrorTypes).items() if name.isupper()}
    assert types == set(ERROR_TYPES)
    for reply in REPLIES:
        if reply.status is not None or isinstance(reply.when, tuple):
            status = reply.status or (reply.when[1] if isinstance(reply.when, tuple) else 0)
            if not (isinstance(reply.when, tuple) and reply.when[0] == "GE"):
                assert ERROR_TYPES[reply.type].status == status, reply
    for failure in FAILURES:
        assert ERROR_TYPES[failure.type].status == failure.status


def test_the_installed_command_explains_a_rule() -> None:
    done = subprocess.run([MOM, *RULE, "duplicate-key"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("duplicate-key (error)\n")
