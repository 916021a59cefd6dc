"""Bad news is data: a code, its values and, where somebody has to look, a reference that the log knows too."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.collector import chunks, retry_after
from bot.errors import BadNewsKind, OutageCode, Refusal, RefusalCode, explain, new_reference
from bot.keys import pasted_key, require_costs
from finops.periods import Period
from providers.contract import (
    CredentialReason,
    CredentialRejected,
    Identity,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from storage.records import Collection, CollectionKind, CollectionState

CANARY = "sk-" + "admin-" + "canary00000000000000abcd"


def test_a_refusal_keeps_its_code_and_values_and_is_not_logged(caplog: pytest.LogCaptureFixture):
    news = explain(Refusal(RefusalCode.TEAM_NAME_TAKEN, team="마케팅팀"))
    assert (news.kind, news.code, news.values, news.reference) == (
        BadNewsKind.REFUSAL,
        "team_name_taken",
        {"team": "마케팅팀"},
        None,
    )
    assert caplog.records == []


@pytest.mark.parametrize(
    ("error", "code", "values"),
    [
        (CredentialRejected(CredentialReason.INVALID, "no"), "key_rejected", {"scope": None}),
        (CredentialRejected(CredentialReason.WRONG_KIND, "no"), "key_wrong_kind", {"scope": None}),
        (CredentialRejected(CredentialReason.MISSING_SCOPE, "no", scope="read"), "key_lacks_right", {"scope": "read"}),
        (CredentialRejected(CredentialReason.IP_NOT_ALLOWED, "no"), "key_address_refused", {"scope": None}),
        (RateLimited("slow", retry_after=30.0), "rate_limited", {"retry_after": 30.0}),
        (Unavailable("away"), "unavailable", {}),
        (UnexpectedResponse("what", pointer="/data/0"), "unexpected_response", {"pointer": "/data/0"}),
    ],
)  # fmt: skip
def test_every_trouble_of_a_provider_has_its_code(error: Exception, code: str, values: dict[str, object]):
    news = explain(error)
    assert (news.kind, news.code, news.values) == (BadNewsKind.OUTAGE, code, values)
    assert news.reference


def test_a_bug_is_logged_once_under_the_reference_people_are_shown(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        news = explain(ZeroDivisionError("share of nothing"))
    assert (news.kind, news.code) == (BadNewsKind.BUG, OutageCode.INTERNAL.value)
    [record] = caplog.records
    assert record.__dict__["reference"] == news.reference
    assert record.exc_info


def test_references_are_short_and_have_no_letters_people_confuse():
    reference = new_reference()
    assert 4 <= len(reference) <= 6
    assert not set(reference) & set("01ILO")


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("sk-" + "proj-" + "abcdefgh12345678", RefusalCode.KEY_OF_PROJECT),
        ("sk-" + "svcacct-" + "abcdefgh12345678", RefusalCode.KEY_OF_SERVICE_ACCOUNT),
        ("sk-" + "ant-" + "admin01-abcdefgh12345678", RefusalCode.KEY_OF_ANTHROPIC),
        ("xoxb-" + "1234567890-abcdefgh", RefusalCode.KEY_OF_SOMETHING_ELSE),
        ("마케팅팀", RefusalCode.NOT_A_KEY),
        ("", RefusalCode.NOT_A_KEY),
    ],
)
def test_a_wrong_key_is_refused_by_what_it_is(pasted: str, code: RefusalCode):
    with pytest.raises(Refusal) as refused:
        pasted_key(pasted)
    assert refused.value.code is code
    assert pasted not in str(refused.value.values) or not pasted


def test_a_pasted_key_is_taken_out_of_its_quotes():
    assert pasted_key(f' "{CANARY}"\n').reveal() == CANARY


def test_a_key_that_cannot_read_costs_is_refused_with_the_rights_it_has():
    with pytest.raises(Refusal) as refused:
        require_costs(Identity(None, None, frozenset({"management.read"})))
    assert refused.value.values == {"rights": ("management.read",)}


def a_collection(days: int, done: int = 0) -> Collection:
    end = date(2026, 7, 6)
    return Collection(
        1, "T", 1, CollectionKind.BACKFILL, "first", Period(end - timedelta(days=days), end), end, done,
        CollectionState.RUNNING, None, None, None, None, "w", 1, datetime(2026, 7, 6, tzinfo=UTC), None, None,
    )  # fmt: skip


@pytest.mark.parametrize("days", [1, 6, 7, 8, 30, 180])
@pytest.mark.parametrize("done", [0, 7])
def test_chunks_tile_what_is_left_from_the_newest_day_back(days: int, done: int):
    """No day twice, none forgotten, whatever was done before."""
    collection = a_collection(days, min(done, days))
    found = [day for chunk in chunks(collection) for day in reversed(list(chunk))]
    expected = list(reversed(list(collection.period)))[min(done, days) :]
    assert found == expected


def test_patience_grows_to_a_quarter_of_an_hour_and_respects_what_was_asked():
    waits = [retry_after(attempts, Unavailable("away")) for attempts in (1, 2, 3, 4, 5, 99)]
    assert waits == [timedelta(minutes=n) for n in (1, 2, 4, 8, 15, 15)]
    assert retry_after(1, RateLimited("slow", retry_after=300.0)) == timedelta(minutes=5)
    assert retry_after(1, RateLimited("slow", retry_after=99_999.0)) == timedelta(minutes=15)
