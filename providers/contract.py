"""The contract every provider keeps: what can be asked of it, what can be changed there, and how it can fail us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from finops.charges import ChargedDay
from finops.frozen import frozen
from finops.levers import Json, Lever, LeverReading, LeverWish, Parts
from finops.periods import Period
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, Width


class ProviderError(Exception):
    """A provider did not give what was asked. `reference` is the provider's own id of the request, for its support.

    No message, attribute or cause ever holds a key, an address with one, or a header.
    """

    def __init__(self, message: str, *, reference: str | None = None) -> None:
        super().__init__(message)
        self.reference = reference


class CredentialReason(StrEnum):
    """Why a key was not accepted; each has its own advice."""

    INVALID = "invalid"
    WRONG_KIND = "wrong_kind"
    MISSING_SCOPE = "missing_scope"
    IP_NOT_ALLOWED = "ip_not_allowed"


class CredentialRejected(ProviderError):
    """The key does not open this door, and asking again will not help. `scope` names the right it lacks, if told."""

    def __init__(
        self, reason: CredentialReason, message: str, *, scope: str | None = None, reference: str | None = None
    ) -> None:
        super().__init__(message, reference=reference)
        self.reason = reason
        self.scope = scope


class RateLimited(ProviderError):
    """The provider asks us to slow down, for `retry_after` seconds if it said so.

    `is_final` when waiting alone will not help: a quota or a spending limit of the organization is used up.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        is_final: bool = False,
        code: str | None = None,
        reference: str | None = None,
    ) -> None:
        super().__init__(message, reference=reference)
        self.retry_after = retry_after
        self.is_final = is_final
        self.code = code


class Unavailable(ProviderError):
    """The provider could not be reached or could not answer: network, TLS, time, or trouble of its own."""


class UnexpectedResponse(ProviderError):
    """The provider answered something we do not understand; `pointer` (a JSON pointer) says where.

    Nothing of such an answer is used: a bill half read is a bill misread.
    """

    def __init__(self, message: str, *, pointer: str = "", reference: str | None = None) -> None:
        super().__init__(f"{message} (at {pointer})" if pointer else message, reference=reference)
        self.pointer = pointer


class ProjectUnknown(ProviderError):
    """The provider has no such project, or has archived it: there is no lever to pull on it."""


class ChangeRefused(ProviderError):
    """The provider refused a change outright, so nothing was changed; asking again will not help. `code` is its own."""

    def __init__(self, message: str, *, code: str | None = None, reference: str | None = None) -> None:
        super().__init__(message, reference=reference)
        self.code = code


USAGE_READ = "usage.read"
MANAGEMENT_READ = "management.read"
MANAGEMENT_WRITE = "management.write"


@frozen
class Identity:
    """Who a key belongs to and what it may do, as far as the provider tells: `usage.read`, `management.read`, and
    `management.write`, without which no lever can be pulled.

    `project_ids` are the provider projects seen through it: two keys that share one belong to one organization.
    """

    organization_id: str | None
    organization_name: str | None
    rights: frozenset[str]
    key_name: str | None = None
    expires_at: datetime | None = None
    project_ids: frozenset[str] = frozenset()


@frozen
class ProviderProject:
    """A project as the provider describes it."""

    id: str
    name: str
    is_archived: bool = False
    created_at: datetime | None = None


@frozen
class KeyHolder:
    """A key that calls models on a project, and whose it is: who is hit when the project is stopped.

    `owner` is the name of a person or of a service account, never an e-mail address; empty: the provider does not say.
    `ends_with` are the last characters of the key as the provider shows them; empty: it shows none.
    """

    key_id: str
    name: str
    owner: str
    is_service_account: bool
    last_used_at: datetime | None
    ends_with: str


@frozen
class ProviderActor:
    """Who changed something at the provider, as its own log tells it; `kind` is its word for what was done.

    `name` is a name, or the provider's id of the person or key where it tells no name; never an e-mail address.
    """

    name: str
    at: datetime
    kind: str


