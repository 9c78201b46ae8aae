"""Ten thousand adapters of which one comes, changes and goes: what is checked anew, and that no request is lost."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from mom.atlas.forms import Forms
from mom.atlas.load import load_with_warnings
from mom.envoy.options import CredentialState, Listen, Options
from mom.run.plan import Plan
from mom.run.plan_changes import changes, unproven
from mom.yamledit.source import Source
from tests.envoy.upstream import Upstream
from tests.run import mom_run as runs
from tests.run.load import Load
from tests.run.mom_run import MomRun, mom_run

DOCUMENT = """\
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: NAME
spec:
  baseUrl: BASE
  headers:
  - name: Authorization
    value: VALUE
"""
OPTIONS = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", tree_above=3)


def text(adapters: dict[str, tuple[str, str]], spec: str = "") -> str:
    """Return a configuration; each adapter has a base URL and the value of a header."""
    references = "".join(
        f"  - adapterRef:\n      apiVersion: moment.dev/adapters/v1alpha1\n      kind: HTTP\n      name: {name}\n"
        for name in adapters
    )
    atlas = (
        "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata:\n  name: atlas\nspec:\n  owner: example.com\n"
        "  identityProviders:\n    idp:\n      audience: https://atlas.test\n      issuer: https://idp.test/\n"
        f"      publicKey: keys.json\n{spec}  apiAdapters:\n{references}"
    )
    documents = [
        DOCUMENT.replace("NAME", name).replace("BASE", base_url).replace("VALUE", value)
        for name, (base_url, value) in adapters.items()
    ]
    return "---\n".join([atlas, *documents])


def many(count: int) -> dict[str, tuple[str, str]]:
    return {f"adapter-{number}": (f"https://h{number}.example.com", "Bearer ${{ MY_KEY }}") for number in range(count)}


def test_only_what_is_not_served_yet_is_checked_by_envoy_before() -> None:
    forms = Forms()

    def planned(adapters: dict[str, tuple[str, str]], options: Options = OPTIONS, spec: str = "") -> Plan:
        configuration, _ = load_with_warnings(Source("atlas.yml", text(adapters, spec)), forms)
        return Plan(configuration, options, {}, ())

    def checked(new: Plan) -> list[str]:
        return [adapter.name for adapter in unproven(old, new).configuration.adapters]

    before = many(10)
    old = planned(before)
    odd = ("https://other.example.com/v1", "fixed ${{ A }} ${{ B }}")
    one_more = {"adapter-new": before["adapter-3"], **before}
    changed = {**before, "adapter-5": odd}
    fewer = {name: value for name, value in before.items() if name != "adapter-4"}
    assert checked(planned(before)) == []
    assert checked(planned(one_more)) == ["adapter-new"]
    assert changes(old, planned(one_more)) == ("+ adapter-new",)
    assert checked(planned(changed)) == ["adapter-5"]
    assert changes(old, planned(changed)) == ("~ adapter-5: base URL and header Authorization",)
    assert checked(planned(fewer)) == []
    assert changes(old, planned(fewer)) == ("- adapter-4",)
    everything = list(before)
    # What goes into each route, and a configuration of few.
    assert checked(planned(before, spec="  allow:\n  - methods: [GET]\n")) == everything
    assert checked(planned(before, replace(OPTIONS, timeout=1.0))) == everything
    assert checked(planned(before, replace(OPTIONS, secrets=frozenset({"MY_KEY"})))) == everything
    assert checked(planned(before, replace(OPTIONS, tree_above=1_000))) == everything
    # Where the value of a variable is found, which only some have.
    keyed = {**before, "adapter-new": ("https://new.example.com", "Bearer ${{ NEW_KEY }}")}
    in_file = planned(keyed, replace(OPTIONS, secrets=frozenset({"NEW_KEY"})))
    assert checked(in_file) == ["adapter-new"]
    assert unproven(old, in_file).secrets == {"NEW_KEY": ""}
    old = in_file
    in_files = replace(OPTIONS, secrets=frozenset({"NEW_KEY", "MY_KEY"}))
    assert checked(planned({**keyed, "adapter-5": odd}, in_files)) == [name for name in keyed if name != "adapter-new"]
    assert checked(planned(keyed)) == ["adapter-new"]
    old = planned(before)
    states = {("HTTP", "adapter-1"): CredentialState("ready", "2026-01-01T00:00:00Z")}
    assert checked(planned(before, replace(OPTIONS, credential_states=states))) == []


def wait_for(run: MomRun, words: str, count: int) -> None:
    until = time.monotonic() + 600
    while run.text.count(words) < count:
        assert time.monotonic() < until, run.text[-2_000:]
        assert run.process.poll() is None, run.text[-2_000:]
        time.sleep(0.05)


@pytest.mark.proof
def test_no_request_of_a_hundred_thousand_is_lost_while_adapters_come_change_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SECONDS", 300.0)
    with Upstream() as api, mom_run(tmp_path, environ={"MY_KEY": "secret"}) as run:
        base = f"http://127.0.0.1:{api.port}"
        adapters = {**many(10_000), "steady-one": (base, "steady"), "changing-one": (base, "value-0")}
        runs.replace(tmp_path / "atlas.yml", text(adapters))
        run.start(unhurried=True)
        load = Load(run, ["/v1/apis/http/steady-one/x"] * 3 + ["/v1/apis/http/changing-one/x"])
        rounds, begun, slowest = 0, 0, 0.0
        try:
            while begun + len(api.requests) < 100_000:
                rounds += 1
                versions = [
                    {**adapters, "changing-one": (base, f"value-{rounds}")},
                    {**adapters, "changing-one": (base, f"value-{rounds}"), "one-more": (base, "more")},
                ]
                for number, version in enumerate([*versions, versions[0]]):
                    started = time.monotonic()
                    runs.replace(tmp_path / "atlas.yml", text(version))
                    wait_for(run, "Reloaded", 3 * (rounds - 1) + number + 1)
                    slowest = max(slowest, time.monotonic() - started)
                    status = run.client.send("/v1/apis/http/one-more/y", token=run.token()).status
                    assert status == (200 if number == 1 else 404)
                values = {request.get("authorization")[0] for request in list(api.requests)}
                assert values <= {"steady", "more", f"value-{rounds - 1}", f"value-{rounds}"}
                assert {"steady", f"value-{rounds}"} <= values
                begun += len(api.requests)
                api.requests.clear()
        finally:
            load.stop()
        assert load.wrong == []
        assert len(run.children()) == 1
        print(f"{rounds} rounds of 3 reloads, {sum(load.begun)} requests, the slowest reload took {slowest:.2f} s")
