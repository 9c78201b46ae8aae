"""A kind of adapter is one module on each side: one that exists here alone is checked, read and served."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mom.atlas import adapters
from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.documents import DataDocument, text_at
from mom.atlas.edit.add import add_adapter
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.load import load
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules import schema_rules
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.value_rules import check_credential
from mom.atlas.schema_files import Schema
from mom.atlas.schemas import combined
from mom.atlas.validate import validate
from mom.envoy import adapters as served
from mom.envoy.adapters.kind import ServedKind
from mom.envoy.clusters import Upstream
from mom.envoy.messages import Json
from mom.envoy.options import Listen, Options
from mom.envoy.origins import split
from mom.gateway import APIS_PATH
from mom.problems import Place, Problem
from mom.run.credentials import Credentials
from mom.yamledit.data import Data
from mom.yamledit.shape import Value
from mom.yamledit.source import Source
from tests.envoy.certificates import Authority
from tests.envoy.configurations import file_of
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream as Api

GOPHER = Kind(ADAPTERS_VERSION, "Gopher")
REFERENCE = "spec.apiAdapters[0].adapterRef"
FILE = file_of(
    "Gopher",
    "hole",
    """\
  burrow: http://127.0.0.1:70
  key: ${{ GOPHER_KEY }}
""",
)


@dataclass(frozen=True)
class GopherAdapter:
    """An adapter of the made-up kind: where it leads, and its key."""

    name: str
    burrow: str
    key: Setting
    place: Place
    kind: str = "Gopher"


@dataclass(frozen=True)
class GopherSpec:
    """An adapter of the made-up kind, to be written."""

    name: str
    burrow: str
    kind: Kind = GOPHER
    list_key: None = None
    instead: str = "name"

    def spec(self) -> dict[str, Value]:
        """Return the burrow and the key."""
        return {"burrow": self.burrow, "key": "${{ GOPHER_KEY }}"}

    def missing_items(self, data: Data) -> Sequence[Value]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:  # noqa: ARG002
        """Return nothing."""
        return []


class GopherKind(AdapterKind[GopherAdapter]):
    """The made-up kind, in the configuration."""

    kind = GOPHER

    def schema(self) -> Schema:
        """Return the schema of its documents."""
        texts = {"burrow": {"type": "string"}, "key": {"type": "string"}}
        spec = {"type": "object", "properties": texts, "required": ["burrow", "key"], "additionalProperties": False}
        document = {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}, "spec": spec}
        return {"type": "object", "properties": document, "required": ["spec"], "additionalProperties": False}

    def check(self, findings: Findings) -> None:
        """Warn of a key in plain text."""
        check_credential(findings, ("spec", "key"))

    def add_command(self, name: str) -> str:
        """Return a command."""
        return f"dig {name}"

    def read(self, document: DataDocument) -> GopherAdapter:
        """Return the adapter."""
        burrow, key = (text_at(document.data, "spec", word) or "" for word in ("burrow", "key"))
        setting = Setting("the key", key, document.place(("spec", "key")))
        return GopherAdapter(document.name or "", burrow, setting, document.place(("metadata", "name")))

    def target(self, adapter: GopherAdapter) -> str:
        """Return the burrow."""
        return adapter.burrow

    def settings(self, adapter: GopherAdapter) -> Iterator[Setting]:
        """Yield the key."""
        yield adapter.key


class ServedGopherKind(ServedKind[GopherAdapter]):
    """The made-up kind, in Envoy."""

    def path(self, adapter: GopherAdapter) -> str:
        """Return its path."""
        return f"/v1/apis/gopher/{adapter.name}"

    def upstreams(self, adapter: GopherAdapter) -> Iterator[Upstream]:
        """Yield the burrow."""
        yield Upstream(split(adapter.burrow)[0])

    def listed(self, adapter: GopherAdapter) -> Json:
        """Return the path."""
        return {"path": self.path(adapter)}

    def headers(self, adapter: GopherAdapter) -> list[str]:  # noqa: ARG002
        """Return the header of the key."""
        return ["X-Gopher-Key"]

    def routes(self, adapter: GopherAdapter, options: Options) -> list[Json]:  # noqa: ARG002
        """Return a route that sets the key."""
        (name,) = adapter.key.value.strip("${ }").split()
        header = {"header": {"key": "X-Gopher-Key", "value": f"%ENVIRONMENT({name})%"}}
        upstream = Upstream(split(adapter.burrow)[0])
        match = {"path_separated_prefix": self.path(adapter)}
        route = {"cluster": upstream.name, "prefix_rewrite": "/burrow"}
        return [{"name": adapter.name, "match": match, "route": route, "request_headers_to_add": [header]}]


@pytest.fixture(autouse=True)
def made_up_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the kind in both registries."""
    monkeypatch.setitem(adapters.KINDS._modules, "Gopher", "")
    monkeypatch.setitem(adapters.KINDS._kinds, "Gopher", GopherKind())
    monkeypatch.setitem(served.KINDS, "Gopher", ServedGopherKind())
    for compiled in (schema_rules._fits, schema_rules._validator):
        compiled.cache_clear()
    yield
    for compiled in (schema_rules._fits, schema_rules._validator):
        compiled.cache_clear()


