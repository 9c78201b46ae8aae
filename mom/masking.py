"""What tokens look like in any text, so that none is shown. Knows nothing of Atlas, of YAML or of who asks."""

from __future__ import annotations

import re
from typing import NamedTuple


class TokenShape(NamedTuple):
    """The form of an issuer's credentials: a name for messages, and a pattern."""

    name: str
    pattern: re.Pattern[str]


def _shape(name: str, pattern: str) -> TokenShape:
    # Not inside a longer word: `risk-management-score` has no OpenAI key in it.
    return TokenShape(name, re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})"))


# Shapes that issuers document, so that leaked credentials are found: each has a prefix that other text does not.
TOKEN_SHAPES = (
    _shape("a Stripe key", r"[rs]k_(?:live|test)_[0-9A-Za-z]{8,}"),
    _shape("an API key (`sk-…`)", r"sk-[A-Za-z0-9_-]{8,}"),
    _shape("a GitHub token", r"gh[pousr]_[A-Za-z0-9]{8,}|github_pat_[A-Za-z0-9_]{8,}"),
    _shape("a GitLab token", r"gl(?:pat|ptt|rt|dt|cbt|ft|soat|imt|agent)-[A-Za-z0-9_-]{16,}"),
    _shape("a Slack token", r"xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}"),
    _shape("an AWS access key", r"(?:AKIA|ASIA)[0-9A-Z]{12,}"),
    _shape("a JSON Web Token", r"eyJ[A-Za-z0-9_-]{8,}"),
    _shape("a Google API key", r"AIza[0-9A-Za-z_-]{20,}"),
    _shape("a Google access token", r"ya29\.[0-9A-Za-z_-]{16,}"),
    _shape("a SendGrid key", r"SG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    _shape("a Linear key", r"lin_(?:api|oauth)_[A-Za-z0-9]{8,}"),
    _shape("an npm token", r"npm_[A-Za-z0-9]{16,}"),
    _shape("a PyPI token", r"pypi-[A-Za-z0-9_-]{16,}"),
    _shape("a Hugging Face token", r"hf_[A-Za-z0-9]{16,}"),
    _shape("a DigitalOcean token", r"do[opr]_v1_[0-9a-f]{16,}"),
    _shape("a Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{16,}"),
    _shape("a Telegram bot's token", r"bot\d{6,}:[A-Za-z0-9_-]{20,}"),
    _shape("the secret of a Slack webhook", r"T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}"),
    _shape("the token of a Discord webhook", r"webhooks/\d{10,}/[A-Za-z0-9_-]{40,}"),
    _shape("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)


# What every text with a token or a credential has; most have not, and need no further look.
_CANDIDATE = re.compile(r"[A-Za-z0-9_.-]{10}|://|[?&#][\w.-]+=")

# Where a URL has a credential: before its `@` (RFC 3986, section 3.2.1), and in parameters of such a name. An
# environment reference is none.
_USER_INFO = re.compile(r"(?<=://)(?![^/\s@]*\$\{)[^/\s@?#]+(?=@)")
_PARAMETER = re.compile(
    r"([?&#](?:[\w.-]*(?:key|token|secret|passw(?:or)?d|pwd|sig|signature|auth|credentials?|appid|sas))=)([^&\s#\"'`]+)",
    re.IGNORECASE,
)


def mask_tokens(text: str) -> str:
    """Return `text` with every known token, and every credential in a URL, replaced by as many asterisks."""
    if _CANDIDATE.search(text) is None:
        return text
    for shape in TOKEN_SHAPES:
        text = shape.pattern.sub(lambda match: "*" * len(match.group()), text)
    if "://" in text:
        text = _USER_INFO.sub(lambda match: "*" * len(match.group()), text)
    return _PARAMETER.sub(lambda match: match[1] + "*" * len(match[2]), text)
