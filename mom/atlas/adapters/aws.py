"""Adapters of kind AWS: the AWS API, by profiles of access keys, for some services and regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mom.atlas.adapters.aws_endpoints import (
    DEFAULT_REGION,
    DEFAULT_SERVICES,
    check_region,
    check_service,
    endpoint,
)
from mom.atlas.adapters.kind import Difference
from mom.atlas.adapters.other_content import OtherContent
from mom.atlas.adapters.profiles import ProfileAdapter, ProfileKind, ProfileSpec
from mom.atlas.documents import DataDocument, items_at, text_at, texts_at, value_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.value_rules import check_credential, check_secret
from mom.atlas.values.names import check_adapter_name
from mom.atlas.values.secrets import known_token
from mom.gateway import AWS_PREFIX
from mom.yamledit.nodes import get
from mom.yamledit.paths import Path

if TYPE_CHECKING:
    from mom.atlas.adapters.profiles import Profile
    from mom.atlas.ownership import OwnDocument
    from mom.problems import Problem
    from mom.yamledit.data import Data
    from mom.yamledit.shape import Value
    from mom.yamledit.source import Source

AWS = Kind(ADAPTERS_VERSION, "AWS")
CREDENTIALS = ("accessKeyId", "secretAccessKey", "sessionToken")
_LISTS = ("services", "regions")


@dataclass(frozen=True, slots=True)
class AwsSpec(ProfileSpec):
    """An AWS adapter to be written. `services` and `regions`: empty where the defaults shall apply."""

    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def spec(self) -> dict[str, Value]:
        """Return the profiles and the lists, in alphabetical order."""
        return dict(sorted({**ProfileSpec.spec(self), **self._asked_lists()}.items()))

    def reported(self) -> dict[str, object]:
        """Return the same, with the lists that were asked for, and the regions that profiles have of their own."""
        regions = {name: texts["region"] for name, texts in self.texts.items()}
        return ProfileSpec.reported(self) | ({"profileRegions": regions} if regions else {}) | self._asked_lists()

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
        """Return the same, and a problem for a list that was asked for and is another in the document."""
        other = OtherContent(source, existing, data)
        for key, asked in self._asked_lists().items():
            if value_at(data, "spec", key) != asked:
                other.add(get(other.node, key), f"spec.{key}", f"`{key}` is not {', '.join(asked)}")
        return [*ProfileSpec.differences(self, source, existing, data), *other.problems]

    def _asked_lists(self) -> dict[str, list[str]]:
        """Return the lists that were asked for, by their keys."""
        return {key: list(values) for key in _LISTS if (values := getattr(self, key))}


@dataclass(frozen=True, slots=True)
class AwsAdapter(ProfileAdapter):
    """AWS accounts. `services` are endpoint prefixes, `regions` those that every profile reaches beside its own.

    A service without an endpoint in a region, of which only a default can have one, is left out there.
    """

    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def regions_of(self, profile: Profile) -> tuple[str, ...]:
        """Return the regions that callers of a profile reach, its own first."""
        given = (*((profile.region,) if profile.region else ()), *self.regions)
        return tuple(dict.fromkeys(given or (DEFAULT_REGION,)))


class AwsKind(ProfileKind):
    """The kind AWS."""

    kind = AWS
    shared_path = AWS_PREFIX
    credentials = CREDENTIALS
    texts = ("region",)

    def further_words(self, spec: dict[str, Data]) -> list[str] | None:
        """Return the options for regions of profiles, and for the lists."""
        words: list[str] = []
        for _, profile in items_at(spec, "profiles"):
            region = value_at(profile, "region")
            if isinstance(region, str):
                words += ["--profile-region", f"{text_at(profile, 'name')}={region}"]
            elif region is not None:
                return None
        for key, option in (("services", "--service"), ("regions", "--region")):
            given = spec.get(key, [])
            if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
                return None
            words += [word for text in given for word in (option, str(text))]
        return None if spec.keys() - {"profiles", *_LISTS} else words

    def check(self, findings: Findings) -> None:
        """Add what is wrong with the profiles, the services and the regions."""
        super().check(findings)
        data = findings.document.data
        for key, rule, check in (
            ("services", "aws-service", check_service),
            ("regions", "aws-region", check_region),
        ):
            given = value_at(data, "spec", key)
            if given == []:
                findings.add(
                    ("spec", key), "wrong-value", f"`{key}` is empty", hint="write an item in it, or remove it"
                )
            for number, text in enumerate(given if isinstance(given, list) else ()):
                if isinstance(text, str) and text and (wrong := check(text)):
                    findings.objection(("spec", key, number), rule, wrong)
        if not any(problem.rule in {"aws-service", "aws-region"} for _, problem in findings.problems):
            self._check_endpoints(findings)

    def _check_endpoints(self, findings: Findings) -> None:
        """Add which service that is listed has no endpoint in a region that is reached."""
        adapter = self.read(findings.document)
        listed = texts_at(findings.document.data, "spec", "services")
        reached = dict.fromkeys(region for profile in adapter.profiles for region in adapter.regions_of(profile))
        for number, service in enumerate(listed):
            missing = [region for region in reached if endpoint(service, region) is None]
            if missing:
                message = f"`{service}` has no endpoint in {', '.join(missing)}"
                findings.add(("spec", "services", number), "aws-service", message, hint="remove it, or these regions")

    def check_profile(self, findings: Findings, path: Path) -> None:
        """Add what is wrong with the name or the region, or that a key is written out.

        The id of a key is not a secret by itself, but betrays one beside it.
        """
        data = findings.document.data
        name, region = (text_at(data, *path, key) for key in ("name", "region"))
        if name and not findings.has_template((*path, "name")) and (wrong := check_adapter_name(name)):
            findings.objection((*path, "name"), "profile-name", wrong)
        if region and not findings.has_template((*path, "region")) and (wrong := check_region(region)):
            findings.objection((*path, "region"), "aws-region", wrong)
        check_secret(findings, (*path, "accessKeyId"), known_token)
        check_credential(findings, (*path, "secretAccessKey"))
        check_credential(findings, (*path, "sessionToken"))

    def read(self, document: DataDocument) -> AwsAdapter:
        """Return the adapter in a document that has passed validation."""
        given = super().read(document)
        services, regions = (tuple(dict.fromkeys(texts_at(document.data, "spec", key))) for key in _LISTS)
        return AwsAdapter(given.kind, given.name, given.profiles, given.place, services or DEFAULT_SERVICES, regions)

    def reviewed(self, old: ProfileAdapter | None, new: ProfileAdapter) -> Iterator[Difference]:
        """Yield differences of the settings, then which services and regions came and went."""
        yield from super().reviewed(old, new)
        if not isinstance(old, AwsAdapter) or not isinstance(new, AwsAdapter):
            return
        for key in _LISTS:
            before, after = getattr(old, key), getattr(new, key)
            for words, these, those in (("also", after, before), ("no longer", before, after)):
                if others := [each for each in these if each not in those]:
                    yield Difference(f"{words} the {key} {', '.join(others)}", opens=words == "also")
        for name, was, becomes in _moved_profiles(old, new):
            shown = f"{was or DEFAULT_REGION} -> {becomes or DEFAULT_REGION}"
            yield Difference(f"region of profile {name} {shown}", opens=True)

    def differences(self, old: ProfileAdapter, new: ProfileAdapter) -> list[str]:
        """Return the parts in which two adapters of one name differ: credentials, regions, services."""
        words = super().differences(old, new)
        if isinstance(old, AwsAdapter) and isinstance(new, AwsAdapter):
            words += [key for key in _LISTS if getattr(old, key) != getattr(new, key)]
            words += [f"region of profile {name}" for name, _, _ in _moved_profiles(old, new)]
        return words


def _moved_profiles(old: AwsAdapter, new: AwsAdapter) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each profile in both whose region is another now, with the old and the new one."""
    before = {profile.name: profile.region for profile in old.profiles}
    for profile in new.profiles:
        if (was := before.get(profile.name, profile.region)) != profile.region:
            yield profile.name, was, profile.region


KIND = AwsKind()
