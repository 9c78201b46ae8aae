"""What a change of a configuration opens, in words: each kind of change, and what must not be missed about it."""

from __future__ import annotations

import pytest

from mom.atlas.adapters.aws_endpoints import DEFAULT_SERVICES
from mom.atlas.load import load
from mom.atlas.review import access_changes
from mom.yamledit.source import Source

ATLAS = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  identityProviders:
    main: {issuer: https://id.example/, audience: https://atlas.example, publicKey: https://id.example/jwks}
  apiAdapters:
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: stripe}
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: AWS, name: aws}
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: stripe
spec:
  baseUrl: https://api.stripe.com/v1
  headers:
  - {name: Authorization, value: "Bearer ${{ STRIPE_KEY }}"}
---
apiVersion: moment.dev/adapters/v1alpha1
kind: AWS
metadata:
  name: aws
spec:
  profiles:
  - {name: test, accessKeyId: "${{ KEY }}", secretAccessKey: "${{ SECRET }}"}
"""
REFERENCE = """\
  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: openai}
---
"""
OPENAI = """\
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: openai
spec:
  baseUrl: https://api.openai.com
  headers:
  - {name: Authorization, value: "Bearer ${{ OPENAI_API_TOKEN }}"}
"""
WITH_OPENAI = ATLAS.replace("---\n", REFERENCE, 1) + OPENAI


def said(old: str, new: str) -> list[tuple[str, bool, tuple[str, ...]]]:
    """Return each change as its line, whether it opens something, and its warnings."""
    before, after = (load(Source("f.yml", text)) if text else None for text in (old, new))
    return [(change.text, change.opens, change.warnings) for change in access_changes(before, after)]


def test_nothing_is_reported_where_nothing_changes() -> None:
    respelt = ATLAS.replace("kind: Atlas", "kind: Atlas  # a comment").replace("{name: test", "{  name: test")
    assert said(ATLAS, respelt) == []
    assert said("", "") == []


def test_an_added_adapter_opens_an_api_and_a_removed_one_closes_it() -> None:
    line = "+ openai: all callers, all methods, sends OPENAI_API_TOKEN to api.openai.com"
    assert said(ATLAS, WITH_OPENAI) == [(line, True, ())]
    assert said(WITH_OPENAI, ATLAS) == [("- openai: no longer reachable", False, ())]


KEYS = "keys from https://id.example/jwks"


def test_a_new_file_opens_all_that_it_has() -> None:
    lines = [line for line, opens, _ in said("", ATLAS) if opens]
    assert lines == [
        "+ stripe: all callers, all methods, sends STRIPE_KEY to api.stripe.com",
        "+ aws (AWS): all callers, all methods, sends KEY, SECRET to AWS",
        "+ identity provider main: accepts tokens of https://id.example/ for https://atlas.example, " + KEYS,
    ]


MOVED = "STRIPE_KEY is sent to another host: evil.example, so far api.stripe.com"


@pytest.mark.parametrize(
    ("old", "new", "line", "opens", "warnings"),
    [
        pytest.param(
            "https://api.stripe.com/v1",
            "https://evil.example/v1",
            "~ stripe: base URL api.stripe.com -> evil.example, same credential",
            True,
            (MOVED,),
            id="a credential goes to another host",
        ),
        pytest.param(
            "https://api.stripe.com/v1",
            "https://api.stripe.com:8443/v1",
            "~ stripe: base URL api.stripe.com -> api.stripe.com:8443, same credential",
            True,
            ("STRIPE_KEY is sent to another host: api.stripe.com:8443, so far api.stripe.com",),
            id="to another port",
        ),
        pytest.param(
            "https://api.stripe.com/v1",
            "https://api.stripe.com",
            "~ stripe: base URL https://api.stripe.com/v1 -> https://api.stripe.com, same credential",
            True,
            (),
            id="a path less",
        ),
        pytest.param(
            "https://api.stripe.com/v1",
            "https://api.stripe.com/v1/charges",
            "~ stripe: base URL https://api.stripe.com/v1 -> https://api.stripe.com/v1/charges, same credential",
            False,
            (),
            id="a path more",
        ),
        pytest.param(
            "https://api.stripe.com/v1",
            "http://api.stripe.com/v1",
            "~ stripe: base URL https://api.stripe.com/v1 -> http://api.stripe.com/v1, same credential",
            True,
            ("requests to api.stripe.com go over plain http: credentials can be read on the way",),
            id="plain http",
        ),
        pytest.param(
            "${{ STRIPE_KEY }}",
            "${{ OTHER_KEY }}",
            "~ stripe: sends OTHER_KEY to api.stripe.com, no longer sends STRIPE_KEY, header Authorization changed",
            True,
            (),
            id="another credential",
        ),
        pytest.param(
            "Bearer ${{ STRIPE_KEY }}",
            "Bearer s3cret",
            "~ stripe: no longer sends STRIPE_KEY, header Authorization changed",
            True,
            ("header Authorization is a credential in plain text",),
            id="a credential in plain text",
        ),
        pytest.param(
            '"Bearer ${{ STRIPE_KEY }}"}',
            '"Bearer ${{ STRIPE_KEY }}"}\n  - {name: X-Team, value: blue}',
            "~ stripe: header X-Team added",
            False,
            (),
            id="a header that is no credential",
        ),
        pytest.param(
            'secretAccessKey: "${{ SECRET }}"}',
            'secretAccessKey: "${{ SECRET }}"}\n  - {name: prod, accessKeyId: "${{ A }}", secretAccessKey: "${{ B }}"}',
            "~ aws (AWS): profiles test -> test, prod, sends A, B to AWS, accessKeyId of profile prod added, "
            "secretAccessKey of profile prod added",
            True,
            (),
            id="another profile",
        ),
        pytest.param(
            "  profiles:\n  - {name: test",
            "  services: [s3]\n  regions: [eu-west-1]\n  profiles:\n  - {region: eu-central-1, name: test",
            "~ aws (AWS): no longer the services "
            + ", ".join(service for service in DEFAULT_SERVICES if service != "s3")
            + ", also the regions eu-west-1, region of profile test us-east-1 -> eu-central-1",
            True,
            (),
            id="a service, and other regions",
        ),
        pytest.param(
            "publicKey: https://id.example/jwks",
            "publicKey: https://evil.example/jwks",
            "~ identity provider main: keys from https://id.example/jwks -> https://evil.example/jwks",
            True,
            (),
            id="other keys",
        ),
        pytest.param(
            "https://id.example/jwks}",
            "https://id.example/jwks, maxLifetime: 1h}",
            "~ identity provider main: tokens of at most 3,600 s, so far 86,400 s",
            False,
            (),
            id="a shorter life of tokens",
        ),
        pytest.param("  name: atlas\n", "  name: other\n", "~ Atlas: name atlas -> other", False, (), id="a name"),
    ],
)
def test_a_change_is_one_line_that_says_what_it_opens(
    old: str, new: str, line: str, opens: bool, warnings: tuple[str, ...]
) -> None:
    assert ATLAS.count(old) == 1
    assert said(ATLAS, ATLAS.replace(old, new)) == [(line, opens, warnings)]


BASIC = ATLAS.replace(
    """  headers:
  - {name: Authorization, value: "Bearer ${{ STRIPE_KEY }}"}
