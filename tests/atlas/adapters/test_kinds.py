"""What each kind makes of its document: where its requests go, and which variables it needs, with their places."""

from __future__ import annotations

import pytest

from mom.atlas.adapters import kind_of, settings
from mom.atlas.load import load
from mom.problems import Place
from mom.yamledit.source import Source

ATLAS = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  apiAdapters:
  - adapterRef:
      apiVersion: moment.dev/adapters/v1alpha1
      kind: {kind}
      name: it
---
apiVersion: moment.dev/adapters/v1alpha1
kind: {kind}
metadata:
  name: it
"""
SPECS = {
    "HTTP": (
        "spec:\n  baseUrl: https://api.example.com\n  headers:\n  - name: X-Key\n    value: a ${{ KEY }}\n",
        "https://api.example.com",
        [("header X-Key", "a ${{ KEY }}", Place("atlas.yml", 19, 11))],
    ),
    "AWS": (
        (
            "spec:\n  profiles:\n"
            "  - name: prod\n    accessKeyId: ${{ ID }}\n    secretAccessKey: ${{ SECRET }}\n"
            "  - name: dev\n    secretAccessKey: ${{ DEV }}\n    accessKeyId: ${{ DEV_ID }}\n"
            "    sessionToken: ${{ S }}\n"
        ),
        "prod, dev",
        [
            ("accessKeyId of profile prod", "${{ ID }}", Place("atlas.yml", 19, 18)),
            ("secretAccessKey of profile prod", "${{ SECRET }}", Place("atlas.yml", 20, 22)),
            ("accessKeyId of profile dev", "${{ DEV_ID }}", Place("atlas.yml", 23, 18)),
            ("secretAccessKey of profile dev", "${{ DEV }}", Place("atlas.yml", 22, 22)),
            ("sessionToken of profile dev", "${{ S }}", Place("atlas.yml", 24, 19)),
        ],
    ),
    "Postgres": (
        "spec:\n  profiles:\n  - name: main\n    databaseUrl: ${{ URL }}\n",
        "main",
        [("databaseUrl of profile main", "${{ URL }}", Place("atlas.yml", 19, 18))],
    ),
    "Kubernetes": ("", "the cluster where Atlas runs", []),
    "Moment": (
        "spec:\n  catalog:\n    github:\n      baseUrl: https://api.github.com\n      accessToken: ${{ TOKEN }}\n",
        "https://api.github.com",
        [("catalog.github.accessToken", "${{ TOKEN }}", Place("atlas.yml", 20, 20))],
    ),
}


@pytest.mark.parametrize("kind", SPECS)
def test_a_document_becomes_a_target_and_settings_with_places(kind: str) -> None:
    spec, target, expected = SPECS[kind]
    (adapter,) = load(Source("atlas.yml", ATLAS.replace("{kind}", kind) + spec)).adapters
    assert (adapter.kind, adapter.name, adapter.place) == (kind, "it", Place("atlas.yml", 15, 9))
    assert kind_of(adapter).target(adapter) == target
    assert [(setting.label, setting.value, setting.place) for setting in settings(adapter)] == expected


def test_a_catalog_without_github_needs_no_variable() -> None:
    (adapter,) = load(Source("atlas.yml", ATLAS.replace("{kind}", "Moment") + "spec:\n  catalog: {}\n")).adapters
    assert (kind_of(adapter).target(adapter), list(settings(adapter))) == ("", [])


def test_what_changed_in_profiles_is_named() -> None:
    text = ATLAS.replace("{kind}", "AWS") + SPECS["AWS"][0]
    (old,) = load(Source("atlas.yml", text)).adapters
    (new,) = load(Source("atlas.yml", text.replace("${{ SECRET }}", "${{ OTHER }}"))).adapters
    assert kind_of(old).differences(old, new) == ["secretAccessKey of profile prod"]
    assert kind_of(old).differences(old, old) == []
