"""A poll to vote in, and a world of two workspaces to vote from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from finops.polls import Option, Poll, PollKind
from tests.databases import MOMENT, WORKSPACE

A_POLL = Poll(
    id=0,
    workspace_id=WORKSPACE,
    channel_id="C1",
    parent_key=None,
    kind=PollKind.CUSTOM,
    question="What next?",
    options=(Option("1", "this"), Option("2", "that")),
    is_multiple=False,
    is_anonymous=True,
    may_add=True,
    is_hidden=True,
    locale="",
    timezone="",
    closes_at=MOMENT + timedelta(days=1),
    remind_at=MOMENT + timedelta(hours=18),
    created_by="U1",
    created_at=MOMENT,
    salt=b"salt",
)


def a_poll(**changed: Any) -> Poll:
    """An anonymous question with hidden results, open for a day, but for what is changed."""
    return replace(A_POLL, **changed)
