"""What every kind of adapter has in common: the functions that a module of this package implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from mom.atlas.documents import DataDocument
from mom.atlas.kinds import Kind
from mom.atlas.schema_files import Schema, read_schema
from mom.atlas.values.hosts import host_of
from mom.atlas.values.objection import Objection
from mom.atlas.values.secrets import known_token
from mom.problems import Place
from mom.yamledit.data import Data

if TYPE_CHECKING:
    from mom.atlas.model import Adapter
    from mom.atlas.rules.findings import Findings

AdapterT = TypeVar("AdapterT", bound="Adapter")


class Setting(NamedTuple):
    """A text of an adapter that may contain environment references.

    label: how a message names it, such as `header X-Api-Key`. place: where it is in the file.
    """

    label: str
    value: str
    place: Place


class Difference(NamedTuple):
    """A part in which an adapter is not what it was, in words for a reviewer.

    opens: whether more can be reached, or by more callers, or a credential is sent where it was not. warning: what must
    not be missed about it, empty where there is nothing.
    """

    words: str
    opens: bool = False
    warning: str = ""


class AdapterKind(ABC, Generic[AdapterT]):
    """A kind of adapter. A module implements it once and enters it in the registry (`mom.atlas.adapters`)."""

    kind: Kind
    # Where the path of an adapter does not have its name: that path. Then an Atlas can serve one of the kind only.
    shared_path: str = ""
    # What `target` is called where it has changed.
    target_label = "target"

    def schema(self) -> Schema:
        """Return the JSON Schema of its documents: a file below `schemas/`."""
        return read_schema(self.kind.schema)

    def check(self, findings: Findings) -> None:
        """Add what is wrong with a document of this kind, beyond what its schema says."""

    def add_command(self, name: str) -> str:
        """Return how the command line begins that adds such an adapter."""
        return f"mom atlas config {' '.join(self.adding(name))}"

    def adding(self, name: str) -> list[str]:
        """Return how the command of `mom atlas config` begins that adds such an adapter."""
        return [f"add-{self.kind.kind.lower()}-adapter", "--adapter-name", name]

    def command_words(self, name: str, document: Data) -> list[str] | None:  # noqa: ARG002
        """Return the command of `mom atlas config` that adds an adapter whose document had that data, and its options.

        None where no options say the same, or where they would repeat a credential in plain text.
        """
        return None

    def subject(self, adapter: AdapterT) -> str:
        """Return how a review names an adapter: its name, and its kind where that is not the usual one."""
        return f"{adapter.name} ({self.kind.kind})"

    @abstractmethod
    def read(self, document: DataDocument) -> AdapterT:
        """Return the adapter in a document that has passed validation."""

    @abstractmethod
    def target(self, adapter: AdapterT) -> str:
        """Return where its requests go, as lists show it: a base URL, or the names of its profiles."""

    def leads_to(self, adapter: AdapterT) -> str:
        """Return the same for a line that does not name the kind."""
        return self.target(adapter)

    @abstractmethod
    def settings(self, adapter: AdapterT) -> Iterator[Setting]:
        """Yield the texts that may contain environment references, in the order of the file."""

    def encoded(self, adapter: AdapterT, variables: Mapping[str, str]) -> Iterator[str]:  # noqa: ARG002
        """Yield credentials in the forms in which they are sent, where those are not their variables' own."""
        return iter(())

    def doubts(self, adapter: AdapterT, variables: Mapping[str, str]) -> Iterator[tuple[str, Objection, Setting]]:  # noqa: ARG002
        """Yield a variable, what is probably wrong with its value, and where it is used; never the value itself.

        An objection's message is a clause that follows the variable's name.
        """
        return iter(())

    def is_narrower(self, was: AdapterT, becomes: AdapterT) -> bool:
        """Whether the new target only reaches a part of what the old one reaches."""
        return self.target(was) == self.target(becomes)

    def destination(self, adapter: AdapterT, setting: Setting) -> str:
        """Return the host that a setting's variables are sent to: of the URL it is part of, else of the target."""
        return host_of(setting.value) or host_of(self.target(adapter)) or self.kind.kind

    def is_plain_credential(self, setting: Setting) -> bool:
        """Whether a setting is a credential in plain text."""
        return known_token(setting.value) is not None

    def callers(self, adapter: AdapterT) -> str:  # noqa: ARG002
        """Return who may call, and what, in words for a reviewer."""
        from mom.atlas.policy_review import EVERYTHING

        return EVERYTHING

    def reviewed(self, old: AdapterT | None, new: AdapterT) -> Iterator[Difference]:
        """Yield what a review reports of a change beside the target and the variables; of an addition without old."""
        if old is None:
            return
        before, after = (
            {setting.label: setting.value for setting in self.settings(adapter) if setting.value}
            for adapter in (old, new)
        )
        for label in {**before, **after}:
            if before.get(label) != after.get(label):
                how = "added" if label not in before else "changed" if label in after else "removed"
                yield Difference(f"{label} {how}")

    def differences(self, old: AdapterT, new: AdapterT) -> list[str]:
        """Return the parts in which two adapters of one name differ, in words such as `base URL`; none if equal."""
        before, after = ({setting.label: setting.value for setting in self.settings(adapter)} for adapter in (old, new))
        return [label for label in {**before, **after} if before.get(label) != after.get(label)]
