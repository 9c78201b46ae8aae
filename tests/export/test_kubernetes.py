"""The manifests of an export to Kubernetes, as the command writes them; what real tools say of them is a proof."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mom.export.kubernetes import MOST_BYTES
from tests import samples
from tests.envoy.configurations import AUDIENCE, ISSUER
from tests.envoy.tokens import es256, jwks
from tests.golden import Result, run_mom

CASES = Path(__file__).parent / "kubernetes"
BY_URL = (
    f"  - issuer-of-keys:\n      issuer: {ISSUER}\n      audience: {AUDIENCE}\n      publicKey: https://idp.test/keys\n"
)
BY_FILE = f"  - corp:\n      issuer: {ISSUER}\n      audience: {AUDIENCE}\n      publicKey: keys.json\n"
PROVIDERS = f"  identityProviders:\n{BY_URL}{BY_FILE}"
OPENAI = samples.http("openai", headers={"Authorization": "Bearer ${{ OPENAI_API_TOKEN }}"})


@dataclasses.dataclass
class Exported:
    """A folder in which exports are made."""

    folder: Path

    def write(self, text: str, *options: str, succeeds: bool = True) -> Result:
        """Export a configuration to `out`."""
        (self.folder / "atlas.yml").write_text(text)
        result = run_mom(["atlas", "export", "kubernetes", "-o", "out", *options])
        assert (result.status == 0) is succeeds, result.stderr
        return result

    def yaml(self, path: str) -> Any:
        """Return what a file below `out` says."""
        return yaml.safe_load((self.folder / "out" / path).read_text())

    def pod(self) -> Any:
        """Return the specification of the pods."""
        return self.yaml("base/deployment.yaml")["spec"]["template"]["spec"]

    def files(self) -> dict[str, str]:
        """Return every file below `out` but the manifest of the export."""
        out = self.folder / "out"
        found = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
        return {name: path.read_text() for name, path in found.items() if name != ".mom-export.json"}


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exported:
    """Return a folder with the keys of an identity provider."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.json").write_text(json.dumps(jwks(es256())))
    return Exported(tmp_path)


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_manifests_are_as_people_write_them(case: Path, exported: Exported, request: pytest.FixtureRequest) -> None:
    """All files but Envoy's own, which other tests are about."""
    options = (case / "options").read_text().split() if (case / "options").exists() else []
    exported.write((case / "atlas.yml").read_text(), *options)
    # Without the headers, which have a version.
    given = {name: text.splitlines(keepends=True) for name, text in exported.files().items() if name[-5:] != ".json"}
    written = {
        name: "".join(line for line in lines if not line.startswith("# Written by ")) for name, lines in given.items()
    }
    if request.config.getoption("update_golden"):
        for name, text in written.items():
            (case / "out" / name).parent.mkdir(parents=True, exist_ok=True)
            (case / "out" / name).write_text(text)
    out = case / "out"
    assert written == {
        path.relative_to(out).as_posix(): path.read_text() for path in sorted(out.rglob("*")) if path.is_file()
    }


def test_each_file_of_envoy_is_where_its_configuration_says(exported: Exported) -> None:
    """The paths of the mounted volumes are those by which Envoy's arguments and its files name one another."""
    exported.write(samples.atlas("openai", after=PROVIDERS) + OPENAI)
    pod = exported.pod()
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    maps = {each["name"]: each["files"] for each in exported.yaml("base/kustomization.yaml")["configMapGenerator"]}
    mounted = {}
    for source in pod["volumes"][0]["projected"]["sources"]:
        keys = dict(file.split("=") for file in maps.pop(source["configMap"]["name"]))
        for item in source["configMap"]["items"]:
            path = exported.folder / "out" / "base" / keys.pop(item["key"])
            mounted[f"{mounts['configuration']}/{item['path']}"] = path.read_text()
        assert keys == {}
    assert maps == {}
    assert container["args"][container["args"].index("-c") + 1] in mounted
    assert {"/etc/atlas/envoy.json", "/etc/atlas/keys/keys.json", "/etc/atlas/secrets/OPENAI_API_TOKEN.json"} == {
        *mounted
    }
    for path in mounted.keys() - {"/etc/atlas/envoy.json"}:
        assert path in mounted["/etc/atlas/envoy.json"]
    assert f"{mounts['credentials']}/OPENAI_API_TOKEN" in mounted["/etc/atlas/secrets/OPENAI_API_TOKEN.json"]


