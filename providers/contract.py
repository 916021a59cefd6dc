"""The contract every provider keeps: what can be asked of it, and the four ways in which it can fail us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from finops.charges import ChargedDay
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


USAGE_READ = "usage.read"
MANAGEMENT_READ = "management.read"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a key belongs to and what it may do (`usage.read`, `management.read`), as far as the provider tells.

    `project_ids` are the provider projects seen through it: two keys that share one belong to one organization.
    """

    organization_id: str | None
    organization_name: str | None
    rights: frozenset[str]
    key_name: str | None = None
    expires_at: datetime | None = None
    project_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ProviderProject:
    """A project as the provider describes it."""

    id: str
    name: str
    is_archived: bool = False
    created_at: datetime | None = None


class Provider(Protocol):
    """One provider's door. Every call may raise the four errors above, and only those."""

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

    @property
    def skew(self) -> timedelta | None:
        """How far the provider's clock ran ahead of ours at its last answer, to the second; None before any."""
        ...
