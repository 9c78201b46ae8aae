"""From a configuration's file, and the files that it names, to what is exported. No private key is read."""

from __future__ import annotations

import hashlib

from mom.atlas.initial import placeholder_problems
from mom.atlas.load import load_with_warnings
from mom.atlas.model import Configuration
from mom.envoy import jwt
from mom.errors import MomError
from mom.export.model import Source
from mom.problems import Problem, Severity
from mom.run.key_sets import KeySets
from mom.run.trust import authorities
from mom.yamledit.source import Source as Text


def read(text: Text) -> tuple[Source, tuple[Problem, ...]]:
    """Return what to export of a configuration, with the warnings about it.

    The files that it names are relative to it. Raises MomError with a Problem for each part that cannot be served.
    """
    configuration, found = load_with_warnings(text)
    if placeholders := placeholder_problems(configuration):
        raise MomError(f"{configuration.file} cannot be exported", problems=placeholders)
    files = {**_key_sets(configuration), **authorities(configuration)}
    digest = hashlib.sha256(text.text.encode())
    for name, content in sorted(files.items()):
        digest.update(f"\0{name}\0{content}".encode())
    source = Source(
        configuration=configuration, name=configuration.name, digest=digest.hexdigest(), text=text.text, files=files
    )
    return source, tuple(problem for problem in found if problem.severity is not Severity.ERROR)


def _key_sets(configuration: Configuration) -> dict[str, str]:
    in_files = tuple(each for each in configuration.identity_providers if not jwt.is_url(each.public_key))
    return KeySets().read(configuration._replace(identity_providers=in_files), "", strict=True)[0]
