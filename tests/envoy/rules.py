"""Rules about requests for tests: a configuration from YAML, a matcher of their own, and random rules and requests.

The matcher here is written by the specification alone, character by character: it knows no regular expression and
nothing of `mom.atlas.policy`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mom.atlas.load import load
from mom.atlas.model import Configuration
from mom.envoy.request_line import HTTP1_METHODS
from mom.yamledit.source import Source
from tests.envoy.configurations import AUDIENCE, ISSUER

Rule = Mapping[str, Any]


def configured(adapters: Mapping[str, Mapping[str, Any]], base_url: str, **spec: Any) -> Configuration:
    """Return a configuration of HTTP adapters, read as a file is; `spec`: what the Atlas document has besides."""
    provider = {"issuer": ISSUER, "audience": AUDIENCE, "publicKey": "keys.json"}
    atlas: dict[str, Any] = {"identityProviders": {"idp": provider}, **spec}
    version = "moment.dev/adapters/v1alpha1"
    references = [{"adapterRef": {"apiVersion": version, "kind": "HTTP", "name": name}} for name in adapters]
    documents: list[Any] = [
        {
            "apiVersion": "moment.dev/atlas/v1alpha1",
            "kind": "Atlas",
            "metadata": {"name": "test"},
            "spec": {**atlas, "apiAdapters": references},
        },
        *(
            {
                "apiVersion": version,
                "kind": "HTTP",
                "metadata": {"name": name},
                "spec": {"baseUrl": base_url, **own},
            }
            for name, own in adapters.items()
        ),
    ]
    return load(Source("atlas.yml", "\n---\n".join(json.dumps(document, indent=1) for document in documents) + "\n"))


def passes(lists: Iterable[Sequence[Rule] | None], method: str, path: str, claims: Mapping[str, Any]) -> bool:
    """Whether a request passes every list that there is; `path`: as sent below the adapter, with its query."""
    plain = path.partition("?")[0]
    return all(any(_matches(rule, method, plain, claims) for rule in rules) for rules in lists if rules is not None)


def _matches(rule: Rule, method: str, path: str, claims: Mapping[str, Any]) -> bool:
    if "methods" in rule and method not in rule["methods"]:
        return False
    if "paths" in rule and not any(_path_matches(pattern, path) for pattern in rule["paths"]):
        return False
    return all(_has(claims, name, wanted) for name, wanted in rule.get("claims", {}).items())


def _path_matches(pattern: str, path: str) -> bool:
    if not pattern:
        return not path
    if pattern == "**":
        return True
    if pattern[0] != "*":
        return path[:1] == pattern[0] and _path_matches(pattern[1:], path[1:])
    left = path
    while unit := _unit(left):
        left = left[len(unit) :]
        if _path_matches(pattern[1:], left):
            return True
    return False


def _unit(path: str) -> str:
    """Return what `*` may match of the beginning of a path: a character, or one that is percent-encoded."""
    if path[:1] == "%":
        digits = path[1:3]
        encodes = len(digits) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits)
        return path[:3] if encodes and chr(int(digits, 16)) not in "/\\;" else ""
    return "" if path[:1] in {"/", "\\", ";"} else path[:1]


def _has(claims: Mapping[str, Any], name: str, wanted: Any) -> bool:
    value: Any = claims
    for part in json.loads(f"[{name}]") if name.startswith('"') else name.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    given = value if isinstance(value, list) else [value]
    some = wanted if isinstance(wanted, list) else [wanted]
    return any(_kind(one) == _kind(each) and one == each for one in given for each in some)


def _kind(value: Any) -> str:
    return "number" if type(value) in {int, float} else type(value).__name__


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_WORDS = (
    "a",
    "b",
    "ab",
    "models",
    "x.json",
    "%2F",
    "%2f",
    "%5C",
    "%3b",
    "a%2Fb",
    "%61",
    "%zz",
    "%",
    "a;b=1",
    "a\\b",
    "(1)",
)
_PATTERNS = (
    "*",
    "a*",
    "*.json",
    "*b",
    "*a*",
    "a",
    "b",
    "ab",
    "models",
    "x.json",
    "%2F",
    "a%2Fb",
    "*%2F*",
    "(1)",
    "*f",
    "+",
)
_NAMES = ("groups", "realm_access.roles", '"https://x.test/roles"', "level", "admin")
_VALUES: tuple[Any, ...] = ("a", "b", "1", "true", "", 1, 2.5, 0, True, False)


def random_rules(dice: random.Random) -> list[dict[str, Any]]:
    """Return a list `allow` that a configuration may have."""
    return [_random_rule(dice) for _ in range(dice.randint(1, 3))]


def _random_rule(dice: random.Random) -> dict[str, Any]:
    while True:
        rule: dict[str, Any] = {}
        if dice.random() < 0.5:
            rule["methods"] = dice.sample(_METHODS, dice.randint(1, 3))
        if dice.random() < 0.7:
            rule["paths"] = [_random_pattern(dice) for _ in range(dice.randint(1, 2))]
        if dice.random() < 0.35:
            names = dice.sample(_NAMES, dice.randint(1, 2))
            rule["claims"] = {name: _random_value(dice, empty=False) for name in names}
        if rule:
            return rule


def _random_pattern(dice: random.Random) -> str:
    if dice.random() < 0.05:
        return ""
    segments = [dice.choice(_PATTERNS) for _ in range(dice.randint(0, 3))]
    return (
        "/"
        + "/".join(segments)
        + dice.choice(("", "", "/", "/**", "**" if not segments or segments[-1][-1] != "*" else ""))
    )


def _random_value(dice: random.Random, *, empty: bool = True) -> Any:
    if dice.random() < 0.5:
        return dice.choice(_VALUES)
    return dice.sample(_VALUES, dice.randint(0 if empty else 1, 3))


def random_claims(dice: random.Random) -> dict[str, Any]:
    """Return claims that a token may have beside those that every token has."""
    claims: dict[str, Any] = {}
    for name in dice.sample(_NAMES, dice.randint(0, 4)):
        value = dice.choice((_random_value(dice), _random_value(dice), None, {"a": "a"}, [["a"]], [None, "a"]))
        if name == "realm_access.roles":
            claims["realm_access"] = dice.choice(({"roles": value}, {"roles": value}, ["roles"], "roles"))
        else:
            claims[name.strip('"')] = value
    return claims


def random_request(dice: random.Random, rules: Sequence[Rule]) -> tuple[str, str]:
    """Return a method, and a path below an adapter with or without a query: half of them near what `rules` allow."""
    rule = dice.choice(rules)
    method = dice.choice(rule.get("methods", _METHODS)) if dice.random() < 0.8 else dice.choice(_METHODS)
    if "paths" in rule and dice.random() < 0.7:
        pattern = dice.choice(rule["paths"])
        path = "".join(
            dice.choice(_WORDS) if part == "*" else part for part in re.split(r"(\*\*?)", pattern) if part != "**"
        )
    else:
        path = "".join(f"/{dice.choice(_WORDS)}" for _ in range(dice.randint(0, 3)))
    return method, path + dice.choice(("", "", "", "/", "?", "?x=/a", "?/models"))


_ODD_METHODS = (
    "TRACE",
    "TRACK",
    "DEBUG",
    "CONNECT",
    "FOO",
    "M-SEARCH",
    "MSEARCH",
    "PRI",
    "QUERY",
    "",
    "A B",
    "get",
    "Trace",
)
_ODD_TARGETS = (
    "/healthz",
    "/healthcheck",
    "/v1alpha1/apis",
    "/v1alpha1/instances",
    "/v1alpha1",
    "/v1/apis/http",
    "/v1/apis/http/none",
    "/v1/apis/aws/x/s3",
    "/v1/apis/kubernetes",
    "/",
    "//",
    "*",
    "",
    "x",
)
_ODD_ENDS = (
    "/a",
    "/..",
    "/%2e%2E/x",
    "\\..",
    "/..;x",
    "/.%20",
    "/é",
    "#",
    "?#",
    "?x=/..",
    "?",
    " ",
    "\t",
    "\r",
    "\nx",
    "%",
)


def odd_request(dice: random.Random, paths: Sequence[str]) -> tuple[str, str]:
    """Return a method and a target that HTTP may not have, or Envoy not know; each character is a byte.

    paths: of adapters.
    """
    kind = dice.random()
    method = dice.choice(_METHODS)
    if kind < 0.4:
        method = dice.choice((*_ODD_METHODS, *sorted(HTTP1_METHODS)))
    elif kind < 0.5:
        method = "".join(dice.choice("!#$%&'*+-.^_`|~09AZaz") for _ in range(dice.randint(1, 4)))
    elif kind < 0.6:
        at = dice.randint(0, len(method))
        method = f"{method[:at]}{chr(dice.randrange(256))}{method[at:]}"
    target = dice.choice((*_ODD_TARGETS, *paths))
    for _ in range(dice.randint(0, 2)):
        target += dice.choice((*_ODD_ENDS, *(f"{before}{chr(dice.randrange(256))}" for before in ("/", "", "?"))))
    if dice.random() < 0.02:
        # More than headers may have, or not quite: the others are headers, too.
        target += "/" + "x" * dice.choice((60_000, 62_000))
    return method, target
