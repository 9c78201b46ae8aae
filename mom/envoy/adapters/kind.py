"""What Envoy needs to serve a kind of adapter: the functions that a module of this package implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from mom.atlas.adapters.http_limits import Limits
from mom.atlas.model import Adapter
from mom.atlas.policy import AllowList
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.values.names import check_adapter_name
from mom.envoy.clusters import Upstream
from mom.envoy.key_slots import KeySlot
from mom.envoy.messages import Json
from mom.envoy.options import Options
from mom.problems import Problem

AdapterT = TypeVar("AdapterT", bound=Adapter)


class ServedKind(ABC, Generic[AdapterT]):
    """A kind of adapter that Atlas serves. A module implements it once and enters it in the registry."""

    # Whether its routes find values that may change as secrets (`mom.envoy.secrets`). Those of every kind respond with
    # 503 where a variable has no value.
    has_secrets = False

    @abstractmethod
    def path(self, adapter: AdapterT) -> str:
        """Return the path below which the adapter is served, without a trailing slash. It is of this adapter alone."""

    def reached(self, adapter: AdapterT) -> str:
        """Return the path for people: with a slash at its end, and words in capitals for what a caller chooses."""
        return f"{self.path(adapter)}/"

    def example(self, adapter: AdapterT) -> str:
        """Return the path, with a query if any, of a request that shows whether the adapter works."""
        return f"{self.path(adapter)}/"

    def proofs(self, adapter: AdapterT) -> Iterable[str]:  # noqa: ARG002
        """Return what follows the path in requests whose success, status 200, proves that each credential works."""
        return ()

    def problems(self, adapter: AdapterT) -> Iterator[Problem]:
        """Yield what Envoy would accept in silence and then do wrong: for every kind, a name that is not a segment."""
        if wrong := check_adapter_name(adapter.name):
            yield problem_of(adapter.place, "adapter-name", wrong.message, hint=wrong.hint)

    @abstractmethod
    def upstreams(self, adapter: AdapterT) -> Iterator[Upstream]:
        """Yield what requests are forwarded to. Adapters with equal upstreams share the clusters."""

    def endpoints(self, adapter: AdapterT, options: Options) -> Iterator[Upstream]:  # noqa: ARG002
        """Yield what Atlas itself sends requests to, for an adapter's credential."""
        return iter(())

    def switched(self, adapter: AdapterT) -> Iterable[Upstream]:  # noqa: ARG002
        """Return those of its upstreams whose routes lead web sockets elsewhere (`Upstream.switched`)."""
        return ()

    @abstractmethod
    def routes(self, adapter: AdapterT, options: Options) -> list[Json]:
        """Return the routes of an adapter. Each matches `path` only where that ends at a segment."""

    def unserved(self, adapter: AdapterT, path: str) -> str | None:  # noqa: ARG002
        """Return why a path below the adapter leads to no endpoint, as Atlas responds; None where it leads to one."""
        return None

    def refusal(self, adapter: AdapterT, query: str) -> str | None:  # noqa: ARG002
        """Return why a request with this query is refused (400), None where it is not."""
        return None

    @abstractmethod
    def listed(self, adapter: AdapterT) -> Json:
        """Return what `GET /v1alpha1/apis` has about an adapter beside its kind and name. No secrets."""

    def allow(self, adapter: AdapterT) -> AllowList | None:  # noqa: ARG002
        """Return which requests may pass, None where all may."""
        return None

    def limits(self, adapter: AdapterT) -> Limits | None:  # noqa: ARG002
        """Return how many requests may pass, None for any number."""
        return None

    def headers(self, adapter: AdapterT) -> Iterable[str]:  # noqa: ARG002
        """Return the names of the headers that its routes set, whose aliases no client may send."""
        return ()

    def key_slots(self, adapter: AdapterT) -> Iterable[KeySlot]:  # noqa: ARG002
        """Return where a client may send the access token beside `Atlas-Accesstoken`.

        Only headers that the adapter's routes set or remove, whatever the client sent: Envoy's filter removes the token
        that it used, and no other.
        """
        return ()

    def composed(self, adapter: AdapterT) -> Mapping[str, Sequence[str]]:  # noqa: ARG002
        """Return what Envoy needs instead of the variables that the adapter names: each with the variables in it.

        Empty where Envoy needs the variables themselves.
        """
        return {}

    def environment(self, adapter: AdapterT, variables: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002
        """Return the values of what `composed` names. variables: those that have a value."""
        return {}

    def credential_headers(self, adapter: AdapterT) -> Iterable[str]:  # noqa: ARG002
        """Return those of `headers` with a credential: what an API repeats in one of these is masked."""
        return ()

    def http_filters(self, options: Options) -> list[Json]:  # noqa: ARG002
        """Return the HTTP filters that its routes need, in front of the router. They do nothing for other routes."""
        return []
