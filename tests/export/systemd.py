"""A real systemd of a test's own, in name spaces of its own: it starts units as on a machine that has booted.

It has an /etc, a /run and control groups of its own, knows no unit but those of a folder, and ends with the process
that has started it. It needs root, and version 1 of control groups or the hybrid form.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.run.mom_run import wait_until

_SYSTEMD = Path("/lib/systemd/systemd")
_GROUPS = Path("/sys/fs/cgroup")
_HIERARCHIES = ("systemd", "unified")
# Those that ordinary units name, with nothing in them.
_TARGETS = ("sysinit", "basic", "shutdown", "network-online", "multi-user", "test")
_BOOT = """
set -e
for name in systemd unified; do
    mkdir -p /sys/fs/cgroup/$name/{group}
    echo $$ > /sys/fs/cgroup/$name/{group}/cgroup.procs
done
exec unshare --mount --pid --fork --kill-child=KILL --cgroup --ipc --mount-proc --propagation private sh -c '
set -e
mount -t tmpfs tmpfs {folder}/own
mkdir {folder}/own/upper {folder}/own/work
mount -t overlay overlay -o lowerdir=/etc,upperdir={folder}/own/upper,workdir={folder}/own/work /etc
mount -t tmpfs tmpfs /run
mkdir /run/systemd
umount -l /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount --make-rshared /
export container=test SYSTEMD_UNIT_PATH={folder}/units SYSTEMD_LOG_TARGET=console
exec {systemd} --system --unit=test.target --show-status=no'
"""


def missing() -> str:
    """Return why no systemd can be started here, empty if one can."""
    if os.geteuid() != 0:
        return "only root can start a systemd of its own"
    if not _SYSTEMD.exists() or shutil.which("systemctl") is None:
        return "not installed: systemd"
    absent = [name for name in _HIERARCHIES if not (_GROUPS / name / "cgroup.procs").exists()]
    return f"no control groups: {', '.join(absent)}" if absent else ""


class Systemd:
    """A systemd that runs. units: the folder of its units. log: what it and they have said."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.units, self.log, self.pid = folder / "units", folder / "log", pid

    def inside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program as root in its name spaces."""
        command = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", "--ipc", "--", *words]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
        )

    def control(self, *words: str) -> int:
        """Run systemctl; return its exit status."""
        return self.inside("systemctl", *words).returncode

    def said(self) -> str:
        """Return its log."""
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def systemd(folder: Path) -> Iterator[Systemd]:
    """Start one with the units of `folder`/units, until the block ends."""
    (folder / "own").mkdir()
    (folder / "units").mkdir(exist_ok=True)
    for name in _TARGETS:
        (folder / "units" / f"{name}.target").write_text(f"[Unit]\nDescription={name}\nDefaultDependencies=no\n")
    group = f"mom-test-{os.getpid()}"
    script = _BOOT.format(group=group, folder=folder, systemd=_SYSTEMD)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: _is_systemd(children), "systemd does not start")
        running = Systemd(folder, int(children.read_text()))
        wait_until(lambda: running.control("is-active", "test.target") == 0, "systemd does not answer")
        yield running
    finally:
        process.kill()
        process.wait(120)
        wait_until(lambda: all(_remove(_GROUPS / name / group) for name in _HIERARCHIES), "a process is left")


def _is_systemd(children: Path) -> bool:
    pid = children.read_text().strip()
    return pid.isdigit() and Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"


def _remove(group: Path) -> bool:
    """Remove a control group with those below it; return whether it is gone."""
    for path, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(path).rmdir()
    return not group.exists()