""",
    """  basicAuth: {username: "${{ STRIPE_USER }}", password: "${{ STRIPE_KEY }}"}
  query:
  - {name: key, value: "${{ STRIPE_QUERY }}"}
""",
)


@pytest.mark.parametrize(
    ("old", "new", "line", "opens", "warnings"),
    [
        pytest.param(
            "https://api.stripe.com/v1",
            "https://evil.example/v1",
            "~ stripe: base URL api.stripe.com -> evil.example, same credentials",
            True,
            tuple(
                f"{name} is sent to another host: evil.example, so far api.stripe.com"
                for name in ("STRIPE_USER", "STRIPE_KEY", "STRIPE_QUERY")
            ),
            id="all credentials go to another host",
        ),
        pytest.param(
            'password: "${{ STRIPE_KEY }}"',
            "password: s3cret",
            "~ stripe: no longer sends STRIPE_KEY, basicAuth.password changed",
            True,
            ("basicAuth.password is a credential in plain text",),
            id="a password in plain text",
        ),
        pytest.param(
            'value: "${{ STRIPE_QUERY }}"',
            "value: s3cret",
            "~ stripe: no longer sends STRIPE_QUERY, query key changed",
            True,
            ("query key is a credential in plain text",),
            id="a key in plain text",
        ),
        pytest.param(
            '"${{ STRIPE_QUERY }}"}\n',
            '"${{ STRIPE_QUERY }}"}\n  - {name: account, value: "${{ ACCOUNT }}"}\n',
            "~ stripe: sends ACCOUNT to api.stripe.com, query account added",
            True,
            (),
            id="another parameter",
        ),
        pytest.param(
            '  query:\n  - {name: key, value: "${{ STRIPE_QUERY }}"}\n',
            "",
            "~ stripe: no longer sends STRIPE_QUERY, query key removed",
            False,
            (),
            id="a parameter less",
        ),
        pytest.param(
            "  query:\n",
            "  tls: {caFile: corporate-ca.pem}\n  query:\n",
            "~ stripe: trusts the authorities in corporate-ca.pem",
            True,
            (),
            id="authorities of its own",
        ),
        pytest.param(
            "  query:\n",
            "  tls: {certFile: client.pem, keyFile: client.key}\n  query:\n",
            "~ stripe: shows the certificate client.pem",
            True,
            (),
            id="a client certificate",
        ),
    ],
)
def test_every_kind_of_credential_is_reviewed(
    old: str, new: str, line: str, opens: bool, warnings: tuple[str, ...]
) -> None:
    assert BASIC.count(old) == 1
    assert said(BASIC, BASIC.replace(old, new)) == [(line, opens, warnings)]


def test_what_is_taken_back_opens_nothing_but_the_systems_authorities() -> None:
    tls = BASIC.replace("  query:\n", "  tls: {caFile: ca.pem, certFile: client.pem, keyFile: client.key}\n  query:\n")
    line = "~ stripe: trusts the system's authorities, no longer shows a certificate"
    assert said(tls, BASIC) == [(line, True, ())]
    line = "+ stripe: all callers, all methods, sends STRIPE_USER, STRIPE_KEY, STRIPE_QUERY to api.stripe.com, "
    assert said("", tls)[0][0] == line + "trusts the authorities in ca.pem, shows the certificate client.pem"


def test_http_2_without_tls_is_named() -> None:
    old = ATLAS.replace("https://api.stripe.com/v1", "http://127.0.0.1:8000")
    new = old.replace("http://127.0.0.1:8000", "http://127.0.0.1:8000\n  http2: prior-knowledge")
    assert said(old, new) == [("~ stripe: HTTP/2 without TLS", False, ())]
    assert said(new, old) == [("~ stripe: no longer HTTP/2 without TLS", False, ())]


OAUTH2 = ATLAS.replace(
    """  headers:
  - {name: Authorization, value: "Bearer ${{ STRIPE_KEY }}"}
