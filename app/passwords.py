"""Passwords: argon2id, any script, no truncation, and the same time spent on people who do not exist."""

from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import InvalidInput

SHORTEST = 8
LONGEST = 256
_CONTEXT_WORDS = ("account-intelligence", "accountintelligence", "customersuccess")

# The 3,000 most common ones that are long enough, of the list that Django ships: by Royce Williams, without upper case.
_COMMON = Path(__file__).with_name("common_passwords.txt")

# A hash of a random value nobody kept, with the parameters below: the check for an unknown user costs as much as a
# real one.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$JkP/n023kXe4f+EzHAN+/A$osHqmde0ESz29/T5TzI1blJuGWP1zleau0rrUZluuHo"


@lru_cache
def _hasher() -> PasswordHasher:
    # 19 MiB, two passes: about 33 ms on the reference machine, and 40 sign-ins at once stay under 1 GB.
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@lru_cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text(encoding="utf-8").splitlines())


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def hash_password(password: str) -> str:
    """The argon2id hash of `password`, parameters and salt included."""
    return _hasher().hash(_bytes(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Whether `password` made `password_hash`; with no hash, the same work and False."""
    try:
        matches = _hasher().verify(password_hash or DUMMY_HASH, _bytes(password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return matches and password_hash is not None and len(password) <= LONGEST


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with older parameters."""
    return _hasher().check_needs_rehash(password_hash)


def check_acceptable(password: str, *, email: str, display_name: str) -> None:
    """Raise InvalidInput for a password that is short, over-long, common, or made of the person's own name."""
    if len(password) < SHORTEST:
        raise InvalidInput("password", f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise InvalidInput("password", f"The password may have at most {LONGEST} characters.")
    folded = password.casefold()
    own_words = {email.casefold(), email.split("@")[0].casefold(), display_name.casefold(), *_CONTEXT_WORDS}
    if folded in _common() or folded in own_words or len(set(folded)) < 3:
        raise InvalidInput("password", "This password is too easy to guess.", hint="A few unrelated words are enough.")
