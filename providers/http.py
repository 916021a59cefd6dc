"""The way out: one shared HTTPS client, TLS 1.3 or nothing; GETs are retried within bounds, changes are sent once.

Whatever goes wrong here becomes one of the contract's errors. They are raised outside the handler of the original
error, on purpose: httpx errors carry the request, and the request carries the key.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from datetime import UTC, datetime
from typing import TypeVar

import httpx
import stamina
import stamina.instrumentation

from finops.frozen import frozen
from finops.keys import contains_key
from finops.levers import Json
from finops.secret import Secret
from providers.contract import ProviderError, RateLimited, Unavailable, UnexpectedResponse

USER_AGENT = "finops-for-ai"
# Ten thousand projects with twenty lines each, for a week, are 350 MB. Beyond, somebody is filling our memory.
LARGEST_ANSWER = 512 * 1024 * 1024
_REFERENCE = re.compile(r"[A-Za-z0-9_\-]{1,128}")
_VERSION_TROUBLE = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_VERSION_NUMBER"})
T = TypeVar("T")
Params = list[tuple[str, str | int | float | bool | None]]
log = logging.getLogger(__name__)


def _told(details: stamina.instrumentation.RetryDetails) -> None:
    """A line for whoever looks closely: what an outage comes to is told once, by whoever reads."""
    wait = round(details.wait_for, 2)
    log.debug(
        "asked again", extra={"problem": str(details.caused_by), "attempt": details.retry_num, "in_seconds": wait}
    )


# Left alone, stamina finds structlog installed and announces retries through a logger nobody configured: on stdout.
stamina.instrumentation.set_on_retry_hooks([_told])


class Insecure(Unavailable):
    """The connection would not be safe: no TLS, TLS older than 1.3, or a certificate we cannot trust."""


@frozen
class RetryPolicy:
    """How long to insist: `attempts` in all, `budget` seconds in all, waits doubling from `wait_initial`, jittered.

    `attempt_timeout` bounds one attempt from its first byte to its last: a server that drips is a server that hangs.
    """

    attempts: int = 5
    budget: float = 60.0
    wait_initial: float = 0.5
    wait_max: float = 8.0
    wait_jitter: float = 1.0
    attempt_timeout: float = 120.0

    def brief(self) -> RetryPolicy:
        """The same with a person waiting: two attempts, and seconds instead of minutes."""
        return RetryPolicy(
            min(2, self.attempts),
            min(6.0, self.budget),
            self.wait_initial,
            min(1.0, self.wait_max),
            min(0.2, self.wait_jitter),
            min(15.0, self.attempt_timeout),
        )

    def urgent(self) -> RetryPolicy:
        """The same while money runs away: three attempts within seconds, none of which may hang."""
        return RetryPolicy(
            min(3, self.attempts),
            min(6.0, self.budget),
            min(0.2, self.wait_initial),
            min(1.0, self.wait_max),
            min(0.1, self.wait_jitter),
            min(5.0, self.attempt_timeout),
        )


@frozen
class Answer:
    """An HTTP answer, read to its end. `reference` is the provider's id of the request."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)  # a refusal quotes the key
    reference: str | None


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Certificates are verified (against `ca_file` instead of the system's, if given) and TLS is at least 1.3."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def http_client(
    *, timeout: float = 60.0, plaintext_hosts: Collection[str] = (), tls: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """The client all providers share. `http://` works for `plaintext_hosts` only, and that is logged once per host.

    `timeout` bounds connecting and every single read, in seconds. Redirects are not followed: a key goes where it was
    sent and nowhere else.
    """
    return httpx.AsyncClient(
        verify=tls or tls_context(),
        mounts={"http://": None},  # past the machine's proxy, which would read along
        timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=20),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        follow_redirects=False,
        # Asked before each request: a transport for `http://` would not be where NO_PROXY names the host.
        event_hooks={"request": [_PlaintextGate(frozenset(plaintext_hosts))]},
    )


