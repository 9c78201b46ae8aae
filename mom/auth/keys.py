"""This user's signing keys: created on first use, rotated, published as a JWK Set.

One private file contains everything: a JWK Set (RFC 7517) whose first key signs, with its private part, followed by the
public parts of retired keys. One file means that a rotation is one atomic step. Each key's `kid` is its RFC 7638
thumbprint, so a gateway that trusts several users' keys cannot confuse them.

New keys are for EdDSA (Ed25519), which signs with fewer imports than ES256: every `mom curl` pays for them. A key that
exists stays what it is until `mom auth rotate --algorithm`.

The issuer is one constant, `urn:mom:local`, for every user's own keys: an Atlas that trusts a team's keys needs one
identity provider, with the merged set. Anyone with a key in such a set can therefore write any `sub`; what is proven
is "one of these keys", and the `kid` says which.
"""

from __future__ import annotations

import os
import time

from mom.auth.jwk import ALGORITHMS, EDDSA, generate, is_well_formed, public_jwk
from mom.auth.store import Lock, private_folder, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_ALGORITHM = EDDSA

# A retired key stays in the public set for the longest life of a token (an hour) and as long again, for clocks that
# differ and gateways that read the set late.
RETIRED_SECONDS = 2 * 3600

_ISSUER = "urn:mom:local"


def local_issuer() -> str:
    """Return the `iss` of every token that a user's own key signs; it does not depend on the key or the machine."""
    return _ISSUER


def key_file(home: str | os.PathLike[str]) -> str:
    """Return the path of the key file. A gateway that trusts the keys may watch it: changes replace it."""
    return os.path.join(os.fspath(home), "auth", "keys.json")


class KeySet:
    """What the key file contains.

    current: the JWK that signs, private part included. retired: public JWKs, each with `exp`, the time (seconds since
    the epoch) at which it leaves the public set. subject: the `sub` of this user's tokens, `user@host` as it was when
    the first key was created.
    """

    __slots__ = ("current", "retired", "subject")

    def __init__(self, current: dict[str, Any], retired: list[dict[str, Any]], subject: str) -> None:
        """Take the signing JWK, the retired public ones and the subject."""
        self.current = current
        self.retired = retired
        self.subject = subject

    @property
    def kid(self) -> str:
        """The id of the key that signs."""
        return str(self.current["kid"])

    @property
    def algorithm(self) -> str:
        """The algorithm of the key that signs, `EdDSA` or `ES256`."""
        return str(self.current["alg"])

    def public(self, now: float) -> dict[str, Any]:
        """Return the public JWK Set at `now` (seconds since the epoch): the current key and those not long retired."""
        retired = [public_jwk(jwk) for jwk in self.retired if jwk["exp"] > now]
        return {"keys": [public_jwk(self.current), *retired]}


def load(home: str | os.PathLike[str]) -> KeySet | None:
    """Return the keys stored in `home`, None where there are none yet.

    Raises MomError where the file is damaged, or other users could have read it.
    """
    path = key_file(home)
    data = read_private(path)
    if data is None:
        return None
    import json

    try:
        document = json.loads(data)
        current, *retired = document["keys"]
        if not all(is_well_formed(jwk) for jwk in (current, *retired)):
            raise TypeError
        if not isinstance(current["d"], str) or current["alg"] not in ALGORITHMS:
            raise TypeError
        subject = str(document["subject"])
        retired = [jwk for jwk in retired if isinstance(jwk["exp"], (int, float))]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        from mom.errors import MomError

        raise MomError(
            f"the signing key {path} is damaged", hint="restore it, or move it away and run: mom auth keygen"
        ) from None
    return KeySet(current, retired, subject)


def ensure(
    home: str | os.PathLike[str],
    *,
    algorithm: str = DEFAULT_ALGORITHM,
    subject: str | None = None,
    now: float | None = None,
) -> KeySet:
    """Return the keys stored in `home`, created first where there are none: processes that race get the same key.

    `algorithm` and `subject` (default: user@host) count only for a new key; `now` is in seconds since the epoch.
    """
    stored = load(home)
    if stored is not None:
        return stored
    folder = os.path.dirname(key_file(home))
    private_folder(folder)
    with Lock(folder):
        stored = load(home)
        if stored is None:
            stored = KeySet(generate(algorithm, time.time() if now is None else now), [], subject or _user_at_host())
            _save(home, stored)
    return stored


def rotate(home: str | os.PathLike[str], *, algorithm: str | None = None, now: float | None = None) -> KeySet:
    """Create a new signing key and return the set; the old one's public part stays in it for `RETIRED_SECONDS`.

    `algorithm` defaults to the old key's. Where there was no key, one is created.
    """
    moment = time.time() if now is None else now
    folder = os.path.dirname(key_file(home))
    private_folder(folder)
    with Lock(folder):
        old = load(home)
        if old is None:
            new = KeySet(generate(algorithm or DEFAULT_ALGORITHM, moment), [], _user_at_host())
        else:
            retired = [{**public_jwk(old.current), "exp": int(moment) + RETIRED_SECONDS}]
            retired += [jwk for jwk in old.retired if jwk["exp"] > moment]
            new = KeySet(generate(algorithm or old.algorithm, moment), retired, old.subject)
        _save(home, new)
    return new


def public_jwks(home: str | os.PathLike[str], *, now: float | None = None) -> dict[str, Any]:
    """Return the public JWK Set of the keys stored in `home`, created on first use. Nothing in it is private."""
    return ensure(home, now=now).public(time.time() if now is None else now)


def _save(home: str | os.PathLike[str], keys: KeySet) -> None:
    import json

    document = {"subject": keys.subject, "keys": [keys.current, *keys.retired]}
    write_private(key_file(home), (json.dumps(document, indent=2) + "\n").encode())


def _user_at_host() -> str:
    import getpass
    import platform

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry for this user id, as in many containers
        user = str(os.getuid())
    return f"{user}@{platform.node() or 'localhost'}"
