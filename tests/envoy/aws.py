"""AWS for tests: endpoints on loopback in the place of the real ones, and botocore's opinion of a signature."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mom.envoy.messages import Json
from tests.envoy.upstream import Request

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})\Z"
)


def at_loopback(port: int) -> Callable[[Json], Json]:
    """Return a change of a bootstrap: connections to AWS end at a port of this machine, with TLS and all else kept."""

    def change(bootstrap: Json) -> Json:
        for cluster in bootstrap["static_resources"]["clusters"]:
            if cluster["name"] == "https#aws":
                del cluster["cluster_type"], cluster["lb_policy"]
                cluster["type"] = "STATIC"
                address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
                endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
                cluster["load_assignment"] = {"cluster_name": cluster["name"], "endpoints": endpoints}
        return bootstrap

    return change


def check_signature(request: Request, key_id: str, secret: str, *, token: str | None = None) -> tuple[str, str]:
    """Have botocore sign what an API got, and compare. Return the signing name and the region."""
    (authorization,) = request.get("authorization")
    given = AUTHORIZATION.match(authorization)
    assert given, authorization
    assert given["id"] == key_id
    assert request.get("x-amz-security-token") == ([] if token is None else [token])
    (date,) = request.get("x-amz-date")
    (digest,) = request.get("x-amz-content-sha256")
    assert digest in {"UNSIGNED-PAYLOAD", hashlib.sha256(request.body).hexdigest()}
    names = given["headers"].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names)
    assert {name for name in request.names if name.startswith("x-amz-")} <= set(names)
    (host,) = request.get("host")
    signed = AWSRequest(request.method, f"https://{host}{request.target}", data=request.body)
    for name in names:
        signed.headers[name] = ",".join(request.get(name))
    signed.context["timestamp"] = date
    signed.context["client_config"] = None
    kind = S3SigV4Auth if given["service"] == "s3" else SigV4Auth
    signer = kind(Credentials(key_id, secret), given["service"], given["region"])
    canonical = signer.canonical_request(signed)
    assert canonical.endswith(f"\n{digest}")
    assert signer.signature(signer.string_to_sign(signed, canonical), signed) == given["signature"], canonical
    return given["service"], given["region"]