""",
    """  oauth2:
    tokenUrl: https://login.stripe.com/token
    clientId: ${{ STRIPE_ID }}
    clientSecret: ${{ STRIPE_SECRET }}
    scopes: [read]
  limits: {requestsPerMinute: 60}
  allow:
  - {methods: [GET, HEAD], paths: [/charges/**], claims: {groups: [pay, ops]}}
""",
)


@pytest.mark.parametrize(
    ("old", "new", "line", "opens", "warnings"),
    [
        pytest.param(
            "https://api.stripe.com/v1",
            "https://evil.example/v1",
            "~ stripe: base URL api.stripe.com -> evil.example, same credentials, same tokens",
            True,
            ("the tokens of ${{ STRIPE_ID }} are sent to another host: evil.example, so far api.stripe.com",),
            id="tokens go to another host",
        ),
        pytest.param(
            "https://login.stripe.com/token",
            "https://login.evil.example/token",
            "~ stripe: tokens from https://login.evil.example/token",
            True,
            tuple(
                f"{name} is sent to another host: login.evil.example, so far login.stripe.com"
                for name in ("STRIPE_ID", "STRIPE_SECRET")
            ),
            id="the client's secret goes to another host",
        ),
        pytest.param("[read]", "[read, write]", "~ stripe: scopes write", True, (), id="a scope more"),
        pytest.param(
            "60}", "600}", "~ stripe: at most 600 requests a minute per caller", True, (), id="a higher limit"
        ),
        pytest.param("60}", "6}", "~ stripe: at most 6 requests a minute per caller", False, (), id="less"),
        pytest.param("  limits: {requestsPerMinute: 60}\n", "", "~ stripe: no limit of requests", True, (), id="none"),
        pytest.param(
            "[GET, HEAD]",
            "[GET, HEAD, POST]",
            "~ stripe: now callers with groups pay or ops, GET, HEAD, POST of /charges/**",
            True,
            (),
            id="a method more",
        ),
        pytest.param(
            "paths: [/charges/**], claims: {groups: [pay, ops]}",
            "paths: [/charges/x, /charges/y/**], claims: {groups: pay, env: prod}",
            "~ stripe: now callers with groups pay and env prod, GET, HEAD of /charges/x, /charges/y/**",
            False,
            (),
            id="fewer paths and callers",
        ),
        pytest.param(
            ", claims: {groups: [pay, ops]}",
            "",
            "~ stripe: now all callers, GET, HEAD of /charges/**",
            True,
            (),
            id="anyone",
        ),
        pytest.param(
            "  limits:",
            "  proxy: http://proxy.example:3128\n  limits:",
            "~ stripe: proxy http://proxy.example:3128",
            True,
            (),
            id="a proxy",
        ),
        pytest.param("  limits:", "  timeout: 30s\n  limits:", "~ stripe: timeout 30 s", False, (), id="a timeout"),
        pytest.param(
            "publicKey: https://id.example/jwks}",
            "publicKey: https://id.example/jwks, claims: {org: example}}",
            "~ identity provider main: tokens with org example",
            False,
            (),
            id="claims of a provider",
        ),
        pytest.param(
            "spec:\n  identityProviders:",
            "spec:\n  cors: {origins: [https://canvas.example]}\n  identityProviders:",
            "+ spec.cors: web pages of https://canvas.example may call from a browser",
            True,
            (),
            id="web pages",
        ),
        pytest.param(
            "spec:\n  identityProviders:",
            "spec:\n  allow: [{methods: [GET]}]\n  identityProviders:",
            "~ spec.allow: all callers, GET",
            False,
            (),
            id="a list for all adapters",
        ),
    ],
)
def test_who_may_do_what_is_reviewed(old: str, new: str, line: str, opens: bool, warnings: tuple[str, ...]) -> None:
    assert OAUTH2.count(old) == 1
    changed = OAUTH2.replace(old, new)
    assert said(OAUTH2, changed) == [(line, opens, warnings)]
    # What closes something opens it when it is taken back, but for what has no direction.
    (back,) = said(changed, OAUTH2)
    assert opens or back[1] or "timeout" in line


def test_a_new_adapter_says_who_may_call_it() -> None:
    line = said(ATLAS.replace("stripe", "square"), OAUTH2)[0][0]
    assert line.startswith(
        "+ stripe: callers with groups pay or ops, GET, HEAD of /charges/**, sends STRIPE_ID, STRIPE_"
    )
    assert line.endswith("scopes read, at most 60 requests a minute per caller")


def test_a_credential_that_a_new_adapter_sends_elsewhere_is_a_warning() -> None:
    new = WITH_OPENAI.replace("OPENAI_API_TOKEN", "STRIPE_KEY").replace("api.openai.com", "evil.example")
    line = "+ openai: all callers, all methods, sends STRIPE_KEY to evil.example"
    assert said(ATLAS, new) == [(line, True, (MOVED,))]


def test_no_credential_is_repeated() -> None:
    new = ATLAS.replace("Bearer ${{ STRIPE_KEY }}", "Bearer sk-s3cret-s3cret-s3cret")
    assert "s3cret" not in repr(said(ATLAS, new))
    assert "s3cret" not in repr(said(new, ATLAS))