def rules(text: str) -> list[tuple[str, str]]:
    """Return what is wrong with a file, by rule and path."""
    return [(problem.rule, problem.path) for problem in validate(Source("atlas.yml", text))]


def test_its_documents_are_valid() -> None:
    assert validate(Source("atlas.yml", FILE)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param("  burrow: http", "  borrow: http", ("unknown-key", "spec.borrow"), id="its schema"),
        pytest.param("${{ GOPHER_KEY }}", "s3cr3t", ("literal-secret", "spec.key"), id="its checks"),
        pytest.param("name: hole\n", "name: h/ole\n", ("adapter-name", "metadata.name"), id="the name"),
        pytest.param("kind: Gopher, ", "kind: Gophr, ", ("unknown-value", f"{REFERENCE}.kind"), id="its reference"),
    ],
)
def test_mistakes_in_its_documents_are_reported(old: str, new: str, found: tuple[str, str]) -> None:
    assert found in rules(FILE.replace(old, new))


def test_the_hint_for_a_missing_document_names_its_command() -> None:
    (problem,) = validate(Source("atlas.yml", FILE[: FILE.index("---")]))
    assert problem.hint is not None
    assert "dig hole" in problem.hint


def test_the_schema_of_a_whole_file_has_it() -> None:
    schema: dict[str, Any] = combined()
    assert "Gopher" in schema["properties"]["kind"]["examples"]
    assert "burrow" in json.dumps(schema["$defs"]["Gopher"])


def test_an_edit_adds_it() -> None:
    edit = add_adapter(Source("atlas.yml", FILE), GopherSpec("den", "http://127.0.0.1:71"))
    assert [adapter.name for adapter in load(Source("atlas.yml", edit.text)).adapters] == ["hole", "den"]
    assert edit.text.endswith("  name: den\nspec:\n  burrow: http://127.0.0.1:71\n  key: ${{ GOPHER_KEY }}\n")


def test_it_is_served(authority: Authority, tmp_path: Path) -> None:
    with Api() as api:
        configuration = load(Source("atlas.yml", FILE.replace(":70\n", f":{api.port}\n")))
        environ, _ = Credentials({"GOPHER_KEY": "s3cret", "OTHER": "x"}).values(configuration.adapters)
        assert environ == {"GOPHER_KEY": "s3cret"}
        key = es256()
        listen = Listen("127.0.0.1", free_port())
        options = Options(listen=listen, ca_file=str(authority.file), jwks={"keys.json": json.dumps(jwks(key))})
        with running(configuration, options, tmp_path, environ) as envoy:
            listed = json.loads(envoy.client.send(APIS_PATH, token=key.token()).body)
            assert listed["apis"] == [
                {"kind": "Gopher", "name": "hole", "path": "/v1/apis/gopher/hole", "instance": "atlas"}
            ]
            response = envoy.client.send("/v1/apis/gopher/hole/deep?x", "x_gopher-key: theirs", token=key.token())
            assert response.status == 200
            assert envoy.client.send("/v1/apis/gopher/hole/deep").status == 401
        (request,) = api.requests
        assert request.target == "/burrow/deep?x"
        assert request.get("x-gopher-key") == ["s3cret"]
