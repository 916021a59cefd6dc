"""Keys: pasted ones are refused by their shape before anybody is asked, and by their rights before they are stored.

Whoever asks a provider with several of one organization asks with whichever may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import Refusal, RefusalCode
from finops.keys import KeyKind, cleaned, kind_of
from finops.registry import Credential
from finops.secret import Secret
from providers.contract import USAGE_READ, CredentialReason, CredentialRejected, Identity

Keys = list[tuple[Credential, Secret]]
T = TypeVar("T")

_WRONG_KIND = {
    KeyKind.PROJECT: RefusalCode.KEY_OF_PROJECT,
    KeyKind.SERVICE_ACCOUNT: RefusalCode.KEY_OF_SERVICE_ACCOUNT,
    KeyKind.USER: RefusalCode.KEY_OF_USER,
    KeyKind.ANTHROPIC: RefusalCode.KEY_OF_ANTHROPIC,
    KeyKind.OTHER_SECRET: RefusalCode.KEY_OF_SOMETHING_ELSE,
    KeyKind.NOT_A_KEY: RefusalCode.NOT_A_KEY,
}


def pasted_key(text: str) -> Secret:
    """The Admin key in what a person pasted, or a refusal that says what it is instead. Pure and instant."""
    kind = kind_of(text)
    if kind is not KeyKind.ADMIN:
        raise Refusal(_WRONG_KIND[kind])
    return Secret(cleaned(text))


def require_costs(identity: Identity) -> None:
    """Refuse a key that works but cannot read the bill."""
    if USAGE_READ not in identity.rights:
        raise Refusal(RefusalCode.KEY_CANNOT_READ_COSTS, rights=tuple(sorted(identity.rights)))


def owner_name(organization_name: str | None, organization_id: str | None) -> str | None:
    """How an organization is called in front of people."""
    return organization_name or organization_id


async def by_any(keys: Keys, call: Callable[[Secret], Awaitable[T]]) -> T:
    """The answer to the first key that has the right to ask. Raises what says most about why none has."""
    refused: CredentialRejected | None = None
    for _, key in keys:
        try:
            return await call(key)
        except CredentialRejected as error:
            if refused is None or error.reason is CredentialReason.MISSING_SCOPE:
                refused = error
    assert refused is not None, "there is a key"
    raise refused
