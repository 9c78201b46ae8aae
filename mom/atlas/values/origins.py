"""Origins of web pages (RFC 6454), as `spec.cors` lists them and as a browser writes them."""

from __future__ import annotations

import re

from mom.atlas.values.objection import Objection
from mom.gateway import DEFAULT_PORTS, is_this_machine

# In lower case, since a browser writes it so, and Envoy compares the text.
_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?\Z")
_FORM = "write the origin of the page, such as https://canvas.example.com"


def check_origin(text: str) -> Objection | None:
    """Return what is wrong with an origin from which browsers may call: https, or a page of this machine."""
    if text == "*":
        return Objection("`*` would let the pages of every site call with a token that they have", _FORM)
    if text == "null":
        return Objection("`null` is the origin of files and of sandboxed pages of every site", _FORM)
    match = _ORIGIN.match(text)
    if match is None:
        return Objection("it is not an origin as browsers write it", f"{_FORM}: in lower case, without a path")
    scheme, host, port = match.groups()
    if scheme == "http" and not is_this_machine(host.strip("[]")):
        return Objection("a page over plain http can be changed on its way", "use https, or a page of this machine")
    if port is not None and (not 0 < int(port) < 65_536 or int(port) == DEFAULT_PORTS[scheme] or port[0] == "0"):
        return Objection("browsers write no port that is the scheme's default, and none beyond 65535", "remove it")
    return None
