"""boto3, the AWS CLI and kubectl, unchanged, through an Atlas: moto checks signatures, an API server the token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mom.atlas.load import load
from mom.envoy.options import Listen, Options
from mom.run.variables import dummies
from mom.yamledit.source import Source
from tests.envoy.aws import at_loopback
from tests.envoy.certificates import Authority
from tests.envoy.conftest import server_context
from tests.envoy.running import free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.run.api_server import UID, ApiServer, kubeconfig
from tests.run.mom_run import atlas_yml, mom_run
from tests.run.test_kubernetes import with_kubernetes
from tests.run.test_stand_in import with_aws

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
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return an Atlas whose profile has the keys of a user that moto knows, and moto refuses all others."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    folder = tmp_path_factory.mktemp("moto")
    app = DomainDispatcherApplication(create_backend_app)
    hosts = [f"*.{REGION}.amazonaws.com", "iam.amazonaws.com"]
    server = make_server(
        "127.0.0.1", 0, app, threaded=True, ssl_context=server_context(authority.issue(*hosts), folder / "tls")
    )
    import threading

    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    key = es256()
    port = free_port()
    options = Options(
        listen=Listen("127.0.0.1", port), ca_file=str(authority.file), jwks={"keys.json": json.dumps(jwks(key))}
    )
    configuration = load(Source("atlas.yml", with_aws(atlas_yml({}) + "---\n")))
    environ = dummies(configuration)
    try:
        with running(configuration, options, folder, environ, at_loopback(server.server_port)):
            yield Gateway(port, key)
    finally:
        server.shutdown()
        thread.join()


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
        done = subprocess.run(get, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout.split() == ["namespace/default", "namespace/kube-system"], done.stderr
        uid = [*kubectl, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]
        done = subprocess.run(uid, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout == UID, done.stderr
        watch = [*kubectl, "get", "namespaces", "--watch-only", "-o", "name"]
        with subprocess.Popen(watch, env=environ, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline().strip() == "namespace/default"
            finally:
                process.terminate()
        other = [*kubectl[:-1], "x.y.z", "get", "namespaces"]
        done = subprocess.run(other, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0
