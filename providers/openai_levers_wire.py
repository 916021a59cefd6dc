"""What OpenAI's answers about limits, permissions, keys and changes look like, and what becomes of each.

Settings are read strictly: what stands here is stored and written back later, so a setting half understood is refused
as a whole. Unknown keys are dropped, and with them every e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import msgspec

from finops.keys import redacted
from finops.levers import Json
from providers.contract import KeyHolder, UnexpectedResponse
from providers.openai_wire import moment

REQUESTS, REQUESTS_A_DAY = "max_requests_per_1_minute", "max_requests_per_1_day"
BATCH_TOKENS_A_DAY = "batch_1_day_max_input_tokens"
RATE_LIMIT_FIELDS = (
    REQUESTS,
    "max_tokens_per_1_minute",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    REQUESTS_A_DAY,
    BATCH_TOKENS_A_DAY,
)
MODES = ("allow_list", "deny_list")
# Beyond, a number is no longer exact in every JSON reader; no limit comes near.
_LARGEST = 2**53
_LONGEST = 256
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class _Enforcement(msgspec.Struct):
    status: str | None = None


class SpendLimit(msgspec.Struct):
    """A hard spend limit; its amount is in cents."""

    threshold_amount: Decimal
    currency: str
    interval: str
    enforcement: _Enforcement | None = None


class ModelPermissions(msgspec.Struct):
    """Which models may be called, or which may not."""

    mode: str
    model_ids: list[str]


class RateLimit(msgspec.Struct):
    """One model's rate limits, as far as they are told."""

    id: str
    max_requests_per_1_minute: Decimal | None = None
    max_tokens_per_1_minute: Decimal | None = None
    max_images_per_1_minute: Decimal | None = None
    max_audio_megabytes_per_1_minute: Decimal | None = None
    max_requests_per_1_day: Decimal | None = None
    batch_1_day_max_input_tokens: Decimal | None = None


class Named(msgspec.Struct):
    """Somebody or something with an id and maybe a name."""

    id: str | None = None
    name: str | None = None


class _Owner(msgspec.Struct):
    type: str | None = None
    user: Named | None = None
    service_account: Named | None = None


class ProjectKey(msgspec.Struct):
    """A key of a project, as listed: with its ends only."""

    id: str
    name: str | None = None
    redacted_value: str | None = None
    last_used_at: int | None = None
    owner: _Owner | None = None


class _Session(msgspec.Struct):
    user: Named | None = None


class _ActorKey(msgspec.Struct):
    id: str | None = None
    user: Named | None = None
    service_account: Named | None = None


class _Actor(msgspec.Struct):
    session: _Session | None = None
    api_key: _ActorKey | None = None


class AuditEvent(msgspec.Struct):
    """One event of the audit log; of its details only what it was done to, where that is a project."""

    type: str
    effective_at: int
    id: str = ""
    project: Named | None = None
    actor: _Actor | None = None
    updated: Named | None = msgspec.field(name="project.updated", default=None)
    archived: Named | None = msgspec.field(name="project.archived", default=None)
    deleted: Named | None = msgspec.field(name="project.deleted", default=None)

    @property
    def project_ids(self) -> set[str]:
        """The projects it is about. What an Admin key did is filed under the organization's default project."""
        told = (self.project, self.updated, self.archived, self.deleted)
        return {one.id for one in told if one is not None and one.id}

    @property
    def is_by_person(self) -> bool:
        """Whether somebody did it in a browser, and not a program with a key."""
        return self._session is not None

    @property
    def named_project_ids(self) -> set[str]:
        """The projects it was surely done to: those its details name, and of a person's act the one it is filed under.

        What an Admin key did is filed under the organization's default project, whichever it was done to.
        """
        told = (self.updated, self.archived, self.deleted, self.project if self.is_by_person else None)
        return {one.id for one in told if one is not None and one.id}

    @property
    def user_id(self) -> str | None:
        """The person behind it, as far as told."""
        for one in (self._session, self._key):
            if one is not None and one.user is not None and one.user.id:
                return one.user.id
        return None

    @property
    def actor_id(self) -> str | None:
        """The person, service account or key behind it, whichever is told first."""
        key = self._key
        account = key.service_account.id if key and key.service_account else None
        return self.user_id or account or (key.id if key else None)

    @property
    def _session(self) -> _Session | None:
        return self.actor.session if self.actor else None

    @property
    def _key(self) -> _ActorKey | None:
        return self.actor.api_key if self.actor else None


