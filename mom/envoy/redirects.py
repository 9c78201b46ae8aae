"""References to an API's own origin in its responses, rewritten to lead through the gateway again.

A client that follows `Location: https://api.example.com/x` goes to the API itself: without the credential, and, since
the header is not one that clients leave out for another origin, with the access token, which opens every adapter.
So `Location`, `Content-Location` (RFC 9110, 10.2.2 and 8.7) and the targets of `Link` (RFC 8288) are rewritten:

| reference | becomes |
|---|---|
| to the API's own origin: absolute, network-path, path-absolute | the adapter's path, and what follows the base path |
| the same, but outside the base path | absolute: a path that no adapter has; path-absolute: untouched |
| relative, or to another host | untouched |

What results is path-absolute in a redirect, which every client resolves, and so is right whatever name the client uses
and whatever proxy is in front. Elsewhere an absolute reference stays absolute, with the `Host` that the client sent:
clients take the pages of `Link` as they are (PyGithub, python-gitlab and Octokit put their base URL before a path).
Where plain http is served to other machines, TLS may end in front of Atlas, and the scheme is not known: path-absolute.

The API's own origin is that of the base URL and that of a `Host` which the adapter sends. `http` of an https origin
counts too: servers behind a TLS proxy often get the scheme wrong, and the token would cross the network in clear text.

The script runs only for responses that have one of the headers: a filter around it looks for them, which costs half of
what an idle Lua handler does. What differs between adapters is in the metadata of their routes, and a filter keeps the
client's `Host`, which the router replaces. A filter with a regular expression for each route (header_to_metadata) costs
as much per request, and 20 KB and 0.1 ms of start for each route.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mom.atlas.adapters.http import HttpAdapter
from mom.envoy import headers
from mom.envoy.access_log import ADAPTER_METADATA
from mom.envoy.messages import Json, extension
from mom.envoy.options import Options
from mom.envoy.origins import Origin, split
from mom.gateway import DEFAULT_PORTS, HTTP_PREFIX, authority

# Where the filter state has the `Host` (`:authority`) that the client sent.
_AUTHORITY = "mom.authority"
_HEADERS = ("location", "content-location", "link")

_SCRIPT = """\
-- Return what a client must see instead of `reference` (RFC 3986, 4). `origin`: what an absolute one begins with.
local function at_gateway(reference, route, origin)
  local scheme, rest = reference:match("^(%a[%w+.-]*):(//.*)$")
  local authority, path = (rest or reference):match("^//([^/?#]*)(.*)$")
  if authority then
    authority = authority:match("@([^@]*)$") or authority
    local own = (" " .. route["own"] .. " "):find(" " .. authority:lower() .. " ", 1, true)
    if not own or authority:find("%s") then return reference end
    local schemes = " " .. (route["schemes"] or "http https") .. " "
    if scheme and not schemes:find(" " .. scheme:lower() .. " ", 1, true) then
      return reference
    end
  elseif reference:sub(1, 1) == "/" then
    path = reference
  else
    return reference
  end
  local base, prefix = route["base"] or "", (scheme and origin or "") .. (route["at"] or "PREFIX" .. route["adapter"])
  if path:sub(1, #base) == base then
    local following = path:sub(#base + 1)
    if following == "" or following:find("^[/?#]") then return prefix .. following end
  end
  -- No adapter's path, since no name has a colon in it.
  return authority and prefix .. "://" .. authority .. path or reference
end

-- Return the value of a `Link` header with every target rewritten, and nothing in quoted parameters.
local function links_at_gateway(value, route, origin)
  local parts, from = {}, 1
  while true do
    local start = value:find('[<"]', from)
    if not start then break end
    local stop
    if value:sub(start, start) == '"' then
      stop = start + 1
      while stop <= #value and value:sub(stop, stop) ~= '"' do
        stop = stop + (value:sub(stop, stop) == "\\\\" and 2 or 1)
      end
      parts[#parts + 1] = value:sub(from, stop)
    else
      stop = value:find(">", start, true)
      if not stop then break end
      parts[#parts + 1] = value:sub(from, start) .. at_gateway(value:sub(start + 1, stop - 1), route, origin) .. ">"
    end
    from = stop + 1
  end
  return table.concat(parts) .. value:sub(from)
end

-- Return the origin that the client sees, empty where that is not certain.
local function gateway_origin(handle)
  local authority = handle:streamInfo():filterState():get("AUTHORITY")
  if "SCHEME" == "" or not authority or not authority:find("^[%w.:%[%]-]+$") then return "" end
  return "SCHEME://" .. authority
end

function envoy_on_response(handle)
  local headers, metadata = handle:headers(), handle:metadata()
  if not metadata:get("adapter") then return end
  local route = {}
  for _, key in ipairs({"adapter", "at", "base", "own", "schemes"}) do route[key] = metadata:get(key) end
  local origin = gateway_origin(handle)
  local function rewrite(name, rewritten, at)
    local value = headers:get(name)
    if value then headers:replace(name, rewritten(value, route, at)) end
  end
  rewrite("location", at_gateway, headers:get(":status"):sub(1, 1) == "3" and "" or origin)
  rewrite("content-location", at_gateway, origin)
  rewrite("link", links_at_gateway, origin)
end
"""


def http_filters(options: Options) -> list[Json]:
    """Return the filters, which do something for routes with the metadata of `route_metadata`."""
    return [_keep_authority(), _when_present(_script(options))]


def _keep_authority() -> Json:
    text = {"text_format_source": {"inline_string": "%REQ(:AUTHORITY)%"}}
    value = {"object_key": _AUTHORITY, "factory_key": "envoy.string", "format_string": text}
    message = "envoy.extensions.filters.http.set_filter_state.v3.Config"
    return extension(_AUTHORITY, message, {"on_request_headers": [value]})


def _script(options: Options) -> Json:
    scheme = "https" if options.tls is not None else "http" if options.listen.is_loopback else ""
    replaced = {"PREFIX": HTTP_PREFIX, "AUTHORITY": _AUTHORITY, "SCHEME": scheme}
    script = re.sub("|".join(replaced), lambda match: replaced[match.group()], _SCRIPT)
    source = {"default_source_code": {"inline_string": script}}
    return extension(ADAPTER_METADATA, "envoy.extensions.filters.http.lua.v3.Lua", source)


def _when_present(script: Json) -> Json:
    """Return the filter around the script: it skips it for responses without any of the headers."""
    none = {"not_matcher": {"or_matcher": {"predicate": [_present(name) for name in _HEADERS]}}}
    skip = extension("skip", "envoy.extensions.filters.common.matcher.action.v3.SkipFilter")
    matcher = {"matcher_list": {"matchers": [{"predicate": none, "on_match": {"action": skip}}]}}
    # The name is the key of the metadata that the script sees.
    message = "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
    return extension(ADAPTER_METADATA, message, {"xds_matcher": matcher, "extension_config": script})


def route_metadata(adapter: HttpAdapter) -> dict[str, str]:
    """Return what the script must know of an adapter: its name, base path, and what counts as its own origin.

    What most adapters have is left out: four texts were a fifth of what Envoy does to read an adapter.
    """
    origin, base_path = split(adapter.base_url)
    origins = [origin]
    for header in adapter.headers:
        if headers.is_host(header):
            parts = urlsplit(f"{origin.scheme}://{header.value.strip()}")
            host = (parts.hostname or "").lower()
            origins.append(Origin(origin.scheme, host, parts.port or DEFAULT_PORTS[origin.scheme]))
    return {
        "adapter": adapter.name,
        "own": " ".join(dict.fromkeys(name for origin in origins for name in _authorities(origin))),
        **_different(origin, base_path),
    }


def own_metadata(origin: Origin, at: str, base_path: str = "") -> dict[str, str]:
    """Return the same, but for the name, of an adapter at the path `at`."""
    return {"at": at, "own": " ".join(_authorities(origin)), **_different(origin, base_path)}


def _different(origin: Origin, base_path: str) -> dict[str, str]:
    """Return what the script takes an adapter not to have: a base path, or an API over plain http alone."""
    return {**({"base": base_path} if base_path else {}), **({} if origin.scheme == "https" else {"schemes": "http"})}


def _authorities(origin: Origin) -> list[str]:
    if origin.port != DEFAULT_PORTS[origin.scheme]:
        return [authority(origin.host, origin.port)]
    ports = (None, 443, 80) if origin.scheme == "https" else (None, 80)
    return [authority(origin.host, port) for port in ports]


def _present(name: str) -> Json:
    response_header = extension("header", "envoy.type.matcher.v3.HttpResponseHeaderMatchInput", {"header_name": name})
    anything = {"safe_regex": {"google_re2": {}, "regex": ".*"}}
    return {"single_predicate": {"input": response_header, "value_match": anything}}
