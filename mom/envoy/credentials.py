"""Credentials that no fixed header can carry: Basic, which is encoded, and parameters of the query.

A Lua filter sets them, only on routes of adapters that have them: it is disabled elsewhere. A route says what by its
filter context, in the words of the configuration. The values come from Envoy's environment, as those of headers do, or
in headers of their own that `mom.envoy.secrets` sets; the script takes these out of the request.

header_mutation's `query_parameter_mutations` does not do: it decodes and sorts the client's whole query again. Here
every byte of it stays, but for the client's own parameters of these names, in every percent spelling. An error in the
script would let the request pass as the client sent it: so it runs protected, and a failure is a response with 503.

A value is in the path that the API sees. What the API repeats of it, in a header of its response, is masked; a
redirect to its own path loses the parameter, which the next request gets again. No log has the query.
"""

from __future__ import annotations

from collections.abc import Iterator

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.references import scan
from mom.atlas.values.headers import check_header_value
from mom.envoy import secrets
from mom.envoy.messages import Json, extension, typed
from mom.envoy.options import Options
from mom.problems import Place

FILTER = "mom.credentials"
_LUA = "envoy.extensions.filters.http.lua.v3"

_SCRIPT = """\
-- Return `text` with each reference replaced. `values`: those that do not come from the environment.
local function resolved(text, values)
  return (text:gsub("%${{[ \\t]*([%a_][%w_]*)[ \\t]*}}", function(name)
    local value = values[name] or os.getenv(name)
    return assert(value and value ~= "" and value, "unset")
  end))
end

-- Return what the request has in headers of this gateway's own, by the variable's name, and remove these.
local function taken(handle, context)
  local headers, values = handle:headers(), {}
  for number = 1, context:get("carried") or 0 do
    local name, header = context:get("carried" .. number), "CARRIER" .. number
    values[name] = headers:get(header) or ""
    headers:remove(header)
    -- For the response, which has no headers of the request. No log has this metadata.
    handle:streamInfo():dynamicMetadata():set("FILTER", name, values[name])
  end
  return values
end

-- Return the same once the request has been sent.
local function remembered(handle, context)
  local values, all = {}, handle:streamInfo():dynamicMetadata():get("FILTER") or {}
  for number = 1, context:get("carried") or 0 do
    local name = context:get("carried" .. number)
    values[name] = all[name] or ""
  end
  return values
end

local function encoded(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- Return the name of a parameter as a server reads it: decoded, without white space around it.
local function decoded_name(part)
  local name = part:match("^[^=]*"):gsub("+", " ")
  name = name:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  return name:match("^[%s%z]*(.-)[%s%z]*$")
end

-- Return a query without the parameters of which `names` has the name; every other byte stays.
local function without(query, names)
  local kept = {}
  for separator, part in ("&" .. query):gmatch("([&;])([^&;]*)") do
    if not names[decoded_name(part)] then kept[#kept + 1] = separator .. part end
  end
  return (table.concat(kept):gsub("^[&;]", "", 1))
end

local function parameters(context, variables)
  local names, values = {}, {}
  for number = 1, context:get("parameters") or 0 do
    local name = context:get("name" .. number)
    names[name] = true
    values[number] = { name = name, value = resolved(context:get("value" .. number), variables) }
  end
  return names, values
end

local function with_parameters(path, names, values)
  local before, query = path:match("^([^?]*)%??(.*)$")
  local parts = { without(query, names) }
  if parts[1] == "" then parts = {} end
  for _, each in ipairs(values) do parts[#parts + 1] = encoded(each.name) .. "=" .. encoded(each.value) end
  return before .. "?" .. table.concat(parts, "&")
end

local function set_credentials(handle)
  local headers, context = handle:headers(), handle:filterContext()
  local variables = taken(handle, context)
  local username = context:get("username")
  if username then
    local pair = resolved(username, variables) .. ":" .. resolved(context:get("password"), variables)
    headers:replace("authorization", "Basic " .. handle:base64Escape(pair))
  end
  local names, values = parameters(context, variables)
  if #values > 0 then headers:replace(":path", with_parameters(headers:get(":path"), names, values)) end
end

function envoy_on_request(handle)
  if not pcall(set_credentials, handle) then
    handle:respond({ [":status"] = "503" }, "credential")
  end
end

-- Return a reference without the parameters, where it has a query.
local function reference_without(reference, names)
  local before, query, fragment = reference:match("^([^?#]*)%?([^#]*)(.*)$")
  if not before then return reference end
  local rest = without(query, names)
  return before .. (rest == "" and "" or "?" .. rest) .. fragment
end

local function masked(value, secrets)
  for _, secret in ipairs(secrets) do
    local from = 1
    while #secret > 0 do
      local first, last = value:find(secret, from, true)
      if not first then break end
      value = value:sub(1, first - 1) .. "***" .. value:sub(last + 1)
      from = first + 3
    end
  end
  return value
end

-- Return each spelling of what must not be seen: the longest first, of which another may be a part.
local function spellings(handle, context, variables, values)
  local found = {}
  local function add(text, value)
    -- What the configuration itself says is no secret, and may be part of any header: `json`, `1`.
    if not text:find("${{", 1, true) then return end
    for _, each in ipairs({ value, encoded(value), encoded(value):lower() }) do found[#found + 1] = each end
  end
  for number, each in ipairs(values) do add(context:get("value" .. number), each.value) end
  local username = context:get("username")
  if username then
    local name, password = resolved(username, variables), resolved(context:get("password"), variables)
    found[#found + 1] = handle:base64Escape(name .. ":" .. password)
    add(context:get("password"), password)
    if password == "" then add(username, name) end
  end
  table.sort(found, function(one, other) return #one > #other end)
  return found
end

local _REFERENCES = { location = true, ["content-location"] = true }
-- What a client reads the response by, and no API repeats a credential in.
local _FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true }

local function hide_values(handle)
  local context = handle:filterContext()
  local variables = remembered(handle, context)
  local names, values = parameters(context, variables)
  local secrets, changed, all = spellings(handle, context, variables, values), {}, {}
  local headers = handle:headers()
  for name, value in pairs(headers) do
    local hidden = value
    if _REFERENCES[name] then hidden = reference_without(hidden, names) end
    if name == "link" then
      hidden = hidden:gsub("<([^>]*)>", function(target) return "<" .. reference_without(target, names) .. ">" end)
    end
    if name:sub(1, 1) ~= ":" and not _FRAMING[name] then hidden = masked(hidden, secrets) end
    if hidden ~= value then changed[name] = true end
    all[#all + 1] = { name, hidden }
  end
  for name in pairs(changed) do headers:remove(name) end
  for _, each in ipairs(all) do
    if changed[each[1]] then headers:add(each[1], each[2]) end
  end
end

function envoy_on_response(handle)
  if not pcall(hide_values, handle) then
    for _, name in ipairs({ "location", "content-location", "link" }) do handle:headers():remove(name) end
  end
end
"""


