"""Signing keys that are trusted only while a process lives: `mom exec` has one for the program that it runs.

The private key never leaves the process. Its public key is a file in a folder beside the user's own keys, and the
process holds a lock on it (flock(2)), which the system releases when the process ends, however it ends. An Atlas that
trusts the user's own keys trusts those whose file is locked, and removes the others.

Such a key has an issuer of its own, since its tokens may live longer than those of the user's lasting key: they end
with the key.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from typing import Any

from mom.auth.jwk import generate, is_well_formed, public_jwk
from mom.auth.keys import DEFAULT_ALGORITHM, KeySet, ensure, key_file
from mom.auth.store import private_folder, read_private
from mom.auth.tokens import mint, narrowed
from mom.errors import MomError
from mom.files import reason_of
from mom.gateway import EPHEMERAL_MAX_LIFETIME_SECONDS

ISSUER = "urn:mom:ephemeral"
# What a process that was killed between two steps left: older than any step takes.
_ABANDONED_SECONDS = 60


def folder(home: str) -> str:
    """Return the folder of the public keys; it need not exist."""
    return os.path.join(os.path.dirname(key_file(home)), "ephemeral")


class EphemeralKey:
    """A key of this process, trusted from its creation to `close`, or to the end of the process."""

    def __init__(self, home: str, now: float | None = None) -> None:
        """Create it for the user whose keys are stored in `home`. Raises MomError where it cannot be published."""
        subject = ensure(home).subject
        jwk = generate(DEFAULT_ALGORITHM, time.time() if now is None else now)
        self._keys = KeySet(jwk, [], subject)
        private_folder(folder(home))
        self._path = os.path.join(folder(home), f"{jwk['kid']}.json")
        self._descriptor = _publish(self._path, json.dumps(public_jwk(jwk)).encode())

    def token(self, audience: str, *, ttl: int, adapters: tuple[str, ...] = ()) -> str:
        """Return a token for a gateway, or for `adapters` of it, that lives `ttl` seconds, or as long as the key."""
        aud = narrowed(audience, adapters)
        return mint(self._keys, aud, ttl=ttl, issuer=ISSUER, longest=EPHEMERAL_MAX_LIFETIME_SECONDS)

    def close(self) -> None:
        """End it."""
        _remove(self._path)
        os.close(self._descriptor)


def trusted(home: str) -> dict[str, Any]:
    """Return the JWK Set of the keys whose processes live; files of others are removed. Nothing in it is private."""
    try:
        names = sorted(os.listdir(folder(home)))
    except OSError:
        return {"keys": []}
    keys = [_read(os.path.join(folder(home), name)) for name in names]
    return {"keys": [key for key in keys if key is not None]}


def _publish(path: str, data: bytes) -> int:
    """Write a file that is locked before it has its name, and return its descriptor."""
    new = f"{path}.new"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(new, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, data)
            os.rename(new, path)
        except OSError:
            os.close(descriptor)
            _remove(new)
            raise
    except OSError as error:
        raise MomError(f"cannot publish a key in {os.path.dirname(path)}: {reason_of(error)}") from None
    return descriptor


def _read(path: str) -> dict[str, Any] | None:
    """Return the public key in a file whose process lives. The file of one that has ended is removed."""
    try:
        if not _is_held(path):
            if path.endswith(".json") or time.time() - os.lstat(path).st_mtime > _ABANDONED_SECONDS:
                _remove(path)
            return None
        data = read_private(path) if path.endswith(".json") else None
        jwk = json.loads(data) if data else None
    except (OSError, ValueError, RecursionError, MomError):
        # Not a key that can be trusted: an Atlas goes on without it.
        return None
    return public_jwk(jwk) if isinstance(jwk, dict) and is_well_formed(jwk) else None


def _is_held(path: str) -> bool:
    """Whether another process has the file locked."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return True
        raise
    finally:
        os.close(descriptor)
    return False


def _remove(path: str) -> None:
    import contextlib

    with contextlib.suppress(OSError):
        os.unlink(path)
