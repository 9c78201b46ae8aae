"""The lists that Atlas serves itself, for callers who may not use every adapter: each sees those that it may use.

An adapter is in a caller's list if some entry of each list `allow` that concerns it has only claims that the token has.
Where each list has an entry without claims, the response is fixed. Else a script puts it together (Envoy: "Lua"), on
these routes alone; the fixed response has the adapters that everyone may use, and stays where the script fails.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from mom.atlas.policy import AllowList, Claim
from mom.envoy import claims
from mom.envoy.messages import Json, extension, typed

FILTER = "mom.lists"
_LUA = "envoy.extensions.filters.http.lua.v3"
_SCRIPT = """\
-- Whether a token has one of the values of a claim, alone or in a list.
local function has(claim, value)
  for _, segment in ipairs(claim.path) do
    if type(value) ~= "table" then return false end
    value = value[segment]
  end
  for _, wanted in ipairs(claim.values) do
    if value == wanted then return true end
    for key, each in pairs(type(value) == "table" and value or {}) do
      if type(key) == "number" and each == wanted then return true end
    end
  end
  return false
end

local function has_all(entry, token)
  for _, claim in ipairs(entry) do
    if not has(claim, token) then return false end
  end
  return true
end

local function meets(condition, token)
  for _, entry in ipairs(condition) do
    if has_all(entry, token) then return true end
  end
  return false
end

local function body_for(context, token)
  local met, items = {}, {}
  for number, condition in ipairs(context:get("conditions")) do met[number] = meets(condition, token) end
  for _, item in ipairs(context:get("items")) do
    local visible = true
    for _, number in ipairs(item.conditions) do visible = visible and met[number] end
    if visible then items[#items + 1] = item.text end
  end
  local inside = context:get("counted") and tostring(#items) or table.concat(items, ", ")
  return context:get("before") .. inside .. context:get("after")
end

function envoy_on_response(handle)
  if handle:headers():get(":status") ~= "200" then return end
  local verified = handle:streamInfo():dynamicMetadata():get("FILTER") or {}
  local made, body = pcall(body_for, handle:filterContext(), verified["CLAIMS"] or {})
  local response = handle:body()
  if made and response then response:setBytes(body) end
end
""".replace("FILTER", claims.FILTER).replace("CLAIMS", claims.CLAIMS)


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a list: its text, and the lists that say who may use what it is about."""

    text: str
    lists: Sequence[AllowList] = ()


@dataclass(frozen=True)
class Listing:
    """The body of a list: texts before and after the items; `counted`: their number is there instead of them."""

    before: str
    items: Sequence[Item]
    after: str
    counted: bool = False

    @cached_property
    def body(self) -> str:
        """The body with what everyone may see."""
        texts = [item.text for item in self.items if not _conditions(item)]
        return self.before + (str(len(texts)) if self.counted else ", ".join(texts)) + self.after

    def for_route(self) -> Json:
        """Return the `typed_per_filter_config` of the list's route; empty where everyone sees all of it."""
        conditions = list(dict.fromkeys(condition for item in self.items for condition in _conditions(item)))
        if not conditions:
            return {}
        numbers = {condition: number for number, condition in enumerate(conditions, start=1)}
        context = {
            "before": self.before,
            "after": self.after,
            "counted": self.counted,
            "conditions": [[[_claim(claim) for claim in entry] for entry in condition] for condition in conditions],
            "items": [
                {"text": item.text, "conditions": [numbers[condition] for condition in _conditions(item)]}
                for item in self.items
            ],
        }
        return {FILTER: typed(f"{_LUA}.LuaPerRoute", {"filter_context": context})}


def http_filter() -> Json:
    """Return the filter, which does nothing but on routes with the configuration of `Listing.for_route`."""
    source = {"default_source_code": {"inline_string": _SCRIPT}, "clear_route_cache": False}
    return {**extension(FILTER, f"{_LUA}.Lua", source), "disabled": True}


def around(value: Json, key: str) -> tuple[str, str]:
    """Return the JSON text of `value` before and after the value of `key`, the first of that name in it."""
    before, _, after = json.dumps(value).partition(f'"{key}": null')
    return f'{before}"{key}": ', f"{after}\n"


def _conditions(item: Item) -> list[tuple[tuple[Claim, ...], ...]]:
    """Return the sets of claims, for each list that concerns only callers with some."""
    if not item.lists:
        return []
    each = [tuple(entry.claims for entry in allow.entries) for allow in item.lists]
    return [condition for condition in each if all(condition)]


def _claim(claim: Claim) -> Json:
    return {"path": list(claim.path), "values": list(claim.values)}
