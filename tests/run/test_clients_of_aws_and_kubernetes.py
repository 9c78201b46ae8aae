"""boto3, the AWS CLI and kubectl, unchanged, through an Atlas: moto checks signatures, an API server the token."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mom.atlas.load import load
from mom.envoy import adapters
from mom.envoy.options import Listen, Options
from mom.yamledit.source import Source
from tests.envoy.aws import at_loopback
from tests.envoy.certificates import Authority
from tests.envoy.client import Client
from tests.envoy.conftest import server_context
from tests.envoy.running import free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream
from tests.run.api_server import UID, ApiServer, kubeconfig
from tests.run.mom_run import atlas_yml, mom_run, with_aws
from tests.run.test_kubernetes import with_kubernetes

pytestmark = pytest.mark.proof
BIN = Path(sys.executable).parent
REGION = "us-east-1"


@dataclass(frozen=True)
class Gateway:
    """An Atlas with an AWS adapter, in front of moto."""

    port: int
    key: Key

    def url(self, service: str) -> str:
        """Return the endpoint of a service."""
        return f"http://127.0.0.1:{self.port}/v1/apis/aws/prod/{service}/{REGION}"

    def client(self, service: str) -> Any:
        """Return a boto3 client with dummy keys, and the access token as session token."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.url({"sts": "sts", "s3": "s3", "sqs": "sqs", "dynamodb": "dynamodb"}[service]),
            region_name=REGION,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            aws_session_token=self.key.token(),
        )


@pytest.fixture(scope="module")
def moto(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, str]]:
    """Return the port of moto's AWS, which checks each signature, and the keys of the only user that it knows."""
    from moto import settings
    from moto.iam.models import iam_backends
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app = DomainDispatcherApplication(create_backend_app)
    hosts = [f"*.{REGION}.amazonaws.com", "iam.amazonaws.com"]
    context = server_context(authority.issue(*hosts), tmp_path_factory.mktemp("moto"))
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    users = iam_backends["123456789012"]["aws"]
    users.create_user(REGION, "atlas")
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}], "Version": "2012-10-17"}
    users.put_user_policy("atlas", "everything", json.dumps(everything))
    key = users.create_access_key("atlas")
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, key.access_key_id, key.secret_access_key
    finally:
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def atlas_before(port: int, key_id: str, secret: str, authority: Authority, folder: Path) -> Iterator[Gateway]:
    """Run an Atlas whose profile has these keys, with an AWS at a port of this machine."""
    key = es256()
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"keys.json": json.dumps(jwks(key))},
    )
    configuration = load(Source("atlas.yml", with_aws(atlas_yml({}))))
    given = {"AWS_ID": key_id, "AWS_SECRET": secret}
    environ = {**given, **adapters.environment(configuration.adapters, given)}
    with running(configuration, options, folder, environ, change=at_loopback(port)):
        yield Gateway(options.listen.port, key)