SPEND_LIMIT_BODY = msgspec.json.Decoder(SpendLimit)
MODEL_PERMISSIONS_BODY = msgspec.json.Decoder(ModelPermissions)
RATE_LIMIT = msgspec.json.Decoder(RateLimit)
PROJECT_KEY = msgspec.json.Decoder(ProjectKey)
AUDIT_EVENT = msgspec.json.Decoder(AuditEvent)
NAMED = msgspec.json.Decoder(Named)
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def spend_limit_of(wire: SpendLimit, reference: str | None) -> tuple[dict[str, Json], bool | None]:
    """The limit as it can be written back, and whether it refuses calls now; None: it does not say."""
    value: dict[str, Json] = {
        "threshold_amount": _whole(wire.threshold_amount, 1, "/threshold_amount", reference),
        "currency": _text(wire.currency, "/currency", reference).upper(),
        "interval": _text(wire.interval, "/interval", reference),
    }
    status = wire.enforcement.status if wire.enforcement else None
    return value, {"enforcing": True, "inactive": False}.get(status or "")


def model_permissions_of(wire: ModelPermissions, reference: str | None) -> dict[str, Json]:
    """The permissions as they can be written back, their models in order and each once: it is a set."""
    if wire.mode not in MODES:
        raise UnexpectedResponse("not a mode of model permissions", pointer="/mode", reference=reference)
    models = {_text(model, f"/model_ids/{index}", reference) for index, model in enumerate(wire.model_ids)}
    return {"mode": wire.mode, "model_ids": [*sorted(models)]}


def rate_limit_of(wire: RateLimit, pointer: str, reference: str | None) -> dict[str, Json]:
    """The limits of a model as they can be written back: those that are told, and no others."""
    _text(wire.id, f"{pointer}/id", reference)
    told = {name: getattr(wire, name) for name in RATE_LIMIT_FIELDS}
    return {name: _whole(value, 0, f"{pointer}/{name}", reference) for name, value in told.items() if value is not None}


def holder_of(wire: ProjectKey) -> KeyHolder:
    """A key in our words. An owner's name that is an address is not repeated, nor anything but a key's end."""
    owner = wire.owner or _Owner()
    account = owner.service_account
    shown = re.search(r"(?:\.{2,}|…|\*{2,}|•{2,})([\w\-]{3,6})$", wire.redacted_value or "")
    return KeyHolder(
        wire.id,
        _printable(wire.name) or wire.id,
        name_of(account or owner.user) or "",
        owner.type == "service_account" or account is not None,
        moment(wire.last_used_at),
        shown[1] if shown else "",
    )


def name_of(wire: Named | None) -> str | None:
    """A name that may be shown: no address, nothing unprintable."""
    name = _printable(wire.name if wire else None)
    return name if name and "@" not in name else None


def seconds_of(at: datetime) -> int:
    """A moment as OpenAI counts time: whole seconds since 1970."""
    return int(at.astimezone(UTC).timestamp())


def written(part: str, prefix: str) -> str:
    """The id in the name of a part, as a piece of an address; whatever it holds, it stays one piece."""
    identifier = part.removeprefix(prefix)
    if identifier in ("", ".", "..") or _UNPRINTABLE.search(identifier):
        raise ValueError(f"no rate limit is called {identifier!r}")
    return quote(identifier, safe="")


def cap(former: Mapping[str, Json], name: str, most: int) -> Json:
    """A former limit, lowered to `most`; what was not told or is tighter already stays."""
    value = former.get(name)
    return min(value, most) if isinstance(value, int) and not isinstance(value, bool) else value


def _whole(value: Decimal, least: int, pointer: str, reference: str | None) -> int:
    # Compared before it is converted: 1E400000000 is a short text and a very long integer.
    if not value.is_finite() or not least <= value <= _LARGEST or value != int(value):
        raise UnexpectedResponse("not a limit in whole numbers", pointer=pointer, reference=reference)
    return int(value)


def _text(value: str, pointer: str, reference: str | None) -> str:
    if not value or len(value) > _LONGEST or _UNPRINTABLE.search(value):
        raise UnexpectedResponse("not a name", pointer=pointer, reference=reference)
    return value


def _printable(value: str | None) -> str | None:
    """A name for people to read; somebody may have pasted a key into it."""
    return redacted(_UNPRINTABLE.sub(" ", value)).strip()[:_LONGEST] or None if value else None
