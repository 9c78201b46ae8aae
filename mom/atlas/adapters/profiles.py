"""What AWS and Postgres adapters share: named sets of credentials, of which a caller chooses one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.documents import DataDocument, items_at, text_at
from mom.atlas.rules.findings import Findings
from mom.problems import Place
from mom.yamledit.paths import Path


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of credentials: `settings` are its texts, in the order of the kind's keys."""

    name: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class ProfileAdapter:
    """An adapter whose spec is a list of profiles."""

    kind: str
    name: str
    profiles: tuple[Profile, ...]
    place: Place


class ProfileKind(AdapterKind[ProfileAdapter]):
    """A kind whose spec is a list of profiles. `credentials` are the keys of a profile beside its name."""

    credentials: tuple[str, ...]

    def check_profile(self, findings: Findings, path: Path) -> None:
        """Add what is wrong with the credentials of the profile at `path`."""
        raise NotImplementedError

    def check(self, findings: Findings) -> None:
        """Add what is wrong with the profiles, and that a name is not unique."""
        seen: dict[str, Path] = {}
        for path, profile in items_at(findings.document.data, "spec", "profiles"):
            name = text_at(profile, "name")
            place = (*path, "name")
            if name is not None and (first := seen.setdefault(name, place)) is not place:
                findings.add(
                    place,
                    "duplicate-profile",
                    f"the profile `{name}` stands twice",
                    hint="give one of them another name",
                    related=((findings.document.place(first), "the first one"),),
                )
            self.check_profile(findings, path)

    def read(self, document: DataDocument) -> ProfileAdapter:
        """Return the adapter in a document that has passed validation."""
        profiles = []
        for path, profile in items_at(document.data, "spec", "profiles"):
            name = text_at(profile, "name") or ""
            settings = tuple(
                Setting(f"{key} of profile {name}", value, document.place((*path, key)))
                for key in self.credentials
                if (value := text_at(profile, key)) is not None
            )
            profiles.append(Profile(name, settings))
        return ProfileAdapter(
            self.kind.kind, document.name or "", tuple(profiles), document.place(("metadata", "name"))
        )

    def target(self, adapter: ProfileAdapter) -> str:
        """Return the names of the profiles."""
        return ", ".join(profile.name for profile in adapter.profiles)

    def settings(self, adapter: ProfileAdapter) -> Iterator[Setting]:
        """Yield the credentials, profile by profile."""
        for profile in adapter.profiles:
            yield from profile.settings
