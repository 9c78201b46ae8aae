"""Makes `aws_services.json` of `mom.atlas.adapters` from botocore: `python -m tests.atlas.adapters.aws_services`.

Of each service botocore has a model, whose metadata names the endpoint prefix and the signing name, and a rule set,
which gives the host and, where that is not the region asked for, the region to sign for. The rule set is evaluated for
each region of each partition, and what most regions have in common is written once: the host, with `{region}` in it,
and after a blank the region to sign for where it is another. `null` is a partition that does not have the service.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Container
from pathlib import Path
from typing import Any

import botocore
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

DATA = Path(botocore.__file__).parent / "data"
FILE = Path(__file__).parents[3] / "mom" / "atlas" / "adapters" / "aws_services.json"
# Versions of SigV4, in the words of the models; `v2` and `bearer` are others.
_SIGV4 = {"v4", "s3v4", "s3"}
_Host = tuple[str, str]


def services(names: Container[str] | None = None) -> dict[str, list[Path]]:
    """Return the folders of the models that have an endpoint prefix in common, the one of that name first.

    names: those of the folders to look into, None for all.
    """
    by_prefix: dict[str, list[Path]] = {}
    for folder in sorted(
        folder for folder in DATA.iterdir() if folder.is_dir() and (names is None or folder.name in names)
    ):
        versions = sorted(version for version in folder.iterdir() if (version / "service-2.json.gz").exists())
        if versions and _metadata(versions[-1])["signatureVersion"] in _SIGV4:
            by_prefix.setdefault(_metadata(versions[-1])["endpointPrefix"], []).append(versions[-1])
    return {prefix: [*_named(models, prefix), *_others(models, prefix)] for prefix, models in by_prefix.items()}


def _named(models: list[Path], prefix: str) -> list[Path]:
    return [model for model in models if model.parent.name == prefix]


def _others(models: list[Path], prefix: str) -> list[Path]:
    return [model for model in models if model.parent.name != prefix]


def partitions() -> dict[str, Any]:
    """Return botocore's partitions."""
    known: dict[str, Any] = json.loads((DATA / "partitions.json").read_text(encoding="utf-8"))
    return known


def regions(partition: dict[str, Any]) -> list[str]:
    """Return the regions of a partition, without the name for all of them together."""
    return sorted(region for region in partition["regions"] if not region.endswith("-global"))


def service(prefix: str, models: list[Path]) -> dict[str, Any]:
    """Return what is written about the service with an endpoint prefix."""
    metadata = [_metadata(model) for model in models]
    signing_names = {each.get("signingName", prefix) for each in metadata}
    assert len(signing_names) == 1, prefix
    written: dict[str, Any] = {"names": sorted({model.parent.name for model in models} - {prefix})}
    if signing_names != {prefix}:
        written["signingName"] = signing_names.pop()
    hosts: dict[str, str | None] = {}
    for partition in partitions()["partitions"]:
        known = hosts_of(prefix, models[0], partition)
        default = (f"{prefix}.{{region}}.{partition['outputs']['dnsSuffix']}", "{region}")
        common = _common(known, default)
        if common != default:
            hosts[partition["id"]] = _joined(common) if common else None
        elsewhere = {region: host for region, host in known.items() if common and host != _of(common, region)}
        hosts |= {
            region: _joined((host, "{region}" if signed == region else signed))
            for region, (host, signed) in elsewhere.items()
        }
    return {key: value for key, value in {**written, "hosts": hosts}.items() if value}


def hosts_of(prefix: str, model: Path, partition: dict[str, Any]) -> dict[str, _Host]:
    """Return the host and the region to sign for, by region."""
    file = model / "endpoint-rule-set-1.json.gz"
    rules = json.loads(gzip.decompress(file.read_bytes()))
    provider = EndpointProvider(rules, partitions())
    hosts = {}
    for region in regions(partition):
        given = {"Region": region, "UseFIPS": False, "UseDualStack": False}
        try:
            known = {name: value for name, value in given.items() if name in rules["parameters"]}
            endpoint = provider.resolve_endpoint(**known)
        except EndpointProviderError as error:
            # The host then depends on the operation: what is called without one is the usual one.
            if "required parameter" in str(error):
                hosts[region] = (f"{prefix}.{region}.{partition['outputs']['dnsSuffix']}", region)
            continue
        schemes = [scheme for scheme in endpoint.properties.get("authSchemes", ()) if scheme["name"] == "sigv4"]
        signed = next((scheme["signingRegion"] for scheme in schemes if "signingRegion" in scheme), region)
        hosts[region] = (endpoint.url.removeprefix("https://"), signed)
    return hosts


def _common(known: dict[str, _Host], default: _Host) -> _Host | None:
    """Return what gives most of the hosts, with `{region}` for the region: the default where that is as good."""
    forms = [default]
    for region, (host, signed) in known.items():
        general = ".".join("{region}" if label == region else label for label in host.split("."))
        forms += [(general, "{region}"), (general, signed), (host, signed)]
    best = max(forms, key=lambda form: sum(_of(form, region) == host for region, host in known.items()))
    return best if known else None


def _of(form: _Host, region: str) -> _Host:
    return form[0].replace("{region}", region), form[1].replace("{region}", region)


def _joined(host: _Host) -> str:
    return host[0] if host[1] == "{region}" else " ".join(host)


def _metadata(model: Path) -> dict[str, Any]:
    """Return the metadata of a model, without reading all of it: some have several megabytes."""
    with gzip.open(model / "service-2.json.gz", "rt", encoding="utf-8") as file:
        beginning = file.read(8_000)
    at = re.search(r'"metadata":\s*(?=\{)', beginning)
    assert at, model
    metadata: dict[str, Any] = json.JSONDecoder().raw_decode(beginning, at.end())[0]
    return metadata


def written(names: Container[str] | None = None) -> dict[str, Any]:
    """Return the content of the file, of all services or of some, as `services` does."""
    known = services(names)
    return {
        "partitions": {
            partition["id"]: {
                "pattern": partition["regionRegex"],
                "suffix": partition["outputs"]["dnsSuffix"],
                "regions": regions(partition),
            }
            for partition in partitions()["partitions"]
        },
        "services": {prefix: service(prefix, known[prefix]) for prefix in sorted(known)},
    }


def text(content: dict[str, Any]) -> str:
    """Return the text of the file: a line for each partition and each service."""
    parts = [
        f" {json.dumps(part)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
        + "\n }"
        for part, values in content.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(written()), encoding="utf-8")