class Bearer(httpx.Auth):
    """Puts a key on a request at the last moment, so that no variable of ours ever holds it in the clear."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


class _PlaintextGate:
    """Lets plaintext through to the hosts that were named, and to no other."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._told: set[str] = set()

    async def __call__(self, request: httpx.Request) -> None:
        host = request.url.host
        if request.url.scheme != "http":
            return
        if host not in self._hosts:
            raise Insecure(f"refused to send a key to {host} without TLS; use https, or name it as a plaintext host")
        if host not in self._told:
            self._told.add(host)
            log.warning("plaintext connection, allowed as a named exception", extra={"host": host})


async def get(http: httpx.AsyncClient, url: str, *, auth: httpx.Auth, params: Params, within: float) -> Answer:
    """One GET, read to its end within that many seconds. Raises Unavailable or UnexpectedResponse."""
    return await _read(http.stream("GET", url, auth=auth, params=params), within)


async def send(
    http: httpx.AsyncClient, method: str, url: str, *, auth: httpx.Auth, json: Json, within: float
) -> Answer:
    """One request that changes something, with a JSON body unless it is None; not for `retried`.

    Raises Unavailable or UnexpectedResponse, and then nobody knows whether it was done.
    """
    return await _read(http.stream(method, url, auth=auth, json=json), within)


async def _read(exchange: AbstractAsyncContextManager[httpx.Response], within: float) -> Answer:
    failure: ProviderError
    try:
        async with asyncio.timeout(within), exchange as response:
            reference = response.headers.get("x-request-id", "")
            chunks, size = [], 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > LARGEST_ANSWER:
                    raise UnexpectedResponse(f"the answer is larger than {LARGEST_ANSWER} bytes")
                chunks.append(chunk)
            return Answer(
                response.status_code,
                response.headers,
                b"".join(chunks),
                reference if _REFERENCE.fullmatch(reference) and not contains_key(reference) else None,
            )
    except (httpx.TimeoutException, TimeoutError):
        failure = Unavailable("no answer in time")
    except httpx.DecodingError:
        failure = UnexpectedResponse("the answer could not be decompressed")
    except httpx.UnsupportedProtocol:
        failure = Insecure("the address is not an https address")
    except httpx.RemoteProtocolError:
        failure = Unavailable("the answer broke off")
    except httpx.TransportError as error:
        failure = _unreachable(error)
    raise failure


def _unreachable(error: httpx.TransportError) -> Unavailable:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Insecure(f"the certificate is not trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError) and cause.reason in _VERSION_TROUBLE:
            return Insecure("TLS 1.3 could not be agreed on")
        if isinstance(cause, ssl.SSLError):
            return Unavailable("no TLS 1.3 connection could be made")
        cause = cause.__cause__ or cause.__context__
    return Unavailable(f"could not be reached ({type(error).__name__})")


async def retried(call: Callable[[], Awaitable[T]], policy: RetryPolicy) -> T:
    """The result of `call`, tried again while it is Unavailable or RateLimited and the policy allows.

    A provider that names a time to wait is taken at its word; when that is beyond the budget the error is raised at
    once, with the time in it. Only for requests that are safe to repeat.
    """
    started = time.monotonic()

    def backoff(error: Exception) -> bool | float:
        match error:
            case Insecure():
                return False
            case RateLimited(is_final=True):
                return False
            case RateLimited(retry_after=float(wait)):
                return wait if time.monotonic() - started + wait <= policy.budget else False
            case RateLimited() | Unavailable():
                return True
        return False

    async for attempt in stamina.retry_context(
        on=backoff,
        attempts=policy.attempts,
        timeout=policy.budget,
        wait_initial=policy.wait_initial,
        wait_max=policy.wait_max,
        wait_jitter=policy.wait_jitter,
    ):
        with attempt:
            return await call()
    raise AssertionError("unreachable: the last attempt returns or raises")


def seconds_until(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the provider asks us to wait: `retry-after-ms`, or Retry-After in seconds or as an HTTP date.

    Never negative; None when nothing sensible was said.
    """
    milliseconds, said = headers.get("retry-after-ms", ""), headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", milliseconds):
        return float(milliseconds) / 1000
    if re.fullmatch(r"\d{1,7}(\.\d{1,6})?", said):
        return float(said)
    try:
        until = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
