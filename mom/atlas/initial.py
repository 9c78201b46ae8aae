"""A first configuration, as `mom atlas config init` writes it: valid, and commented where a newcomer has to decide."""

from __future__ import annotations

from enum import StrEnum

from mom.atlas.kinds import ATLAS
from mom.atlas.model import Configuration
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.values.placeholders import PLACEHOLDER_DOMAIN, placeholder_provider
from mom.gateway import DEFAULT_PORT
from mom.problems import Problem
from mom.yamledit.scalars import write


class Preset(StrEnum):
    """For whom the configuration is: this machine, or a deployment with an identity provider."""

    LOCAL = "local"
    PRODUCTION = "production"


_PURPOSES = {
    Preset.LOCAL: (
        "# An Atlas for this machine: `mom atlas run` serves it at 127.0.0.1. It accepts",
        "# requests signed with your own key, as `mom curl` sends them.",
    ),
    Preset.PRODUCTION: (
        "# An Atlas for a deployment. Replace every value under .invalid: with one of",
        "# them, `mom atlas run` refuses to start.",
    ),
}
_PROVIDER = f"""\
  # Who may call: the OpenID Connect provider that issues your callers' tokens.
  # ISSUER/.well-known/openid-configuration has its issuer and its jwks_uri;
  # the audience is what its tokens for this Atlas have as `aud`.
  identityProviders:
    oidc:
      publicKey: https://login.{PLACEHOLDER_DOMAIN}/.well-known/jwks.json
      audience: https://atlas.{PLACEHOLDER_DOMAIN}
      issuer: https://login.{PLACEHOLDER_DOMAIN}/
"""
_OWNER = "  # The domain of your organization.\n"


def initial_text(*, name: str, owner: str | None = None, preset: Preset = Preset.LOCAL) -> str:
    """Return a configuration without adapters, ending in a line feed: valid but for the placeholders of `production`.

    It begins with `---`, so that it can be appended to a file of other documents. A name or owner that YAML would read
    as another type is quoted.
    """
    lines = [
        "---",
        *_PURPOSES[preset],
        f"apiVersion: {ATLAS.api_version}",
        f"kind: {ATLAS.kind}",
        "metadata:",
        f"  name: {write(name, flow=False)}",
        "spec:",
    ]
    text = "\n".join(lines) + "\n"
    if owner is not None:
        text += f"{_OWNER}  owner: {write(owner, flow=False)}\n"
    else:
        text += f"{_OWNER}  # owner: example.com\n"
    if preset is Preset.PRODUCTION:
        text += _PROVIDER
    text += f"  exposedPorts:\n    ingressHttpPort: {DEFAULT_PORT}\n"
    text += "  # The APIs, each with a document below: `mom atlas config add` adds one.\n"
    return f"{text}  apiAdapters: []\n"


def placeholder_problems(configuration: Configuration) -> list[Problem]:
    """Return a problem for each identity provider that is still the one of the preset `production`."""
    return [
        problem_of(provider.place, "placeholder-provider", message)
        for provider in configuration.identity_providers
        if (message := placeholder_provider(provider.name, (provider.issuer, provider.public_key, provider.audience)))
    ]
