"""Requests to AWS are signed with the profile in their path, or not sent; botocore recomputes each signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mom.atlas.load import load
from mom.atlas.model import Configuration
from mom.envoy import adapters
from mom.envoy.explain import explain
from mom.envoy.options import Listen, Options
from mom.gateway import APIS_PATH
from mom.run.credentials import Credentials
from mom.yamledit.source import Source
from tests.envoy.aws import at_loopback, check_signature
from tests.envoy.certificates import Authority
from tests.envoy.client import Response
from tests.envoy.configurations import AUDIENCE, file_of
from tests.envoy.conftest import server_context
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream

FILE = file_of(
    "AWS",
    "aws",
    """\
  services: [s3, sqs, iam, monitoring, kms]
  profiles:
  - name: prod
    accessKeyId: ${{ PROD_ID }}
    secretAccessKey: ${{ PROD_SECRET }}
    sessionToken: ${{ PROD_TOKEN }}
    region: eu-west-1
  - name: dev
    accessKeyId: AKIADEV
    secretAccessKey: ${{ DEV_SECRET }}
""",
    more="""\
  allow:
  - {methods: [GET, PUT, POST], paths: [/**]}
  - {methods: [DELETE], paths: [/prod/sqs/**, /other/**]}
""",
)
ENVIRON = {"PROD_ID": "AKIAPROD", "PROD_SECRET": "s3cret/prod+x=", "PROD_TOKEN": "tok/en==", "DEV_SECRET": "s3cretdev"}
# Not that of kms in eu-west-1.
HOSTS = (
    "s3.eu-west-1.amazonaws.com",
    "sqs.eu-west-1.amazonaws.com",
    "monitoring.eu-west-1.amazonaws.com",
    "*.us-east-1.amazonaws.com",
    "iam.amazonaws.com",
)
PROD, DEV = ("AKIAPROD", "s3cret/prod+x="), ("AKIADEV", "s3cretdev")


@dataclass(frozen=True)
class Aws:
    """An Atlas with an AWS adapter, and the server that takes the place of every endpoint."""

    envoy: Running
    api: Upstream
    key: Key
    configuration: Configuration

    def send(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Response:
        """Send a request below the adapter with a good token."""
        path = f"/v1/apis/aws/{path}"
        return self.envoy.client.send(path, *headers, token=self.key.token(), method=method, body=body)

    def reached(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Request:
        """Send it, and return what AWS got."""
        before = len(self.api.requests)
        response = self.send(path, *headers, method=method, body=body)
        assert response.status == 200, response
        (request,) = self.api.requests[before:]
        return request


@pytest.fixture(scope="module")
def aws(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Return it. The profile `unset` has a route and no credentials, as if mom had not noticed."""
    folder = tmp_path_factory.mktemp("aws")
    text = FILE + "  - {name: unset, accessKeyId: x, secretAccessKey: y}\n"
    configuration = load(Source("atlas.yml", text))
    given, _ = Credentials(ENVIRON).values(configuration.adapters)
    signing = adapters.environment(configuration.adapters, given)
    environ = {**given, **signing, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    del environ["aws.unset"]
    key = es256()
    listen = Listen("127.0.0.1", free_port())
    keys = {"keys.json": json.dumps(jwks(key))}
    options = Options(listen=listen, ca_file=str(authority.file), jwks=keys, access_log="-")
    with (
        Upstream(server_context(authority.issue(*HOSTS), folder / "tls")) as api,
        running(configuration, options, folder, environ, change=at_loopback(api.port)) as envoy,
    ):
        yield Aws(envoy, api, key, configuration)


@pytest.mark.parametrize(
    ("path", "key", "scope", "sent"),
    [
        ("prod/sqs/eu-west-1/", PROD, ("sqs", "eu-west-1"), "sqs.eu-west-1.amazonaws.com/"),
        ("dev/sqs/us-east-1/", DEV, ("sqs", "us-east-1"), "sqs.us-east-1.amazonaws.com/"),
        ("prod/iam/eu-west-1", PROD, ("iam", "us-east-1"), "iam.amazonaws.com/"),
        ("prod/monitoring/eu-west-1/", PROD, ("monitoring", "eu-west-1"), "monitoring.eu-west-1.amazonaws.com/"),
        (
            "dev/s3/us-east-1/bucket/a%20b/c%2Bd%2Fe//f~?prefix=x%2Fy&list-type=2&empty&p=%20a",
            DEV,
            ("s3", "us-east-1"),
            "s3.us-east-1.amazonaws.com/bucket/a%20b/c%2Bd%2Fe//f~?prefix=x%2Fy&list-type=2&empty&p=%20a",
        ),
        (
            "prod/sqs/eu-west-1/a%20b/%2F//c?b=2&a=1&a=0",
            PROD,
            ("sqs", "eu-west-1"),
            "sqs.eu-west-1.amazonaws.com/a%20b/%2F//c?b=2&a=1&a=0",
        ),
    ],
)
def test_a_request_is_signed_for_the_endpoint_of_its_path(
    aws: Aws, path: str, key: tuple[str, str], scope: tuple[str, str], sent: str
) -> None:
    request = aws.reached(path, "X-Amz-Target: Queue.List", "Content-Type: application/x-amz-json-1.0", "User-Agent: x")
    assert check_signature(request, *key, token=ENVIRON["PROD_TOKEN"] if key == PROD else None) == scope
    assert request.get("host")[0] + request.target == sent
    assert "atlas-accesstoken" not in request.names


@pytest.mark.parametrize("size", [5, 3_000_000])
@pytest.mark.parametrize("path", ["prod/s3/eu-west-1/bucket/key", "dev/sqs/us-east-1/"])
def test_a_body_is_sent_as_it_is(aws: Aws, path: str, size: int) -> None:
    body = (b"0123456789" * (size // 10 + 1))[:size]
    request = aws.reached(path, method="PUT", body=body)
    key, token = (PROD, ENVIRON["PROD_TOKEN"]) if path.startswith("prod") else (DEV, None)
    check_signature(request, *key, token=token)
    assert request.body == body


def test_the_clients_own_signature_is_replaced(aws: Aws) -> None:
    theirs = (
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=dummy/20200101/us-east-1/sqs/aws4_request, SignedHeaders=host, "
            "Signature=00"
        ),
        "X-Amz-Date: 20200101T000000Z",
        "X-Amz-Content-Sha256: 00",
        "X-Amz-Security-Token: theirs",
        "X_Amz_Security_Token: theirs",
    )
    for path, key, token in (("prod/sqs/eu-west-1/", PROD, ENVIRON["PROD_TOKEN"]), ("dev/sqs/us-east-1/", DEV, None)):
        check_signature(aws.reached(path, *theirs, method="POST", body=b"x"), *key, token=token)


@pytest.mark.parametrize(
    ("path", "key", "token"),
    [("prod/sqs/eu-west-1/", PROD, ENVIRON["PROD_TOKEN"]), ("dev/s3/us-east-1/b/k", DEV, None)],
)
def test_the_access_token_may_be_where_aws_clients_send_a_session_token(
    aws: Aws, path: str, key: tuple[str, str], token: str | None
) -> None:
    before = len(aws.api.requests)
    theirs = f"X-Amz-Security-Token: {aws.key.token()}"
    assert aws.envoy.client.send(f"/v1/apis/aws/{path}", theirs).status == 200
    (request,) = aws.api.requests[before:]
    check_signature(request, *key, token=token)
    assert aws.envoy.client.send(f"/v1/apis/aws/{path}", f"{theirs[:-20]}{'A' * 20}").status == 401


@pytest.mark.parametrize("path", ["unset/s3/us-east-1/bucket/key", "unset/sqs/us-east-1/"])
@pytest.mark.parametrize("body", [b"", b"x"])
def test_a_request_that_cannot_be_signed_is_not_sent(aws: Aws, path: str, body: bytes) -> None:
    before = len(aws.api.requests)
    response = aws.send(path, "Authorization: AWS4-HMAC-SHA256 Credential=dummy/x", method="PUT", body=body)
    assert (response.status, response.error) == (503, "API_CredentialUnavailableError")
    assert len(aws.api.requests) == before


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("", "profiles: prod, dev, unset"),
        ("other/s3/us-east-1/", "profiles: prod, dev, unset"),
        ("prod", "services with the profile prod: s3, sqs, iam, monitoring, kms"),
        ("prod/sqss/eu-west-1/", "services with the profile prod: s3, sqs, iam, monitoring, kms"),
        ("prod/sqs/us-east-1/", "regions of sqs with the profile prod: eu-west-1"),
        ("prod/sqs/eu-west-1a/", "regions of sqs with the profile prod: eu-west-1"),
        ("prod/sqs", "regions of sqs with the profile prod: eu-west-1"),
    ],
)
def test_what_is_not_served_is_refused_with_what_is(aws: Aws, path: str, known: str) -> None:
    response = aws.send(path)
    assert (response.status, response.error) == (404, "API_NoMatchingInstanceError")
    assert response.json()["error"]["message"] == f"AWS is reached at /v1/apis/aws/PROFILE/SERVICE/REGION/; {known}"
    assert aws.envoy.client.send(f"/v1/apis/aws/{path}").status == 401


def test_explain_says_what_envoy_does(aws: Aws) -> None:
    seen = set()
    for method in ("GET", "DELETE"):
        for path in ("", "x", "other", "other/s3/us-east-1/", "prod", "prod/", "prod/sqss/eu-west-1/", "prod/sqs"):
            seen.add(compare(aws, method, path))
        for path in (
            "prod/sqs/us-east-1/",
            "prod/sqs/eu-west-1a/",
            "prod/sqs/eu-west-1",
            "prod/iam/eu-west-1/?Action=x",
        ):
            seen.add(compare(aws, method, path))
    assert seen == {200, 403, 404}


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Security-Token={}&X-Amz-Signature=00",
        "x-amz-security-token={}",
        "X%2DAmz-Security%2dToken={}",
        "%78-%41mz-Security-Token={}",
        "list-type=2;X-Amz-Security-Token={}",
        "x=&X-Amz-Credential&y={}",
        "AWSAccessKeyId=any&token={}",
    ],
)
def test_a_presigned_url_does_not_show_the_access_token_to_aws(aws: Aws, query: str) -> None:
    before = len(aws.api.requests)
    path = f"dev/s3/us-east-1/bucket/key?{query.format(aws.key.token())}"
    assert compare(aws, "GET", path) == 400
    assert aws.envoy.client.send(f"/v1/apis/aws/{path}").status == 401
    assert len(aws.api.requests) == before


def test_the_name_of_a_part_of_a_signature_may_be_in_a_value(aws: Aws) -> None:
    query = "prefix=X-Amz-Signature&X-Amz-Signatures=1&x=AWSAccessKeyId"
    assert aws.reached(f"dev/s3/us-east-1/bucket?{query}").target == f"/bucket?{query}"
    assert compare(aws, "GET", f"dev/s3/us-east-1/bucket?{query}") == 200


@pytest.mark.parametrize(
    "path",
    [
        "prod/sqs/eu-west-1/../../../dev/sqs/us-east-1/",
        "prod/sqs/eu-west-1/%2e%2e/",
        "prod/sqs/eu-west-1/..;/",
        "prod/sqs/eu-west-1\\..\\",
        "prod//sqs/eu-west-1/",
        "/prod/sqs/eu-west-1/",
        "PROD/sqs/eu-west-1/",
        "prod/SQS/eu-west-1/",
        "prod%2fsqs/eu-west-1/",
        "%70rod/sqs/eu-west-1/",
        "prod/sqs/eu-west-1;x/",
        "prod;x/sqs/eu-west-1/",
        "prod/sqs/eu-west-1%20/",
    ],
)
def test_no_spelling_of_a_path_leads_to_another_endpoint(aws: Aws, path: str) -> None:
    before = len(aws.api.requests)
    assert aws.send(path).status in {400, 404}
    assert compare(aws, "DELETE", path) in {400, 403, 404}
    assert len(aws.api.requests) == before


def test_no_header_leads_to_another_endpoint(aws: Aws) -> None:
    other = "iam.amazonaws.com"
    names = ("X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Envoy-Original-Dst-Host", "X-Amz-Host")
    request = aws.reached("dev/s3/us-east-1/b/k", *(f"{name}: {other}" for name in names))
    assert request.get("host") == ["s3.us-east-1.amazonaws.com"]
    check_signature(request, *DEV)
    request = aws.reached("dev/s3/us-east-1/b/k", "Connection: authorization, x-amz-date, x-amz-content-sha256")
    check_signature(request, *DEV)


def test_a_narrowed_token_opens_the_adapter_and_no_part_of_it(aws: Aws) -> None:
    def status(audience: str, path: str) -> int:
        return aws.envoy.client.send(path, token=aws.key.token(aud=f"{AUDIENCE}{audience}")).status

    path = "/v1/apis/aws/dev/s3/us-east-1/b"
    assert status("/v1/apis/aws", path) == 200
    assert status("/v1/apis/aws", APIS_PATH) == 403
    for other in ("/v1/apis/aws/dev", "/v1/apis/http/aws", "/v1/apis/aw", "/v1/apis/aws/dev/s3/us-east-1"):
        assert status(other, path) == 401


def test_no_connection_to_aws_is_upgraded(aws: Aws) -> None:
    """It would outlive its token and every revocation."""
    before = len(aws.api.requests)
    response = aws.send("dev/s3/us-east-1/b/k", "Upgrade: websocket", "Connection: Upgrade")
    assert (response.status, response.error) == (403, "API_RequestError")
    assert "web socket" in response.json()["error"]["message"]
    assert len(aws.api.requests) == before


def compare(aws: Aws, method: str, path: str) -> int:
    """Hold Envoy's response against the verdict, and return its status."""
    response = aws.send(path, method=method)
    verdict = explain(aws.configuration, method, f"/v1/apis/aws/{path}", {})
    assert (verdict.status, verdict.error, verdict.allowed) == (
        response.status,
        response.error or "",
        response.status == 200,
    )
    if response.status == 404 and response.json()["error"]["message"].startswith("AWS"):
        assert response.json()["error"]["message"] == verdict.reason
    return response.status


@pytest.mark.parametrize("digest", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_a_body_in_chunks_of_the_clients_own_is_refused_with_the_setting_that_helps(aws: Aws, digest: str) -> None:
    before = len(aws.api.requests)
    chunks = b"2\r\nhi\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n"
    headers = (f"X-Amz-Content-Sha256: {digest}", "Content-Encoding: aws-chunked")
    response = aws.send("dev/s3/us-east-1/b/k", *headers, method="PUT", body=chunks)
    assert (response.status, response.error) == (400, "API_RequestError")
    assert "AWS_REQUEST_CHECKSUM_CALCULATION=when_required" in response.json()["error"]["message"]
    assert len(aws.api.requests) == before


def test_redirects_to_the_endpoint_stay_at_the_gateway(aws: Aws) -> None:
    location = "https://s3.us-east-1.amazonaws.com/bucket/other"
    response = aws.send(f"dev/s3/us-east-1/say?307&Location={location}")
    assert response.headers["location"] == "/v1/apis/aws/dev/s3/us-east-1/bucket/other"


def test_the_list_of_apis_says_what_can_be_in_a_path(aws: Aws) -> None:
    (listed,) = aws.envoy.client.send(APIS_PATH, token=aws.key.token()).json()["apis"]
    assert listed == {
        "kind": "AWS",
        "name": "aws",
        "path": "/v1/apis/aws/",
        "profiles": [
            {"name": "prod", "regions": ["eu-west-1"]},
            {"name": "dev", "regions": ["us-east-1"]},
            {"name": "unset", "regions": ["us-east-1"]},
        ],
        "services": ["s3", "sqs", "iam", "monitoring", "kms"],
        "instance": "atlas",
    }


def test_no_credential_is_in_a_file_or_in_the_log(aws: Aws) -> None:
    texts = [path.read_text(errors="replace") for path in aws.envoy.folder.iterdir() if path.is_file()]
    assert len(texts) > 1
    for secret in (*PROD, *DEV[1:], ENVIRON["PROD_TOKEN"]):
        assert not any(secret in text for text in texts)


def test_a_certificate_of_another_host_is_refused(aws: Aws) -> None:
    before = len(aws.api.requests)
    response = aws.send("prod/kms/eu-west-1/")
    assert (response.status, response.error) == (502, "API_UpstreamCertificateError")
    assert len(aws.api.requests) == before
