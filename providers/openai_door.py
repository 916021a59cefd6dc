"""The one way to OpenAI: reads that are tried again within bounds, changes that are sent once, and pages of lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import httpx
import msgspec

from finops.keys import KeyKind, kind_of
from finops.levers import Json
from finops.secret import Secret
from providers.contract import CredentialReason, CredentialRejected, UnexpectedResponse
from providers.http import Answer, Bearer, Params, RetryPolicy, get, retried, send
from providers.openai_usage import skew_of
from providers.openai_wire import LIST, PROJECT, decoded, refusal

Clock = Callable[[], datetime]
# A hundred thousand projects, keys or changes: whoever promises more after that promises it for ever.
MOST_PAGES = 1_000


class Door:
    """Everything under `/organization/`. Holds no key: each call is given one, and an Admin key it must be.

    `skew` is how far OpenAI's clock was ahead of ours when it last answered; None before it told.
    """

    def __init__(self, http: httpx.AsyncClient, base_url: str, clock: Clock, retry: RetryPolicy) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self.clock = clock
        self.retry = retry
        self.skew: timedelta | None = None

    async def get(self, key: Secret, path: str, params: Params, policy: RetryPolicy | None = None) -> Answer:
        """The answer to a GET; any but a plain success is raised as the error it stands for."""
        must_be_admin(key)
        bounds = policy or self.retry
        url = f"{self._base_url}/organization/{path}"

        async def once() -> Answer:
            sent = self.clock()
            answer = await get(self._http, url, auth=Bearer(key), params=params, within=bounds.attempt_timeout)
            self.skew = skew_of(answer, sent, self.clock(), self.skew)
            if answer.status != 200:
                raise refusal(answer, self.clock())
            return answer

        return await retried(once, bounds)

    async def send(self, key: Secret, method: str, path: str, body: Json, *, within: float) -> Answer:
        """The answer to a POST or DELETE, whatever its status; sent once, because it may have been done."""
        must_be_admin(key)
        url, sent = f"{self._base_url}/organization/{path}", self.clock()
        answer = await send(self._http, method, url, auth=Bearer(key), json=body, within=within)
        self.skew = skew_of(answer, sent, self.clock(), self.skew)
        return answer

    async def listed(
        self, key: Secret, path: str, params: Params, policy: RetryPolicy | None = None
    ) -> AsyncIterator[tuple[msgspec.Raw, str, str | None]]:
        """Every item of a list, still undecoded, with the pointer to it and the reference of its page."""
        seen: set[str] = set()
        after: Params = []
        while True:
            answer = await self.get(key, path, [*params, *after], policy)
            page = decoded(LIST, answer.body, "", answer.reference)
            for index, item in enumerate(page.data):
                yield item, f"/data/{index}", answer.reference
            if not page.has_more:
                return
            if not page.last_id and not page.data:
                raise UnexpectedResponse(
                    "more is promised but no way to it", pointer="/data", reference=answer.reference
                )
            last = page.last_id or decoded(PROJECT, page.data[-1], "/data", answer.reference).id
            if last in seen or len(seen) >= MOST_PAGES:
                raise UnexpectedResponse("the pages run in a circle", pointer="/last_id", reference=answer.reference)
            seen.add(last)
            after = [("after", last)]


def must_be_admin(key: Secret) -> None:
    """Raise CredentialRejected for a key that is no Admin key, before it goes anywhere."""
    kind = kind_of(key.reveal())
    if kind is not KeyKind.ADMIN:
        raise CredentialRejected(CredentialReason.WRONG_KIND, f"an Admin key is needed, and this is not one ({kind})")
