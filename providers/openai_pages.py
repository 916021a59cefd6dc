"""Costs and usage come alike: buckets of time on pages, each page with the way to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from providers.contract import UnexpectedResponse

# Larger answers are decoded on a thread, so that the event loop stays free to acknowledge Slack.
INLINE_BYTES = 64 * 1024
T = TypeVar("T")


class Bucket(msgspec.Struct):
    """One day of costs, or one bucket of usage; its rows are not decoded yet."""

    start_time: int
    end_time: int | None = None
    results: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()  # its name in the documentation before 2026


class Page(msgspec.Struct):
    """One page of buckets."""

    data: list[Bucket]
    has_more: bool | None = None
    next_page: str | None = None


PAGE = msgspec.json.Decoder(Page)


def results_of(bucket: Bucket, pointer: str, reference: str | None) -> msgspec.Raw:
    """The undecoded rows of a bucket, under either name."""
    raw = bucket.results or bucket.result
    if not raw:
        raise UnexpectedResponse("a bucket without its results", pointer=f"{pointer}/results", reference=reference)
    return raw


def page_after(page: Page, seen: set[str], most: int, reference: str | None) -> str | None:
    """The name of the page that follows, None after the last; `seen` are those asked for so far, and it is added.

    Each page tells of one of the `most` buckets at least: whoever needs more of them runs in a circle.
    """
    if page.has_more is False or (page.has_more is None and not page.next_page):
        return None
    if not page.next_page:
        raise UnexpectedResponse("more is promised but no way to it", pointer="/next_page", reference=reference)
    if page.next_page in seen or len(seen) > most:
        raise UnexpectedResponse("the pages run in a circle", pointer="/next_page", reference=reference)
    seen.add(page.next_page)
    return page.next_page


async def off_loop(raw: bytes | msgspec.Raw, decode: Callable[[], T]) -> T:
    """Decode on a thread when the bytes are many enough to be felt by whoever waits for an acknowledgement."""
    return await asyncio.to_thread(decode) if len(memoryview(raw)) > INLINE_BYTES else decode()
