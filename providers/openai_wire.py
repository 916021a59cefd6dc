"""What OpenAI's answers look like, and what becomes of each: charges in FOCUS names, or one of the contract's errors.

Amounts keep every digit, as a number or as a string. What has no field here is dropped while decoding: user ids and
e-mail addresses that stand on the rows never become a value of ours. Texts of the provider are not repeated either,
because its refusals quote the key.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import repeat
from typing import TypeVar

import msgspec

from finops.charges import Charge
from providers.contract import (
    CredentialReason,
    CredentialRejected,
    ProviderError,
    ProviderProject,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from providers.http import Answer, seconds_until
from providers.openai_pages import Bucket

DAY_SECONDS = 86_400
# Beyond, one line could no longer be kept in 64-bit nano-units; no bill comes near.
LARGEST_AMOUNT = Decimal(9_000_000_000)
# Nobody uses a septillion tokens a day; 1e400000000 is a short text that no sum survives.
LARGEST_QUANTITY = Decimal(10) ** 24
_ZERO = Decimal(0)
# Waiting does not help against these (error.code; error.type may read differently): a person has to raise a limit.
FINAL_429 = frozenset(
    {
        "credit_balance_exhausted",
        "organization_usage_limit_exceeded",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
    }
)
T = TypeVar("T")


class _Amount(msgspec.Struct, gc=False):
    value: Decimal
    currency: str


class _Row(msgspec.Struct, gc=False):
    amount: _Amount
    line_item: str | None = None
    project_id: str | None = None
    quantity: Decimal | None = None
    quantity_unit: str | None = None


class Owner(msgspec.Struct, frozen=True):
    """Whose a row of costs is."""

    organization_id: str | None = None
    organization_name: str | None = None
    project_id: str | None = None


class Project(msgspec.Struct):
    """A project, as listed."""

    id: str
    name: str | None = None
    status: str | None = None
    archived_at: int | None = None
    created_at: int | None = None


class AdminKey(msgspec.Struct):
    """An Admin key, as listed: with its ends only."""

    id: str
    redacted_value: str | None = None
    name: str | None = None
    expires_at: int | None = None


class ListPage(msgspec.Struct):
    """One page of a list, its items not decoded yet."""

    data: list[msgspec.Raw]
    has_more: bool | None = None
    last_id: str | None = None


class _Error(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class _ErrorBody(_Error):
    error: _Error | str | None = None


OWNERS = msgspec.json.Decoder(list[Owner])
LIST = msgspec.json.Decoder(ListPage)
PROJECT = msgspec.json.Decoder(Project)
ADMIN_KEY = msgspec.json.Decoder(AdminKey)
_ROWS = msgspec.json.Decoder(list[_Row])
_ERROR_BODY = msgspec.json.Decoder(_ErrorBody)


class QueryRefused(UnexpectedResponse):
    """The provider refused the query itself (400); `code` is its own word for why."""

    def __init__(self, message: str, *, code: str | None = None, reference: str | None = None) -> None:
        super().__init__(message, reference=reference)
        self.code = code


class NotFound(UnexpectedResponse):
    """The provider knows nothing at that address (404).

    `is_told`: OpenAI itself says that nothing is there, of an address that it knows; not a gateway on the way.
    """

    def __init__(self, message: str, *, is_told: bool = False, reference: str | None = None) -> None:
        super().__init__(message, reference=reference)
        self.is_told = is_told


def decoded(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, pointer: str, reference: str | None) -> T:
    """Decode strictly; UnexpectedResponse says where it failed and never what stood there."""
    failure = None
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        failure = _misfit(str(error), pointer, reference)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        failure = UnexpectedResponse("not the JSON that was asked for", pointer=pointer, reference=reference)
    raise failure


def _misfit(message: str, pointer: str, reference: str | None) -> UnexpectedResponse:
    what, _, path = message.partition(" - at ")
    steps = re.findall(r"\[(\d+)\]|\.(\w+)", path)
    missing = re.search(r"required field `(\w+)`", what)
    where = "".join(f"/{index or name}" for index, name in steps) + (f"/{missing[1]}" if missing else "")
    return UnexpectedResponse(what, pointer=pointer + where, reference=reference)


# --- costs -----------------------------------------------------------------------------------------------------------


_ANY_ROW, _ZERO_CHARACTER = re.compile(rb"\{"), re.compile(rb"\\u0000")
_GROUPED = tuple(re.compile(rb'"%s"\s*:\s*"[^"]' % name) for name in (b"project_id", b"line_item"))


def grouping_of(buckets: list[Bucket]) -> int | None:
    """By how many of our two dimensions any row is grouped; None when there are no rows to tell by.

    Looks at the bytes: it must be known before the first day is given away, and decoding all days first costs memory.
    """
    days = [raw for bucket in buckets for raw in (bucket.results, bucket.result) if raw]
    if not any(_ANY_ROW.search(raw) for raw in days):
        return None
    return sum(any(shape.search(raw) for raw in days) for shape in _GROUPED)


def charges_of(raw: msgspec.Raw, day: date, pointer: str, reference: str | None) -> tuple[Charge, ...]:
    """The rows of one day as charges, all of them or none."""
    if _ZERO_CHARACTER.search(raw):  # PostgreSQL cannot keep it in a text
        raise UnexpectedResponse("a text with a zero in it", pointer=pointer, reference=reference)
    rows = decoded(_ROWS, raw, pointer, reference)
    # A column at a time, without a step of Python for each row of millions; only what is wrong is looked at by row.
    values, quantities = [row.amount.value for row in rows], [row.quantity for row in rows]
    told_quantities = [quantity for quantity in quantities if quantity]
    told = [row.amount.currency for row in rows]
    currencies = {currency: currency.upper() for currency in set(told)}
    if not (
        all(map(_is_currency, currencies.values()))
        and all(map(Decimal.is_finite, values))
        and min(values, default=_ZERO) > -LARGEST_AMOUNT
        and max(values, default=_ZERO) < LARGEST_AMOUNT
        and all(map(Decimal.is_finite, told_quantities))
        and min(told_quantities, default=_ZERO) > -LARGEST_QUANTITY
        and max(told_quantities, default=_ZERO) < LARGEST_QUANTITY
    ):
        what, where = _first_misfit(rows)
        raise UnexpectedResponse(what, pointer=f"{pointer}/{where}", reference=reference)
    columns = zip(
        repeat(day),
        [row.project_id or None for row in rows],
        [row.line_item or None for row in rows],
        [value or _ZERO for value in values],  # 0E-6176 is a zero with a tail that every later sum would drag along
        map(currencies.__getitem__, told),
        quantities,
        [row.quantity_unit or None for row in rows],
        strict=False,  # repeat() never ends
    )
    return tuple(map(_CHARGE, columns))


# What Charge(...) does, without a call of Python around it.
_CHARGE = partial(tuple.__new__, Charge)
_is_currency = re.compile("[A-Z]{3}").fullmatch


def _first_misfit(rows: list[_Row]) -> tuple[str, str]:
    """What is wrong with the first row that is, and where it stands."""
    for index, row in enumerate(rows):
        value, quantity = row.amount.value, row.quantity
        if not _is_currency(row.amount.currency.upper()):
            return "not a currency", f"{index}/amount/currency"
        if not value.is_finite() or not -LARGEST_AMOUNT < value < LARGEST_AMOUNT:
            return "not an amount a bill can have", f"{index}/amount/value"
        if quantity is not None and not (quantity.is_finite() and quantity.copy_abs() < LARGEST_QUANTITY):
            return "not a quantity", f"{index}/quantity"
    raise AssertionError("unreachable: asked only about rows of which one is wrong")


# --- projects and keys -----------------------------------------------------------------------------------------------


def project_of(wire: Project) -> ProviderProject:
    """A project in our words; a nameless one is called by its id."""
    is_archived = wire.archived_at is not None or wire.status == "archived"
    name = (wire.name or "").replace("\0", "")  # PostgreSQL cannot keep it in a text
    return ProviderProject(wire.id, name or wire.id, is_archived, moment(wire.created_at))


def moment(seconds: int | None) -> datetime | None:
    """The time a Unix timestamp stands for; None for none, and for what cannot be a time."""
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 <= seconds < 2**35 else None


def owner_in_headers(answer: Answer) -> Owner:
    """The organization as the headers tell it: an id where it looks like one, else a name."""
    told = answer.headers.get("openai-organization") or None
    return Owner(organization_id=told) if told and told.startswith("org-") else Owner(organization_name=told)


# --- refusals --------------------------------------------------------------------------------------------------------


def refusal(answer: Answer, now: datetime) -> ProviderError:
    """The error an answer other than 200 stands for."""
    status, reference = answer.status, answer.reference
    told = _told(answer.body)
    code = _code(told)
    if status in (401, 403):
        return _rejection(status, told.message or "", code or "", reference)
    if status == 429:
        return RateLimited(
            f"OpenAI asks to slow down ({code or 'no code'})",
            retry_after=seconds_until(answer.headers, now),
            is_final=code in FINAL_429,
            code=code,
            reference=reference,
        )
    if status in (408, 409) or status >= 500:
        return Unavailable(f"OpenAI answered {status}", reference=reference)
    if status == 400:
        return QueryRefused(f"OpenAI refused the query (400, {code or 'no code'})", code=code, reference=reference)
    if status == 404:
        is_address = code != "unknown_url" and "Invalid URL" not in (told.message or "")
        is_told = is_address and is_in_words(answer)
        return NotFound("OpenAI knows nothing at this address (404)", is_told=is_told, reference=reference)
    return UnexpectedResponse(f"OpenAI answered {status}", reference=reference)


def code_of(answer: Answer) -> str | None:
    """The code in the body of a refusal, where it looks like one."""
    return _code(_told(answer.body))


def is_in_words(answer: Answer) -> bool:
    """Whether a refusal is OpenAI's own, in either shape that it documents; a gateway on the way speaks otherwise."""
    try:
        body = _ERROR_BODY.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return bool(body.error.message if isinstance(body.error, _Error) else body.message and body.code is not None)


