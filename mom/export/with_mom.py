"""What an engine needs to run `mom atlas run` itself: the configuration with the files that it names, and arguments.

    atlas.yml         the configuration, as it is
    NAME              each key set and each file of authorities, where the configuration has it

A client certificate and its key are in no export: engines put them beside these, as they do with other credentials.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from mom.atlas.rules.catalogue import problem_of
from mom.envoy import jwt
from mom.envoy.options import STREAM_LIMIT, Options
from mom.envoy.translate import problems
from mom.errors import MomError
from mom.export.model import ExportedFile, Layout, Source
from mom.export.refusals import without_local_key
from mom.problems import Place, Problem
from mom.run.kubernetes import STAND_IN, with_cluster
from mom.run.trust import tls_settings

CONFIGURATION = "atlas.yml"
RULE = "export-path"
# mom waits 30 seconds for requests in progress, and Envoy up to 5 to end.
STOP_SECONDS = 45


def files(source: Source) -> tuple[ExportedFile, ...]:
    """Return the configuration and what it names, as they are: no line of it moves."""
    named = {name: text for name, text in source.files.items() if name != CONFIGURATION}
    return (
        ExportedFile(CONFIGURATION, source.text, comment=""),
        *(ExportedFile(posixpath.normpath(name), f"{text}\n", comment="") for name, text in sorted(named.items())),
    )


def credential_files(source: Source) -> dict[str, str]:
    """Return the names in a folder of credentials of what must be beside the configuration, by its place there."""
    return {posixpath.normpath(name): file for name, file in source.pem_files.items()}


def arguments(layout: Layout) -> tuple[str, ...]:
    """Return the arguments of `mom atlas run`. Without a folder of credentials they are in its environment."""
    options = ["--file", f"{layout.configuration}/{CONFIGURATION}", "--listen", str(layout.listen), "--no-local-key"]
    if layout.credentials is not None:
        options += ["--credentials-dir", layout.credentials]
    if layout.access_log is not None:
        options += ["--access-log", layout.access_log]
    if layout.tls is not None:
        options += ["--tls-cert", layout.tls[0], "--tls-key", layout.tls[1]]
    if layout.metrics is not None:
        options += ["--metrics", str(layout.metrics)]
    if layout.timeout is not None:
        options += ["--timeout", f"{layout.timeout:g}"]
    if layout.stream_limit != STREAM_LIMIT:
        options += ["--stream-limit", f"{layout.stream_limit:g}"]
    if layout.connection_limit:
        options += ["--connection-limit", f"{layout.connection_limit:g}"]
    return (*options, *(() if layout.key_slots else ("--no-key-slots",)))


def check(source: Source, layout: Layout) -> None:
    """Raise MomError with a Problem for each thing that a run there could not do."""
    # mom finds the cluster itself, there.
    configuration = with_cluster(source.configuration, STAND_IN)
    jwks = {each.public_key: source.files.get(each.public_key, "") for each in configuration.identity_providers}
    options = Options(
        listen=layout.listen,
        ca_file=layout.ca_file,
        jwks={name: text for name, text in jwks.items() if not jwt.is_url(name)},
    )
    found = [without_local_key(problem) for problem in problems(configuration, options)]
    found += _outside(source)
    if found:
        found.sort(key=lambda problem: (problem.place.line, problem.place.column))
        raise MomError(f"{configuration.file} cannot be exported", problems=found)


def _outside(source: Source) -> Iterator[Problem]:
    """Yield what is not below the folder of the configuration: on another machine it would be elsewhere, or missing."""
    for name, place in _named(source):
        path = posixpath.normpath(name)
        if posixpath.isabs(path) or path.split("/")[0] == ".." or path == CONFIGURATION:
            message = f"{name} is not in the folder of the configuration"
            yield problem_of(place, RULE, message)


def _named(source: Source) -> Iterator[tuple[str, Place]]:
    for provider in source.configuration.identity_providers:
        if not jwt.is_url(provider.public_key):
            yield provider.public_key, provider.place
    for adapter, tls in tls_settings(source.configuration):
        for name in tls.files:
            yield name, adapter.place
