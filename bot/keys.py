"""Pasted keys: refused by their shape before anybody is asked, and by their rights before anything is stored."""

from __future__ import annotations

from bot.errors import Refusal, RefusalCode
from finops.keys import KeyKind, cleaned, kind_of
from finops.secret import Secret
from providers.contract import USAGE_READ, Identity

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