def _code(told: _Error) -> str | None:
    # Words of a code, never of a sentence: what is repeated must not be able to hold a key.
    is_code = isinstance(told.code, str) and re.fullmatch(r"[a-z]{1,32}(_[a-z]{1,32}){0,8}", told.code)
    return str(told.code) if is_code else None


def _told(body: bytes) -> _Error:
    """What an error body says, in either of the two shapes OpenAI documents, or of a gateway; else nothing."""
    try:
        told = _ERROR_BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Error()
    return told.error if isinstance(told.error, _Error) else _Error(told.error or told.message, code=told.code)


def _rejection(status: int, message: str, code: str, reference: str | None) -> CredentialRejected:
    scope = re.search(r"[Mm]issing scopes?:\s*([a-z]+(?:\.[a-z_]+)+)", message)
    if scope or "insufficient permissions" in message.lower() or code in {"missing_scope", "insufficient_permissions"}:
        text = f"the key may not do this ({status})"
        named = scope[1] if scope else None
        return CredentialRejected(CredentialReason.MISSING_SCOPE, text, scope=named, reference=reference)
    if re.search(r"\bIP\b|allow-?list", message) or code.startswith(("ip_", "unsupported_country")):
        text = f"not from this address ({status})"
        return CredentialRejected(CredentialReason.IP_NOT_ALLOWED, text, reference=reference)
    if status == 403:
        text = "the key may not do this (403)"
        return CredentialRejected(CredentialReason.MISSING_SCOPE, text, reference=reference)
    return CredentialRejected(CredentialReason.INVALID, "the key is not accepted (401)", reference=reference)