@pytest.mark.parametrize("options", [(), ("--with-mom",)], ids=["Envoy alone", "with mom"])
def test_a_pod_that_is_to_end_serves_until_its_connections_have_ended(
    exported: Exported, options: tuple[str, ...]
) -> None:
    exported.write(samples.atlas("openai", after=PROVIDERS) + OPENAI, *options)
    (container,) = exported.pod()["containers"]
    if options:
        limit = float(container["args"][container["args"].index("--connection-limit") + 1])
    else:
        found = re.findall(r'"max_connection_duration":"([\d.]+)s"', exported.files()["base/config/envoy.json"])
        (limit,) = map(float, found)
    serving = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < 4 * limit < serving < exported.pod()["terminationGracePeriodSeconds"]


def test_the_name_of_the_secret_is_the_users_where_there_is_one(exported: Exported) -> None:
    exported.write(samples.atlas("openai", after=PROVIDERS) + OPENAI, "--secret-name", "from-vault")
    names = [volume["secret"]["secretName"] for volume in exported.pod()["volumes"] if "secret" in volume]
    assert names == ["from-vault"]
    assert "secretGenerator" not in exported.yaml("overlays/production/kustomization.yaml")
    assert [name for name in exported.files() if "credentials" in name] == []


@pytest.mark.parametrize("name", ["", "With Capitals", "a_b", "a/b", "-a", "a.", "a" * 254])
def test_what_cannot_be_the_name_of_a_secret_is_wrong_usage(exported: Exported, name: str) -> None:
    result = exported.write(samples.atlas("openai", after=PROVIDERS) + OPENAI, "--secret-name", name, succeeds=False)
    assert result.status == 2
    assert "is not the name of a Secret" in result.stderr
    assert not (exported.folder / "out").exists()


def test_a_pod_with_mom_finds_the_id_of_its_cluster_itself(exported: Exported) -> None:
    options = ("--with-mom", "--cluster-id", "0b1e")
    result = exported.write(samples.atlas("openai", after=PROVIDERS) + OPENAI, *options, succeeds=False)
    assert result.status == 2
    assert "--cluster-id and --with-mom" in result.stderr


def test_what_envoy_alone_cannot_do_is_refused_with_the_option_that_can(exported: Exported) -> None:
    text = (CASES / "with-mom" / "atlas.yml").read_text()
    result = exported.write(text, succeeds=False)
    assert result.status == 1
    assert "atlas.yml:28:9: error: aws:" in result.stderr
    assert "--with-mom" in result.stderr
    assert not (exported.folder / "out").exists()


