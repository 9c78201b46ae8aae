"""The same authority and the same API as the tests of the translation have."""

from __future__ import annotations

from tests.envoy.conftest import api, authority, secure_apis

__all__ = ["api", "authority", "secure_apis"]
