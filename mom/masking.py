"""What tokens look like in any text, so that none is shown. Knows nothing of Atlas, of YAML or of who asks."""

from __future__ import annotations

import re
from functools import cache

# What an AWS access key begins with: the only shape that the name of an environment variable can have.
AWS_KEY_STARTS = ("AKIA", "ASIA")
# Shapes that issuers document, so that leaked credentials are found: each has a prefix that other text does not.
_TOKEN_SHAPES = (
    ("a Stripe key", r"[rs]k_(?:live|test)_[0-9A-Za-z]{8,}"),
    ("an API key (`sk-…`)", r"sk-[A-Za-z0-9_-]{8,}"),
    ("a GitHub token", r"gh[pousr]_[A-Za-z0-9]{8,}|github_pat_[A-Za-z0-9_]{8,}"),
    ("a GitLab token", r"gl(?:pat|ptt|rt|dt|cbt|ft|soat|imt|agent)-[A-Za-z0-9_-]{16,}"),
    ("a Slack token", r"xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}"),
    ("an AWS access key", rf"(?:{'|'.join(AWS_KEY_STARTS)})[0-9A-Z]{{12,}}"),
    ("a JSON Web Token", r"eyJ[A-Za-z0-9_-]{8,}"),
    ("a Google API key", r"AIza[0-9A-Za-z_-]{20,}"),
    ("a Google access token", r"ya29\.[0-9A-Za-z_-]{16,}"),
    ("a SendGrid key", r"SG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ("a Linear key", r"lin_(?:api|oauth)_[A-Za-z0-9]{8,}"),
    ("an npm token", r"npm_[A-Za-z0-9]{16,}"),
    ("a PyPI token", r"pypi-[A-Za-z0-9_-]{16,}"),
    ("a Hugging Face token", r"hf_[A-Za-z0-9]{16,}"),
    ("a DigitalOcean token", r"do[opr]_v1_[0-9a-f]{16,}"),
    ("a Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{16,}"),
    ("a Telegram bot's token", r"bot\d{6,}:[A-Za-z0-9_-]{20,}"),
    ("the secret of a Slack webhook", r"T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}"),
    ("the token of a Discord webhook", r"webhooks/\d{10,}/[A-Za-z0-9_-]{40,}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)


# What every text with a token or a credential has; most have not, and need no further look.
_CANDIDATE = re.compile(r"[A-Za-z0-9_.-]{10}|://|[?&#][\w.-]+=")

# Where a URL has a credential: before its `@` (RFC 3986, section 3.2.1), and in parameters of such a name. An
# environment reference is none.
_USER_INFO = r"(?<=://)(?![^/\s@]*\$\{)[^/\s@?#]+(?=@)"
_PARAMETER = (
    r"(?i)([?&#](?:[\w.-]*(?:key|token|secret|passw(?:or)?d|pwd|sig|signature|auth|credentials?|appid|sas))=)"
    r"([^&\s#\"'`]+)"
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each shape's name and pattern. They are compiled at first use: edits must start at once."""
    # Not inside a longer word: `risk-management-score` has no OpenAI key in it.
    return tuple((name, re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})")) for name, pattern in _TOKEN_SHAPES)


def path_with_token() -> str:
    """Return a regular expression (RE2, for the whole of a request target) of paths that have a token in them.

    Only what is before the query counts.
    """
    shapes = "|".join(pattern for _, pattern in _TOKEN_SHAPES)
    return f"(?s:(?:[^?]*[^A-Za-z0-9_?-])?(?:{shapes}).*)"


def token_shape(text: str) -> str | None:
    """Return the name of the first shape of which `text` has a token, such as `a Stripe key`; None without one."""
    if _CANDIDATE.search(text) is None:
        return None
    return next((name for name, pattern in _patterns() if pattern.search(text)), None)


def mask_tokens(text: str) -> str:
    """Return `text` with every known token, and every credential in a URL, replaced by as many asterisks."""
    if _CANDIDATE.search(text) is None:
        return text
    for _, pattern in _patterns():
        text = pattern.sub(lambda match: "*" * len(match.group()), text)
    if "://" in text:
        text = re.sub(_USER_INFO, lambda match: "*" * len(match.group()), text)
    return re.sub(_PARAMETER, lambda match: match[1] + "*" * len(match[2]), text)