def http_filter() -> Json:
    """Return the filter, which does nothing but on routes with the configuration that `for_route` gives."""
    script = _SCRIPT.replace("CARRIER", secrets.CARRIER).replace("FILTER", FILTER)
    source = {"default_source_code": {"inline_string": script}, "clear_route_cache": False}
    return {**extension(FILTER, f"{_LUA}.Lua", source), "disabled": True}


def problems(adapter: HttpAdapter) -> Iterator[tuple[Place, str, str]]:
    """Yield the place, the rule and the message of what cannot be sent as it is written."""
    given = [(setting.place, setting.value) for setting in adapter.basic_auth.settings()] if adapter.basic_auth else []
    given += [(parameter.place, parameter.value) for parameter in adapter.query]
    for place, value in given:
        if wrong := check_header_value(value):
            yield place, "credential-value", wrong.message
    if adapter.basic_auth and any(isinstance(part, str) and ":" in part for part in scan(adapter.basic_auth.username)):
        yield adapter.basic_auth.place, "credential-value", "a user name of Basic authentication has no colon"
    seen: set[str] = set()
    for parameter in adapter.query:
        if parameter.name in seen:
            yield parameter.place, "repeated-parameter", f"the parameter `{parameter.name}` is set twice"
        seen.add(parameter.name)


def texts(adapter: HttpAdapter) -> list[str]:
    """Return the texts with references that the script fills in."""
    basic = adapter.basic_auth
    pair = [] if basic is None else [basic.username, basic.password]
    return [*pair, *(parameter.value for parameter in adapter.query)]


def for_route(adapter: HttpAdapter, options: Options) -> Json:
    """Return the `typed_per_filter_config` of an adapter's routes: what the filter sets, empty for nothing."""
    context: Json = {}
    names = secrets.carried(texts(adapter), options)
    if names:
        context["carried"] = len(names)
        context |= {f"carried{number}": name for number, name in enumerate(names, start=1)}
    if adapter.basic_auth is not None:
        context |= {"username": adapter.basic_auth.username, "password": adapter.basic_auth.password}
    if adapter.query:
        context["parameters"] = len(adapter.query)
    for number, parameter in enumerate(adapter.query, start=1):
        context |= {f"name{number}": parameter.name, f"value{number}": parameter.value}
    return {FILTER: typed(f"{_LUA}.LuaPerRoute", {"filter_context": context})} if context else {}
