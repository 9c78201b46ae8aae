"""The translation, case by case: `translation/SITUATION` holds `atlas.yml`, `options.json` and what must come out.

A folder shows the parts that its situation is about: `listener.json`, `routes.json`, `clusters.json`, of the listener
only the `providers.json`, of the routes only the `adapters.json`. All of it must be acceptable to the real Envoy.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.bootstrap import static
from mom.envoy.messages import dumps
from mom.envoy.options import Certificate, Listen, LocalKey, Options
from mom.envoy.translate import Resources, translate
from tests.envoy.binary import validate
from tests.envoy.certificates import Authority
from tests.envoy.configurations import read

CASES = sorted(path.parent for path in Path(__file__).parent.glob("translation/*/atlas.yml"))
CA_FILE = "/etc/ssl/certs/ca-certificates.crt"


def options(case: Path) -> Options:
    """Read a case's `options.json`, in which everything may be left out."""
    given: dict[str, Any] = json.loads((case / "options.json").read_text()) if (case / "options.json").exists() else {}
    listen = Listen(*given.pop("listen", ["127.0.0.1", 8082]))
    tls = Certificate(**given.pop("tls")) if "tls" in given else None
    local = given.pop("local_key", None)
    key = LocalKey(local["issuer"], tuple(local["audiences"]), local["jwks"]) if local else None
    jwks = {path.name: path.read_text() for path in case.glob("*.jwks")}
    if "hosts" in given:
        given["hosts"] = tuple(given["hosts"])
    return Options(listen=listen, ca_file=CA_FILE, jwks=jwks, local_key=key, tls=tls, **given)


def parts(resources: Resources) -> dict[str, Any]:
    """Return what a case can show, by the name of its file."""
    assert resources.routes is not None
    assert resources.authentication is not None
    host = resources.routes["virtual_hosts"][0]
    return {
        "listener": resources.listener,
        "routes": resources.routes,
        "clusters": list(resources.clusters),
        "providers": resources.authentication["typed_config"].get("providers"),
        "adapters": [route for route in host.get("routes", []) if "metadata" in route],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_translation(case: Path, request: pytest.FixtureRequest) -> None:
    """What comes out is what the folder holds."""
    translated = parts(translate(read((case / "atlas.yml").read_text()), options(case), directory="/run/atlas"))
    # As it is written: a part may be there as text.
    result = json.loads(dumps(translated))
    expected = [path for path in sorted(case.glob("*.json")) if path.stem in result]
    assert expected, f"{case} says nothing about what must come out"
    for path in expected:
        if request.config.getoption("update_golden"):
            path.write_text(json.dumps(result[path.stem], indent=1, ensure_ascii=False) + "\n")
        assert json.loads(path.read_text()) == result[path.stem]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_envoy_accepts_it(case: Path, tmp_path: Path, authority: Authority) -> None:
    """The real Envoy takes each case, once the files it names are ones that exist here."""
    given = options(case)
    if given.tls:
        files = authority.issue("atlas.test").write(tmp_path)
        given = dataclasses.replace(given, tls=Certificate(str(files.chain), str(files.key), ""))
    given = dataclasses.replace(given, ca_file=str(authority.file))
    resources = translate(read((case / "atlas.yml").read_text()), given)
    assert validate(static(resources, given), tmp_path) == ""