@pytest.fixture(scope="module")
def gateway(
    moto: tuple[int, str, str], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Return an Atlas whose profile has the keys of the user that moto knows."""
    with atlas_before(*moto, authority, tmp_path_factory.mktemp("atlas")) as made:
        yield made


def test_moto_refuses_other_keys_and_another_secret(
    moto: tuple[int, str, str], authority: Authority, tmp_path: Path
) -> None:
    from botocore.exceptions import ClientError

    port, key_id, secret = moto
    for given in (("any", "any"), (key_id, secret[::-1])):
        with (
            atlas_before(port, *given, authority, tmp_path / given[0]) as made,
            pytest.raises(ClientError, match=r"InvalidClientTokenId|SignatureDoesNotMatch"),
        ):
            made.client("sts").get_caller_identity()


def test_boto3_lists_queues_stores_items_and_streams_objects(gateway: Gateway) -> None:
    assert gateway.client("sts").get_caller_identity()["Account"].isdigit()
    sqs = gateway.client("sqs")
    sqs.create_queue(QueueName="jobs")
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    dynamodb = gateway.client("dynamodb")
    dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="t", Item={"id": {"S": "naïve"}})
    assert dynamodb.get_item(TableName="t", Key={"id": {"S": "naïve"}})["Item"] == {"id": {"S": "naïve"}}
    s3 = gateway.client("s3")
    s3.create_bucket(Bucket="bucket")
    body = os.urandom(1 << 20) * 9
    s3.put_object(Bucket="bucket", Key="a b/ü+~%.bin", Body=body)
    assert s3.get_object(Bucket="bucket", Key="a b/ü+~%.bin")["Body"].read() == body
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="bucket", Prefix="a b/")["Contents"]] == ["a b/ü+~%.bin"]
    upload = Path(os.environ.get("TMPDIR", "/tmp")) / f"mom-upload-{os.getpid()}"
    upload.write_bytes(body * 2)
    try:
        # In parts: above boto3's threshold of 8 MiB.
        s3.upload_file(str(upload), "bucket", "parts")
    finally:
        upload.unlink()
    assert s3.head_object(Bucket="bucket", Key="parts")["ContentLength"] == 2 * len(body)


def test_the_aws_cli_works_with_dummy_keys(gateway: Gateway, tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_SESSION_TOKEN": gateway.key.token(),
        "AWS_DEFAULT_REGION": REGION,
    }
    (tmp_path / "file").write_bytes(b"x" * 100_000)

    def aws(service: str, *arguments: str) -> str:
        command = [str(BIN / "aws"), "--endpoint-url", gateway.url(service), *arguments]
        done = subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert json.loads(aws("sts", "sts", "get-caller-identity"))["Account"].isdigit()
    aws("s3", "s3", "mb", "s3://from-the-cli")
    aws("s3", "s3", "cp", "file", "s3://from-the-cli/a/file")
    assert aws("s3", "s3", "cp", "s3://from-the-cli/a/file", "-") == "x" * 100_000


def test_mom_curl_reaches_aws(gateway: Gateway, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "MOM_HOME": str(tmp_path), "MOM_TOKEN": gateway.key.token()}
    command = [str(BIN / "mom"), "curl", "--base-url", f"http://127.0.0.1:{gateway.port}", "--fail", "--silent"]
    query = "?Action=GetCallerIdentity&Version=2011-06-15"
    path = f"/v1/apis/aws/prod/sts/{REGION}/{query}"
    done = subprocess.run([*command, path], env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert "<Account>123456789012</Account>" in done.stdout, done.stderr
    assert "user/atlas" in done.stdout
    queue = [*command, "--data", "Action=CreateQueue&QueueName=by-curl", f"/v1/apis/aws/prod/sqs/{REGION}/"]
    done = subprocess.run(queue, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert "/by-curl</QueueUrl>" in done.stdout, done.stderr


def test_a_presigned_url_of_boto3_is_refused(gateway: Gateway) -> None:
    s3 = gateway.client("s3")
    for method in ("get_object", "put_object"):
        url = s3.generate_presigned_url(method, Params={"Bucket": "bucket", "Key": "key"})
        parts = urlsplit(url)
        response = Client(gateway.port).send(f"{parts.path}?{parts.query}", token=gateway.key.token())
        assert (response.status, response.error) == (400, "API_RequestError")
        assert "presigned" in response.json()["error"]["message"]


class Redirecting(Upstream):
    """An S3 that says of each bucket that it is elsewhere."""

    def __init__(self, context: ssl.SSLContext, status: int, location: str) -> None:
        self.status, self.location = status, location
        super().__init__(context)

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        code = "PermanentRedirect" if self.status == 301 else "TemporaryRedirect"
        endpoint = self.location.removeprefix("https://")
        body = f"<Error><Code>{code}</Code><Endpoint>{endpoint}</Endpoint><Bucket>b</Bucket></Error>".encode()
        lines = [f"HTTP/1.1 {self.status} Whatever", f"Location: {self.location}/b/key", f"Content-Length: {len(body)}"]
        lines += ["x-amz-bucket-region: eu-west-1", "Content-Type: application/xml", "", ""]
        connection.sendall("\r\n".join(lines).encode() + (b"" if request.method == "HEAD" else body))
        return True


@pytest.mark.parametrize("status", [301, 307])
def test_boto3_takes_the_access_token_to_no_other_host(authority: Authority, tmp_path: Path, status: int) -> None:
    """S3 redirects to the region of a bucket, and boto3 follows what it says in several ways."""
    from botocore.exceptions import ClientError

    context = server_context(authority.issue(f"*.{REGION}.amazonaws.com"), tmp_path / "tls")
    with (
        Upstream() as elsewhere,
        Redirecting(context, status, f"http://127.0.0.1:{elsewhere.port}") as s3,
        atlas_before(s3.port, "id", "secret", authority, tmp_path / "atlas") as made,
    ):
        client = made.client("s3")
        calls: list[tuple[str, dict[str, Any]]] = [
            ("get_object", {"Key": "key"}),
            ("put_object", {"Key": "key", "Body": b"x" * 100_000}),
            ("head_bucket", {}),
            ("list_objects_v2", {}),
        ]
        for operation, arguments in calls:
            with pytest.raises(ClientError):
                getattr(client, operation)(Bucket="b", **arguments)
        assert len(s3.requests) >= 4
        assert elsewhere.requests == []
        assert {request.get("host")[0] for request in s3.requests} == {f"s3.{REGION}.amazonaws.com"}
        assert not [request for request in s3.requests if b"eyJ" in request.line or "eyJ" in str(request.headers)]


def test_kubectl_reads_and_watches_with_the_access_token(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-atlas")
    with (
        ApiServer(authority, tmp_path, "of-atlas") as server,
        mom_run(tmp_path, environ={"KUBECONFIG": str(tmp_path / "kubeconfig")}) as run,
    ):
        ca = {"certificate-authority": str(authority.file)}
        (tmp_path / "kubeconfig").write_text(kubeconfig(server.url, ca, {"tokenFile": "token"}))
        (tmp_path / "atlas.yml").write_text(with_kubernetes(atlas_yml({})))
        own = authority.issue("127.0.0.1").write(tmp_path, "own")
        # kubectl sends no token over plain http.
        run.start("--tls-cert", str(own.chain), "--tls-key", str(own.key))
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "other")}
        address = f"https://127.0.0.1:{run.port}/v1/apis/kubernetes"
        kubectl = [str(BIN / "kubectl"), "--server", address, "--certificate-authority", str(authority.file)]
        kubectl += ["--token", run.token()]
        get = [*kubectl, "get", "namespaces", "-o", "name"]
        done = subprocess.run(get, env=environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout.split() == ["namespace/default", "namespace/kube-system"], done.stderr
        uid = [*kubectl, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]
        done = subprocess.run(uid, env=environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout == UID, done.stderr
        watch = [*kubectl, "get", "namespaces", "--watch-only", "-o", "name"]
        with subprocess.Popen(watch, env=environ, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline().strip() == "namespace/default"
            finally:
                process.terminate()
        # Frames of a web socket: input, output, the end of the input and the status of the command.
        run_in_pod = [*kubectl, "exec", "-i", "pod", "--", "cat"]
        done = subprocess.run(
            run_in_pod, env=environ, input="héllo\n" * 9_000, capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stdout) == (0, "héllo\n" * 9_000), done.stderr
        failing = [*kubectl, "exec", "pod", "--", "false"]
        done = subprocess.run(failing, env=environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 7, done.stderr
        assert {request.get("authorization")[0] for request in server.seen("/exec")} == {"Bearer of-atlas"}
        as_other = [*kubectl, "--as", "admin", "get", "namespaces"]
        done = subprocess.run(as_other, env=environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode != 0
        assert "Forbidden" in done.stderr
        other = [*kubectl[:-1], "x.y.z", "get", "namespaces"]
        done = subprocess.run(other, env=environ, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode != 0
