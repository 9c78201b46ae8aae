"""What the routes of all kinds have in common: how a request is forwarded."""

from __future__ import annotations

import re

from mom.envoy.messages import Json

# Of every route that has no other: only what the API cannot have begun to process (RFC 9110, 9.2.2 forbids to repeat
# the rest for any method).
RETRIES: Json = {"retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 4}


def action(prefix: str, authority: str, base_path: str, timeout: float | None) -> Json:
    """Return the part of a route's action that is about the request and its time, without the cluster.

    authority: the `Host` that the API sees. base_path: what replaces `prefix`. timeout: seconds until the API must have
    responded in full, None for no limit.
    """
    return {
        "timeout": "0s" if timeout is None else f"{timeout:.3f}s",
        # An event stream or a watch may be silent for long.
        "idle_timeout": "3600s",
        "host_rewrite_literal": authority,
        **_rewrite(prefix, base_path),
    }


def _rewrite(prefix: str, base_path: str) -> Json:
    """Return what replaces the prefix. Without a base path a plain prefix rewrite to `/` would give `//x`."""
    if base_path:
        return {"prefix_rewrite": base_path}
    return {"regex_rewrite": {"pattern": {"regex": f"^{re.escape(prefix)}/?"}, "substitution": "/"}}