def test_an_atlas_without_variables_has_no_secret(exported: Exported) -> None:
    exported.write(samples.atlas("open", after=PROVIDERS) + samples.http("open"))
    assert [volume["name"] for volume in exported.pod()["volumes"]] == ["configuration"]
    assert [name for name in exported.files() if "credentials" in name or "ignore" in name] == []


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(MOST_BYTES, marks=pytest.mark.proof, id="that of Kubernetes"),
        pytest.param(50_000, id="a small one"),
    ],
)
def test_a_configuration_above_the_limit_of_a_config_map_goes_into_an_image(
    limit: int, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small limit takes less time."""
    monkeypatch.setattr("mom.export.kubernetes.MOST_BYTES", limit)
    many = [f"a{number}" for number in range(limit // 12_000 + 1)]
    text = samples.atlas(*many, after=PROVIDERS)
    text += "".join(samples.http(name, "https://api.test", {"X-Large": "x" * 12_000}) for name in many)
    refused = exported.write(text, succeeds=False)
    assert refused.status == 1
    assert refused.stderr.startswith("error: the ConfigMap atlas-config would have ")
    assert "hint: --files-in-image" in refused.stderr
    assert not (exported.folder / "out").exists()

    exported.write(text, "--files-in-image")
    files = exported.files()
    assert len(files["image/config/envoy.json"]) > limit
    commands = [line.split(" ")[0] for line in files["image/Dockerfile"].splitlines() if not line.startswith("#")]
    assert commands == ["FROM", "COPY", "ENTRYPOINT"]
    (container,) = exported.pod()["containers"]
    assert container["image"] == "atlas-envoy"
    assert [image["name"] for image in exported.yaml("overlays/production/kustomization.yaml")["images"]] == [
        "atlas-envoy"
    ]
    assert "configMapGenerator" not in exported.yaml("base/kustomization.yaml")
    assert "volumes" not in exported.pod()


def test_another_export_keeps_what_is_the_users_own_and_follows_the_configuration(exported: Exported) -> None:
    text = samples.atlas("openai", after=PROVIDERS) + OPENAI
    first = exported.write(text)
    apply = "kubectl create namespace atlas  # once\n        kubectl apply --server-side -k out/overlays/production"
    assert apply in first.stderr
    before = exported.files()
    overlay = exported.folder / "out" / "overlays" / "production"
    (overlay / "kustomization.yaml").write_text("mine\n")
    (overlay / "credentials.env").write_text("OPENAI_API_TOKEN=s3cret\n")
    exported.write(text, "--check")

    exported.write(text.replace("OPENAI_API_TOKEN", "OTHER"))
    after = exported.files()
    assert after["overlays/production/kustomization.yaml"] == "mine\n"
    assert after["overlays/production/credentials.env"] == "OPENAI_API_TOKEN=s3cret\n"
    assert after["overlays/production/credentials.env.example"].splitlines()[-1] == "OTHER="
    assert "base/config/secrets/OPENAI_API_TOKEN.json" in before.keys() - after.keys()
    assert not [name for name, content in after.items() if "s3cret" in content and not name.endswith("credentials.env")]


def destinations(exported: Exported) -> list[tuple[list[str], list[int | str]]]:
    """Return the rules for what goes out: to where, empty for everywhere, and to which ports."""
    rules = exported.yaml("base/networkpolicy.yaml")["spec"]["egress"]
    return [
        ([to["ipBlock"]["cidr"] for to in rule.get("to", [])], [port["port"] for port in rule["ports"]])
        for rule in rules
    ]


def test_pods_may_connect_to_what_the_configuration_names_and_to_nothing_else(exported: Exported) -> None:
    urls = {
        "name": "https://api.test",
        "port": "https://api.test:8443",
        "service": "http://search.tools.svc:9200",
        "address": "https://192.0.2.7:444",
        "six": "https://[2001:db8::1]:445",
        "itself": "http://127.0.0.1:9999",
    }
    text = samples.atlas(*urls, after=PROVIDERS) + "".join(samples.http(name, url) for name, url in urls.items())
    proxied = samples.http("proxied", "https://far.test:4443") + "  proxy: http://192.0.2.9:3128\n"
    exported.write(text.replace("  apiAdapters:\n", "  apiAdapters:\n" + samples.reference("proxied")) + proxied)

    assert destinations(exported) == [
        ([], [53, 53]),
        # Of the key set too.
        ([], [443, 8443, 9200]),
        (["192.0.2.7/32"], [444]),
        (["192.0.2.9/32"], [3128]),
        (["2001:db8::1/128"], [445]),
    ]
    assert "`targetPort`" in exported.files()["base/networkpolicy.yaml"]
    assert exported.yaml("base/networkpolicy.yaml")["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_only_a_kubernetes_adapter_gives_pods_a_login(exported: Exported) -> None:
    without = samples.atlas("openai", after=PROVIDERS) + OPENAI
    exported.write(without)
    assert exported.pod()["automountServiceAccountToken"] is False
    assert exported.yaml("base/serviceaccount.yaml")["automountServiceAccountToken"] is False
    assert [name for name in exported.files() if "role" in name] == []

    adapter = f"---\napiVersion: {samples.ADAPTERS_VERSION}\nkind: Kubernetes\nmetadata:\n  name: cluster\n"
    reference = samples.reference("cluster", "Kubernetes")
    exported.write(without.replace("  apiAdapters:\n", f"  apiAdapters:\n{reference}") + adapter)
    assert exported.pod()["automountServiceAccountToken"] is True
    granted = {resource for rule in exported.yaml("base/role.yaml")["rules"] for resource in rule["resources"]}
    assert granted & {"secrets", "*"} == set()
    assert ([], [6443]) in destinations(exported)
    # Its token is the kubelet's, not one of the user's.
    assert "KUBERNETES_TOKEN" not in exported.files()["overlays/production/credentials.env.example"]
    secret = json.loads(exported.files()["base/config/secrets/KUBERNETES_TOKEN.json"])
    assert "/var/run/secrets/kubernetes.io/serviceaccount/token" in json.dumps(secret)
