"""How commands report: the value of `--output`."""

from __future__ import annotations

from enum import StrEnum


class Output(StrEnum):
    """Words for people, or JSON for programs."""

    TEXT = "text"
    JSON = "json"
