"""Podman with runc (Debian's packages), its images and containers in a folder of the test's own."""

from __future__ import annotations

import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from tests.envoy.binary import ENVOY

# What nested containers and machines without systemd or new cgroups can do.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str:
    """Return why containers cannot run here, empty if they can."""
    if os.geteuid() != 0:
        return "podman has runc start containers as root here"
    absent = [name for name in ("podman", "runc") if shutil.which(name, path=_PATH) is None]
    return f"not installed: {', '.join(absent)} (apt install podman runc)" if absent else ""


def _remove(kept: str, environ: dict[str, str]) -> None:
    """End all containers, take their mounts away, and remove what podman has kept."""
    for words in (["pod", "rm"], ["rm"]):
        command = ["podman", *words, "--all", "--force", "--time", "1"]
        subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    for line in Path("/proc/self/mounts").read_text().splitlines():
        if (path := line.split()[1]).startswith(f"{kept}/"):
            subprocess.run(["umount", "--lazy", path], capture_output=True, check=False)
    shutil.rmtree(kept, ignore_errors=True)


class Podman:
    """Runs podman. folder: for its settings.

    What it keeps is in a folder of its own, removed at the end: pytest, which keeps those of tests, could not remove
    one in which an interrupted test has left a mount.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "containers.conf").write_text(_CONTAINERS)
        kept = tempfile.mkdtemp(prefix="mom-podman-")
        storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{kept}/graph"\nrunroot = "{kept}/run"\n'
        (folder / "storage.conf").write_text(storage)
        self._environ = {
            "PATH": f"{os.environ['PATH']}:{_PATH}",
            "HOME": str(folder),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            # A build may not mount what runc would.
            "BUILDAH_ISOLATION": "chroot",
            # Each of them would be a copy of the whole.
            "BUILDAH_LAYERS": "false",
        }

        weakref.finalize(self, _remove, kept, self._environ)

    def __call__(self, *arguments: str) -> str:
        """Run a command; return what it prints on stdout."""
        return self.run("podman", *arguments)

    def run(self, *command: str) -> str:
        """Run a program that runs podman; return what it prints on stdout."""
        done = subprocess.run(
            command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command[:2])}: {done.stderr[-2000:]}"
        return done.stdout

    def import_envoy(self, folder: Path, reference: str, authorities: Path, *, programs: Sequence[str] = ()) -> None:
        """Make an image of the tests' Envoy, with it where the official one has it, and its shared libraries.

        programs: others of this machine that are in it, too.
        """
        paths = [path for name in programs if (path := shutil.which(name)) is not None]
        listed = subprocess.run(["ldd", ENVOY, *paths], capture_output=True, text=True, check=True).stdout
        archive = folder / "image.tar"
        with tarfile.open(archive, "w", dereference=True) as tar:
            tar.add(ENVOY, "usr/local/bin/envoy")
            tar.add(authorities, "etc/ssl/certs/ca-certificates.crt")
            for path in paths:
                tar.add(path, path.lstrip("/"))
            for library in sorted(set(re.findall(r"(/\S+) \(", listed))):
                tar.add(library, library.lstrip("/"))
        self("import", "--change", f"ENV PATH={_PATH}", str(archive), reference)
        archive.unlink()

    def import_python(self, folder: Path, reference: str, authorities: Path, wheels: Path) -> None:
        """Make an image of this machine's Python, it and authorities where the official one has them, bash and grep.

        wheels: the folder of what its pip finds, instead of a registry.
        """
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        library = Path(sys.base_prefix) / "lib" / name
        program = Path(sys.executable).resolve()
        tools = [Path(found) for tool in ("bash", "grep") if (found := shutil.which(tool)) is not None]
        # What wheels expect of a system (PEP 599): libgcc_s, for one.
        built = Path(importlib.import_module("rpds.rpds").__file__ or "")
        loaded = [Path(ENVOY), built, *(library / "lib-dynload").glob("*.so"), program, *tools]
        listed = subprocess.run(["ldd", *loaded], capture_output=True, text=True, check=True).stdout
        archive = folder / "python.tar"
        with tarfile.open(archive, "w", dereference=True) as tar:
            tar.add(program, f"usr/local/bin/{name}")
            tar.add(library, f"usr/local/lib/{name}", filter=_without_packages)
            for path in (library / "site-packages").glob("pip*"):
                tar.add(path, f"usr/local/lib/{name}/site-packages/{path.name}")
            for tool in tools:
                tar.add(tool, str(tool).lstrip("/"))
            tar.add(tools[0], "bin/sh")
            for path in sorted(set(re.findall(r"(/\S+) \(", listed))):
                tar.add(path, path.lstrip("/"))
            tar.add(authorities, "etc/ssl/certs/ca-certificates.crt")
            tar.add(wheels, "wheels")
            _add(tar, "usr/local/bin/pip", f'#!/bin/sh\nexec {name} -m pip "$@"\n', 0o755)
            _add(tar, "tmp", None, 0o1777)
        settings = {"PATH": _PATH, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "PIP_ROOT_USER_ACTION": "ignore"}
        changes = [word for key, value in settings.items() for word in ("--change", f"ENV {key}={value}")]
        self("import", *changes, str(archive), reference)
        archive.unlink()


def _without_packages(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what is installed, and what no program needs."""
    left_out = ("/site-packages/", "/test/", "/__pycache__/", "/idlelib/", "/config-", "/tkinter/")
    return None if any(part in f"{entry.name}/" for part in left_out) else entry


def _add(tar: tarfile.TarFile, name: str, text: str | None, mode: int) -> None:
    """Add a file, or a folder without a text."""
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if text is None:
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
        return
    entry.size = len(text)
    tar.addfile(entry, io.BytesIO(text.encode()))
