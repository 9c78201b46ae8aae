"""Adapters of kind Moment: the service catalog of the original, whose contents come from GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.adapters.other_content import OtherContent
from mom.atlas.documents import DataDocument, text_at, value_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.ownership import OwnDocument
from mom.atlas.references import only_reference
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.value_rules import check_base_url, check_credential
from mom.problems import Place, Problem
from mom.yamledit.data import Data
from mom.yamledit.nodes import get
from mom.yamledit.shape import Value
from mom.yamledit.source import Source

MOMENT = Kind(ADAPTERS_VERSION, "Moment")
_GITHUB = ("spec", "catalog", "github")
_KEYS = ("accessToken", "baseUrl", "discoverySchedule")


@dataclass(frozen=True, slots=True)
class MomentAdapter:
    """A service catalog. `base_url` and `access_token` are GitHub's, None where the catalog has no such source."""

    name: str
    base_url: str | None
    access_token: Setting | None
    place: Place
    kind: str = MOMENT.kind


def check_schedule(text: str) -> bool:
    """Whether a schedule is one that the schema accepts."""
    github = KIND.schema()["properties"]["spec"]["properties"]["catalog"]["properties"]["github"]
    return re.search(github["properties"]["discoverySchedule"]["pattern"], text) is not None


@dataclass(frozen=True, slots=True)
class MomentAdapterSpec:
    """A Moment adapter to be written (`mom.atlas.edit.spec`): the catalog's source on GitHub.

    variable: that of the access token. schedule: when to look for changes, None for the default.
    """

    name: str
    base_url: str
    variable: str
    schedule: str | None = None
    kind: Kind = MOMENT
    list_key: None = None
    instead: str = "--adapter-name"

    def spec(self) -> dict[str, Value]:
        """Return the catalog, the keys of its source in alphabetical order as the original writes them."""
        github: dict[str, Value] = {"accessToken": f"${{{{ {self.variable} }}}}", "baseUrl": self.base_url}
        if self.schedule is not None:
            github["discoverySchedule"] = self.schedule
        return {"catalog": {"github": github}}

    def missing_items(self, data: Data) -> Sequence[Value]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
        """Return a problem for each key of the source that is not what was asked for. The token is not repeated."""
        other = OtherContent(source, existing, data)
        node = get(existing.root, *_GITHUB)
        asked: dict[str, str | None] = {
            "accessToken": f"${{{{ {self.variable} }}}}",
            "baseUrl": self.base_url,
            "discoverySchedule": self.schedule,
        }
        for key, wanted in asked.items():
            value = value_at(data, *_GITHUB, key)
            same = only_reference(value) == self.variable if key == "accessToken" else value == wanted
            if not same:
                path = ".".join((*_GITHUB, key))
                message = f"`{key}` was not asked for" if wanted is None else f"`{key}` is not {wanted}"
                other.add(get(node, key) or node, path, message, secret=key == "accessToken")
        return other.problems


class MomentKind(AdapterKind[MomentAdapter]):
    """The kind Moment."""

    kind = MOMENT
    target_label = "base URL"

    def command_words(self, name: str, document: Data) -> list[str] | None:
        """Return the command with the source on GitHub, whose token is one reference."""
        spec = value_at(document, "spec")
        token, url, schedule = (text_at(document, *_GITHUB, key) for key in _KEYS)
        variable = only_reference(token)
        if url is None or variable is None:
            return None
        github = value_at(document, *_GITHUB)
        if not isinstance(github, dict) or spec != {"catalog": {"github": github}} or github.keys() - set(_KEYS):
            return None
        words = [*self.adding(name), "--access-token", variable, "--base-url", url]
        return words if schedule is None else [*words, "--discovery-schedule", schedule]

    def check(self, findings: Findings) -> None:
        """Add what is wrong with the source on GitHub."""
        check_base_url(findings, (*_GITHUB, "baseUrl"))
        check_credential(findings, (*_GITHUB, "accessToken"))

    def read(self, document: DataDocument) -> MomentAdapter:
        """Return the adapter in a document that has passed validation."""
        key = (*_GITHUB, "accessToken")
        token = text_at(document.data, *key)
        setting = Setting("catalog.github.accessToken", token, document.place(key)) if token else None
        return MomentAdapter(
            name=document.name or "",
            base_url=text_at(document.data, *_GITHUB, "baseUrl"),
            access_token=setting,
            place=document.place(("metadata", "name")),
        )

    def target(self, adapter: MomentAdapter) -> str:
        """Return the base URL of GitHub's API."""
        return adapter.base_url or ""

    def settings(self, adapter: MomentAdapter) -> Iterator[Setting]:
        """Yield GitHub's token."""
        if adapter.access_token is not None:
            yield adapter.access_token


KIND = MomentKind()
