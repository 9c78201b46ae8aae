"""From a response to the stage that failed, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mom.catalog.integration import Proof
from mom.check.diagnosis import diagnose
from mom.check.exchange import NoResponse, Response
from mom.check.result import Stage
from mom.check.smoke import SmokeRequest
from mom.envoy.failures import FAILURES

REQUEST = SmokeRequest("GET", "/v1/models")
ORIGIN = "http://127.0.0.1:8082"


def atlas(kind: str, message: str = "x", status: int = 502) -> Response:
    """Return an error of Atlas itself."""
    body = json.dumps({"error": {"type": kind, "message": message}}).encode()
    return Response(status, 0.1, {"atlas-error": kind}, body)


@pytest.mark.parametrize(
    ("response", "stage", "message", "hint"),
    [
        (NoResponse("connection refused", 0.1), Stage.GATEWAY, "no response from the gateway", "mom atlas run"),
        (NoResponse("no response after 5 s", 5, late=True), Stage.TIMEOUT, "after 5 s", "--timeout"),
        (atlas("API_InvalidAccessTokenError", status=401), Stage.TOKEN, "API_InvalidAcc", "mom auth status"),
        (atlas("API_MissingAccessTokenError", status=401), Stage.TOKEN, "API_Missing", f"--base-url {ORIGIN}"),
        (atlas("API_IdentityProviderUnavailableError"), Stage.TOKEN, "API_Identity", "identity provider"),
        (atlas("API_NoMatchingInstanceError", status=404), Stage.ATLAS, "API_NoMatching", "another configuration"),
        (atlas("API_UpstreamRefusedError"), Stage.ATLAS, "API_UpstreamRefusedError: x", "shutting down"),
        (atlas("API_SomethingNew"), Stage.ATLAS, "API_SomethingNew: x", ""),
        (Response(401, 0.1), Stage.AUTHORIZATION, "refused the credential in A (HTTP 401)", "create a new one"),
        (Response(403, 0.1), Stage.AUTHORIZATION, "HTTP 403", "scope or permission for GET /v1/models"),
        (Response(429, 0.1, {"retry-after": "7"}), Stage.RATE_LIMIT, "HTTP 429", "again in 7 s"),
        (Response(429, 0.1, {"retry-after": "Wed, 21 Oct 2026"}), Stage.RATE_LIMIT, "HTTP 429", "again later"),
        (Response(500, 0.1), Stage.API, "the API failed: HTTP 500", "status page"),
        (Response(404, 0.1), Stage.API, "HTTP 404 for GET /v1/models, expected 200 to 299", "spec.smoke"),
        (Response(301, 0.1), Stage.API, "HTTP 301", "redirects"),
    ],
)
def test_each_failure_has_its_stage_and_advice(
    response: Response | NoResponse, stage: Stage, message: str, hint: str
) -> None:
    failure = diagnose(response, REQUEST, ["A"], ORIGIN)
    assert failure is not None
    assert failure.stage is stage
    assert message in failure.message
    assert hint in (failure.hint or "")


@pytest.mark.parametrize("known", FAILURES, ids=lambda failure: f"{failure.type}-{failure.message[:30]}")
def test_every_failure_that_atlas_words_brings_its_own_advice(known: Any) -> None:
    failure = diagnose(atlas(known.type, known.message), REQUEST, (), ORIGIN)
    assert failure is not None
    assert failure.hint == known.hint
    assert failure.message == f"{known.type}: {known.message}"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"error": 1}', b'{"error": {"message": 1}}', b"[" * 100_000])
def test_an_error_without_words_is_named_by_its_type(body: bytes) -> None:
    failure = diagnose(Response(502, 0.1, {"atlas-error": "API_RequestError"}, body), REQUEST, (), ORIGIN)
    assert failure is not None
    assert failure.message == "API_RequestError"


def test_an_adapter_without_a_credential_is_advised_to_send_one() -> None:
    failure = diagnose(Response(401, 0.1), REQUEST, (), ORIGIN)
    assert failure is not None
    assert "the adapter sends none" in failure.message


@pytest.mark.parametrize(
    ("proof", "body", "passes"),
    [
        (Proof("ok", True), b'{"ok": true}', True),
        (Proof("ok", True), b'{"ok": false, "error": "invalid_auth"}', False),
        (Proof("data.viewer.id"), b'{"data": {"viewer": {"id": "u1"}}}', True),
        (Proof("data.viewer.id"), b'{"data": null}', False),
        (Proof("0.id"), b'[{"id": 1}]', True),
        (Proof("ok", True), b"not json", False),
    ],
)
def test_a_200_passes_only_with_the_proof_in_its_body(proof: Proof, body: bytes, *, passes: bool) -> None:
    failure = diagnose(Response(200, 0.1, {}, body), replace(REQUEST, proof=proof), ["A"], ORIGIN)
    assert (failure is None) == passes
    assert failure is None or failure.stage is Stage.AUTHORIZATION


def test_the_status_is_the_one_that_was_asked_for() -> None:
    assert diagnose(Response(204, 0.1), REQUEST, (), ORIGIN) is None
    assert diagnose(Response(404, 0.1), replace(REQUEST, status=404), (), ORIGIN) is None
    assert diagnose(Response(204, 0.1), replace(REQUEST, status=200), (), ORIGIN) is not None


def test_without_a_smoke_request_only_the_way_to_the_api_is_tested() -> None:
    unknown = replace(REQUEST, proves=False)
    assert diagnose(Response(404, 0.1), unknown, (), ORIGIN) is None
    assert diagnose(Response(401, 0.1), unknown, ["A"], ORIGIN) is not None
    assert diagnose(Response(503, 0.1), unknown, (), ORIGIN) is not None
