"""Whether an Atlas responds at its own address: the last step of a start."""

from __future__ import annotations

import http.client
import ssl

from mom.envoy.options import Listen
from mom.gateway import HEALTH_PATH
from mom.run.plan import Plan

_SECONDS = 3.0


def is_healthy(plan: Plan) -> bool:
    """Whether `/healthz` responds there."""
    listen = plan.options.listen
    host = listen.near
    connection: http.client.HTTPConnection
    if plan.options.tls is None:
        connection = http.client.HTTPConnection(host, listen.port, timeout=_SECONDS)
    else:
        # A process of this run, at an address of its own; nothing secret is sent.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, listen.port, timeout=_SECONDS, context=context)
    try:
        connection.request("GET", HEALTH_PATH, headers={"Host": str(Listen(host, listen.port))})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
