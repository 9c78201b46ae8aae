"""The same edit by other libraries, each as a program: `python peers.py NAME IN OUT`.

The edit: one `adapterRef` at the end of `spec.apiAdapters` of the first document, one HTTP document at the stream's
end. Each peer is used as its documentation shows; none of them checks or proves anything.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

REFERENCE = {"adapterRef": {"apiVersion": "moment.dev/adapters/v1alpha1", "kind": "HTTP", "name": "openai"}}
DOCUMENT = {
    "apiVersion": "moment.dev/adapters/v1alpha1",
    "kind": "HTTP",
    "metadata": {"name": "openai"},
    "spec": {
        "baseUrl": "https://api.openai.com",
        "headers": [{"name": "Authorization", "value": "Bearer ${{ OPENAI_API_TOKEN }}"}],
    },
}


def ruamel_yaml(source: Path, target: Path) -> None:
    """ruamel.yaml's round trip: load with comments, append, dump."""
    from ruamel.yaml import YAML

    yaml = YAML()
    documents: list[Any] = list(yaml.load_all(source))
    documents[0]["spec"]["apiAdapters"].append(REFERENCE)
    documents.append(DOCUMENT)
    with target.open("w") as out:
        yaml.dump_all(documents, out)


def pyyaml(source: Path, target: Path) -> None:
    """PyYAML with libyaml: safe load, append, dump. Comments and style are lost."""
    import yaml

    with source.open() as stream:
        documents: list[Any] = list(yaml.load_all(stream, Loader=yaml.CSafeLoader))
    documents[0]["spec"]["apiAdapters"].append(REFERENCE)
    documents.append(DOCUMENT)
    with target.open("w") as out:
        yaml.dump_all(documents, out, Dumper=yaml.CSafeDumper, sort_keys=False)


def yaml_edit(source: Path, target: Path) -> None:
    """yaml-edit, the lossless editor in Rust, through its Python package."""
    from yaml_edit import Document, YamlFile

    file = YamlFile.from_file(str(source))
    spec = file[0].get_mapping("spec")
    adapters = spec.get_sequence("apiAdapters") if spec else None
    assert adapters is not None
    adapters.append(REFERENCE)
    document = Document()
    for key, value in DOCUMENT.items():
        document[key] = value
    file.append(document)
    file.to_file(str(target))


PEERS = {"ruamel.yaml": ruamel_yaml, "PyYAML": pyyaml, "yaml-edit": yaml_edit}

if __name__ == "__main__":
    PEERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