@frozen
class ProviderChange:
    """Something done to keys, limits or projects, as the provider's own log tells it; `id` is its name there.

    `kind` is the provider's word. `project_ids` are empty where the log does not say which project it was done to;
    `name` as ProviderActor's, '' where the log tells nobody.
    """

    id: str
    kind: str
    at: datetime
    name: str
    project_ids: frozenset[str] = frozenset()


class Provider(Protocol):
    """One provider's door. Reading raises CredentialRejected, RateLimited, Unavailable or UnexpectedResponse, and where
    a project's levers are asked for also ProjectUnknown; what `pull` raises is said there."""

    @property
    def name(self) -> str:
        """The name on the bill, lower case: `openai`."""
        ...

    async def identify(self, key: Secret) -> Identity:
        """Prove a key with a few cheap calls: whose it is and what it may read."""
        ...

    def projects(self, key: Secret, *, include_archived: bool = False) -> AsyncIterator[ProviderProject]:
        """Every project the key can see, page by page."""
        ...

    async def project(self, key: Secret, project_id: str) -> ProviderProject | None:
        """One project, or None when this key knows none of that id."""
        ...

    def charges(self, key: Secret, period: Period) -> AsyncIterator[ChargedDay]:
        """The bill of a period: each day the provider tells of, once, whole, in no promised order.

        A day told to be empty is yielded empty; a day not told of is not yielded.
        """
        ...

    async def usage(
        self,
        key: Secret,
        endpoint: Endpoint,
        width: Width,
        start: datetime,
        end: datetime,
        known: Mapping[int, int] | None = None,
    ) -> UsageReading:
        """What was used in [start, end), widened to whole buckets: all pages or nothing.

        Holds only buckets the provider told of; one told empty is there and empty. Takes one call per page, so the
        narrow widths are for short spans. Buckets told just as `known` has them (the marks of an earlier reading by the
        same width) are left out.
        """
        ...

    async def lever(self, key: Secret, project_id: str, lever: Lever) -> LeverReading:
        """How a lever stands on a project now, within seconds. Equal readings mean equal settings.

        STOP has the part `spend_limit`, CHEAP `model_permissions`, SLOW one part `rate_limit:<id>` for each model.
        Writing back a value read here restores exactly that setting; None: it is not set.
        """
        ...

    def target(self, lever: Lever, parts: Parts, wish: LeverWish) -> dict[str, Json]:
        """What the parts of a lever are to become when it is pulled: the same names, nothing asked, nothing changed.

        A limit that is tighter already stays as it is. Raises ValueError for CHEAP without models that stay: that
        would be STOP by another name.
        """
        ...

    async def pull(self, key: Secret, project_id: str, part: str, value: Json) -> None:
        """Make one part of a lever this value (None: remove it), with one request that is never repeated here.

        Removing what is not there succeeds. Returning means that the provider took it, not that it bites yet.
        Raises CredentialRejected (the right it lacks is `MANAGEMENT_WRITE` as the provider spells it), RateLimited,
        ProjectUnknown or ChangeRefused when nothing was changed; Unavailable or UnexpectedResponse when it may or may
        not have been changed: read the lever before anything else. Raises ValueError for a value no lever has.
        """
        ...

    async def holders(self, key: Secret, project_id: str) -> tuple[KeyHolder, ...]:
        """The keys of a project, the last used first: whose calls a stop would refuse."""
        ...

    async def last_change(self, key: Secret, project_id: str, since: datetime) -> ProviderActor | None:
        """Who last changed the project's settings or limits since then, as the provider's own log tells it.

        None when it does not tell: not every setting that can be changed is logged. So `kind` says what this person
        did; where it is another setting than the one that was found changed, it was not necessarily this person.
        """
        ...

    async def changes(self, key: Secret, since: datetime) -> tuple[ProviderChange, ...]:
        """What people did to keys, service accounts, rate limits and projects since then, oldest first.

        What programs did to limits is left out: we are one of them. Empty where the provider keeps no log.
        """
        ...

    @property
    def skew(self) -> timedelta | None:
        """How far the provider's clock ran ahead of ours at its last answer, to the second; None before any."""
        ...
