"""What AWS and Postgres adapters share: named sets of credentials, of which a caller chooses one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.adapters.other_content import OtherContent
from mom.atlas.documents import DataDocument, items_at, text_at, value_at
from mom.atlas.kinds import Kind
from mom.atlas.ownership import OwnDocument
from mom.atlas.references import only_reference
from mom.atlas.rules.findings import Findings
from mom.problems import Place, Problem
from mom.yamledit.data import Data
from mom.yamledit.nodes import Sequence as SequenceNode
from mom.yamledit.nodes import get
from mom.yamledit.paths import Path
from mom.yamledit.shape import Value
from mom.yamledit.source import Source


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of credentials: `settings` are its texts, in the order of the kind's keys.

    region: where AWS requests with it go; empty for a profile of another kind.
    """

    name: str
    settings: tuple[Setting, ...]
    region: str = ""


@dataclass(frozen=True, slots=True)
class ProfileAdapter:
    """An adapter whose spec is a list of profiles."""

    kind: str
    name: str
    profiles: tuple[Profile, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class ProfileSpec:
    """An adapter with profiles, to be written (`mom.atlas.edit.spec`).

    profiles: by name, the variable of each credential by its key. texts: by name, other keys of profiles.
    """

    kind: Kind
    name: str
    profiles: Mapping[str, Mapping[str, str]]
    list_key: str = "profiles"
    instead: str = "profile name"
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def spec(self) -> dict[str, Value]:
        """Return the profiles."""
        return {"profiles": [self._item(name) for name in self.profiles]}

    def reported(self) -> dict[str, object]:
        """Return what a report says of it beside its kind and name: for people's eyes and for scripts, no variable."""
        return {"profiles": list(self.profiles)}

    def missing_items(self, data: Data) -> Sequence[Value]:
        """Return the profiles that the document has not."""
        known = {text_at(profile, "name") for _, profile in items_at(data, "spec", "profiles")}
        return [self._item(name) for name in self.profiles if name not in known]

    def _item(self, name: str) -> dict[str, Value]:
        """Return a profile, its keys in alphabetical order as the original writes them."""
        written: dict[str, Value] = {key: f"${{{{ {variable} }}}}" for key, variable in self.profiles[name].items()}
        return dict(sorted({"name": name, **written, **self.texts.get(name, {})}.items()))

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
        """Return a problem for each credential of a profile in the document that is not the variable asked for."""
        other = OtherContent(source, existing, data)
        nodes = get(other.node, "profiles")
        for number, (_, profile) in enumerate(items_at(data, "spec", "profiles")):
            name = text_at(profile, "name")
            asked = self.profiles.get(name or "")
            if asked is None or not isinstance(profile, dict):
                continue
            node = nodes.items[number] if isinstance(nodes, SequenceNode) else None
            texts = self.texts.get(name or "", {})
            for key in dict.fromkeys((*asked, *texts, *profile)):
                if key != "name" and (key not in texts or profile.get(key) != texts[key]):
                    wrong = f"is not {texts[key]}" if key in texts else _difference(profile.get(key), asked.get(key))
                    if wrong is not None:
                        path = f"spec.profiles[{number}].{key}"
                        other.add(get(node, key) or node, path, f"`{key}` of profile {name} {wrong}", secret=True)
        return other.problems


def _difference(value: Data, variable: str | None) -> str | None:
    """Return how the value of a key differs from a reference to `variable`, None if it does not. It is not repeated."""
    if variable is None:
        return "was not asked for"
    if value is None:
        return f"is missing: ${{{{ {variable} }}}}"
    return None if only_reference(value) == variable else f"is not ${{{{ {variable} }}}}"


class ProfileKind(AdapterKind[ProfileAdapter]):
    """A kind whose spec is a list of profiles. `credentials` are the keys of a profile beside its name and `texts`."""

    credentials: tuple[str, ...]
    texts: tuple[str, ...] = ()
    target_label = "profiles"

    @abstractmethod
    def check_profile(self, findings: Findings, path: Path) -> None:
        """Add what is wrong with the credentials of the profile at `path`."""

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
                    f"duplicate profile `{name}`",
                    related=((findings.document.place(first), "the first one"),),
                )
            self.check_profile(findings, path)

    def command_words(self, name: str, document: Data) -> list[str] | None:
        """Return the command with an option for each profile; none where a credential is not one reference."""
        spec = value_at(document, "spec")
        if not isinstance(spec, dict) or "profiles" not in spec:
            return None
        further = self.further_words(spec)
        if further is None:
            return None
        words = self.adding(name)
        for _, profile in items_at(spec, "profiles"):
            if not isinstance(profile, dict) or profile.keys() - {"name", *self.credentials, *self.texts}:
                return None
            # In the order in which the option takes their variables; the last of AWS may be missing.
            given = [profile[key] for key in self.credentials if key in profile]
            variables = [variable for value in given if (variable := only_reference(value)) is not None]
            if len(variables) < len(given):
                return None
            words += ["--profile", ",".join([str(profile.get("name")), *variables])]
        return words + further

    def further_words(self, spec: dict[str, Data]) -> list[str] | None:
        """Return the options for what a spec has beside names and credentials; None where no option says it."""
        return None if spec.keys() - {"profiles"} else []

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
            profiles.append(Profile(name, settings, text_at(profile, "region") or ""))
        return ProfileAdapter(
            self.kind.kind, document.name or "", tuple(profiles), document.place(("metadata", "name"))
        )

    def is_narrower(self, was: ProfileAdapter, becomes: ProfileAdapter) -> bool:
        """Whether no profile is new."""
        return {profile.name for profile in becomes.profiles} <= {profile.name for profile in was.profiles}

    def target(self, adapter: ProfileAdapter) -> str:
        """Return the names of the profiles."""
        return ", ".join(profile.name for profile in adapter.profiles)

    def leads_to(self, adapter: ProfileAdapter) -> str:
        """Return the kind, and in whose names requests go there."""
        return f"{self.kind.kind} as {self.target(adapter)}"

    def settings(self, adapter: ProfileAdapter) -> Iterator[Setting]:
        """Yield the credentials, profile by profile."""
        for profile in adapter.profiles:
            yield from profile.settings
