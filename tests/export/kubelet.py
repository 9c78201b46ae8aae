"""What the kubelet does with the volumes of a pod: files in a folder that changes at once, by a symbolic link.

Kubernetes: pkg/volume/util/atomic_writer.go. A file is a link to one of the same name below `..data`, which is a link
to a folder with a time in its name; an update makes a new folder, and has `..data` lead to it.
"""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_numbers = itertools.count()


@dataclass(frozen=True)
class Volume:
    """A volume's folder. mode and group: of its files."""

    folder: Path
    mode: int = 0o644
    group: int = -1

    def write(self, files: Mapping[str, bytes]) -> None:
        """Have the volume contain `files`, by their paths, and nothing else."""
        self.folder.mkdir(mode=0o755, exist_ok=True)
        new = self.folder / f"..2026_11_26_12_00_00.{next(_numbers)}"
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(self.mode)
            os.chown(path, -1, self.group)
        old = self.folder / "..data"
        before = old.resolve() if old.is_symlink() else None
        (self.folder / "..data_tmp").symlink_to(new.name)
        (self.folder / "..data_tmp").rename(old)
        shown = {Path(name).parts[0] for name in files}
        for name in shown:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.iterdir():
            if link.name not in shown and not link.name.startswith(".."):
                link.unlink()
        if before is not None:
            for path in sorted(before.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            before.rmdir()


@dataclass
class Node:
    """A node: a folder for the volumes of its pod, and the objects of the API server, by kind and name."""

    folder: Path
    objects: Mapping[tuple[str, str], Any]
    volumes: dict[str, Volume] = field(default_factory=dict)

    def mount(self, pod: Mapping[str, Any]) -> None:
        """Write the volumes of a pod, but for those in memory, where this machine has one."""
        for given in pod["volumes"]:
            if "emptyDir" in given:
                continue
            secret = given.get("secret")
            mode = (secret or given["projected"]).get("defaultMode", 0o644)
            group = pod["securityContext"]["fsGroup"] if os.geteuid() == 0 else -1
            volume = self.volumes[given["name"]] = Volume(self.folder / given["name"], mode, group)
            if secret:
                volume.write(self._secret(secret["secretName"]))
            else:
                volume.write(dict(self._projected(given["projected"]["sources"])))

    def mounts(self, pod: Mapping[str, Any]) -> dict[str, Path]:
        """Return the folders of the volumes, by where the pod's one container has them."""
        (container,) = pod["containers"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        return {mounts[name]: volume.folder for name, volume in self.volumes.items()}

    def _secret(self, name: str) -> dict[str, bytes]:
        return {key: base64.b64decode(value) for key, value in self.objects["Secret", name]["data"].items()}

    def _projected(self, sources: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, bytes]]:
        for source in sources:
            if "secret" in source:
                given, data = source["secret"], self._secret(source["secret"]["name"])
            else:
                given = source["configMap"]
                data = {key: text.encode() for key, text in self.objects["ConfigMap", given["name"]]["data"].items()}
            for item in given["items"]:
                yield item["path"], data[item["key"]]
