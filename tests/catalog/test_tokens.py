"""Credentials that do not look like those of the vendor: a warning before anything is sent, without the value."""

from __future__ import annotations

import pytest

from mom.catalog import loader
from mom.catalog.integration import Variable
from mom.catalog.tokens import looks_right, unlikely_tokens

GITHUB = "https://api.github.com"
# What each vendor's credentials look like, and what people paste instead. None of these is a real one.
RIGHT = {
    "GITHUB_TOKEN": [
        "ghp_" + "a" * 36,
        "github_pat_" + "A1" * 20,
        "ghs_a.b-c",
        "0" * 40,
        " ghp_abc\n",
        "Bearer ghp_abc",
    ],
    "SLACK_BOT_TOKEN": ["xoxb-1-2-abc", "xoxp-1-2", "xoxe.xoxp-1-abc"],
    "STRIPE_API_KEY": ["sk_test_abc", "rk_live_abc"],
    "DIGITALOCEAN_TOKEN": ["dop_v1_" + "0" * 64],
    "SENTRY_AUTH_TOKEN": ["sntryu_" + "0" * 64, "0" * 64],
    "OPENAI_API_TOKEN": ["anything, since no form is documented"],
}
WRONG = {
    "GITHUB_TOKEN": ["hunter2", "glpat-abc", "xoxb-1-2", "ghp_", "ghp_a b", "my ghp_abc"],
    "SLACK_BOT_TOKEN": ["https://hooks.slack.com/services/x", "sk-abc"],
    "STRIPE_API_KEY": ["pk_live_abc", "whsec_abc"],
    "NPM_TOKEN": ["00000000-0000-0000-0000-000000000000"],
}


def known(name: str) -> Variable:
    """Return what the catalog knows of a variable."""
    return next(found for entry in loader.all_integrations() if (found := entry.variable(name)))


@pytest.mark.parametrize("name", RIGHT)
def test_what_the_vendor_documents_looks_right(name: str) -> None:
    assert [value for value in RIGHT[name] if not looks_right(known(name), value)] == []


@pytest.mark.parametrize("name", WRONG)
def test_what_belongs_elsewhere_does_not(name: str) -> None:
    assert [value for value in WRONG[name] if looks_right(known(name), value)] == []


def test_the_header_decides_whatever_the_variable_is_called() -> None:
    header = ("authorization", "Bearer ${{MINE}}")
    (token,) = unlikely_tokens(GITHUB, "gh", header, {"MINE": "hunter2", "GITHUB_TOKEN": "ghp_abc"})

    assert token.variable == "MINE"
    assert token.message == "does not look like a GitHub credential, ghp_… or github_pat_…"
    assert token.hint == "see https://github.com/settings/personal-access-tokens"
    assert "hunter2" not in repr(token)


@pytest.mark.parametrize(
    ("url", "header", "variables"),
    [
        (GITHUB, ("Authorization", "token ${{ X }}"), {"X": "ghp_abc"}),
        (GITHUB, ("Authorization", "token ${{ X }}"), {}),
        (GITHUB, ("Authorization", "token ${{ X }}"), {"X": " "}),
        (GITHUB, ("X-Other", "${{ X }}"), {"X": "hunter2"}),
        (GITHUB, ("Authorization", "Basic ${{ X }}:${{ Y }}"), {"X": "hunter2", "Y": "hunter2"}),
        (GITHUB, ("Authorization", "token hunter2"), {}),
        ("https://github.example.com/api/v3", ("Authorization", "token ${{ X }}"), {"X": "hunter2"}),
        ("http://127.0.0.1:8000", ("Authorization", "token ${{ X }}"), {"X": "hunter2"}),
    ],
)
def test_nothing_is_reported_where_nothing_is_known(
    url: str, header: tuple[str, str], variables: dict[str, str]
) -> None:
    assert list(unlikely_tokens(url, "github", header, variables)) == []
