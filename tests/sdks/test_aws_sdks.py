"""boto3 and the AWS CLI by what mom exec sets, through a real Atlas whose stand-ins show what AWS would get."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden import MOM
from tests.run.mom_run import MomRun, mom_run

pytestmark = pytest.mark.proof

FOLDER = Path(sys.executable).parent.parent / "sdks" / "bin"
ADAPTER = {
    "apiVersion": "moment.dev/adapters/v1alpha1",
    "kind": "AWS",
    "metadata": {"name": "aws"},
    "spec": {
        "services": ["sqs"],
        "regions": ["eu-west-1"],
        "profiles": [{"name": "prod", "accessKeyId": "${{ PROD_ID }}", "secretAccessKey": "${{ PROD_SECRET }}"}],
    },
}
ENDPOINT = "/prod/sqs/eu-west-1"
BOTO3 = f"""
import os, boto3
client = boto3.client("sqs", endpoint_url=os.environ["ATLAS_AWS_URL"] + "{ENDPOINT}", region_name="eu-west-1")
client.meta.events.register("after-call", lambda http_response, **_: print(http_response.text))
client.list_queues()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MomRun]:
    with mom_run(tmp_path_factory.mktemp("aws")) as started:
        started.configure({})
        file = started.folder / "atlas.yml"
        atlas = json.loads(file.read_text())
        atlas["spec"]["apiAdapters"] = [
            {"adapterRef": {"apiVersion": ADAPTER["apiVersion"], "kind": "AWS", "name": "aws"}}
        ]
        file.write_text("\n---\n".join([json.dumps(atlas), json.dumps(ADAPTER)]) + "\n")
        started.start("--stand-in")
        yield started


def execute(run: MomRun, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [MOM, "exec", "--base-url", f"http://127.0.0.1:{run.port}", "--adapter", "aws", "--", *map(str, words)]
    return subprocess.run(
        command, env={**run.environ, "HOME": str(run.folder)}, capture_output=True, text=True, check=False
    )


def test_boto3_is_signed_by_atlas_and_its_token_reaches_nobody(run: MomRun) -> None:
    done = execute(run, FOLDER / "python", "-c", BOTO3)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["url"].startswith("https://sqs.eu-west-1.amazonaws.com/")
    headers = {each["name"]: each["value"] for each in shown["headers"]}
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=stand-in-for-PROD_ID/")
    assert "/eu-west-1/sqs/aws4_request" in headers["authorization"]
    assert "x-amz-security-token" not in headers
    # An access token has the form of a JWT, whose header begins so.
    assert "eyJ" not in done.stdout


def test_the_aws_cli_works_as_it_is(run: MomRun) -> None:
    script = f'{FOLDER}/aws sqs list-queues --region eu-west-1 --endpoint-url "$ATLAS_AWS_URL{ENDPOINT}"'
    done = execute(run, "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    # With no token it is refused, so it was the token that let it in.
    refused = execute(run, "sh", "-c", f"AWS_SESSION_TOKEN=none; export AWS_SESSION_TOKEN; {script}")
    assert refused.returncode != 0
