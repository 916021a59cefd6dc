"""Holds: whatever fails, and wherever a program dies, what was there comes back, and only what is ours is moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.holds import (
    FINAL,
    LOUD_AFTER,
    TOLD_AFTER,
    Hold,
    HoldState,
    HoldTrouble,
    Save,
    Settled,
    Write,
    before_ours,
    judged,
    left_behind,
    next_step,
    reopened,
    saved,
    troubled,
    without_ours,
    word_due,
)
from finops.levers import Json, LeverReading, changed_parts
from finops.money import Money
from finops.proof import Verdict
from tests.unit.stopping_kit import CENT, LIMIT, NOW, a_held, a_hold

PARTS = ("a", "b", "c")
# What people set is even or nothing at all, what we set is odd: so each value says whose it is.
theirs = st.sampled_from([None, 2, 4, 6])
formers = st.dictionaries(st.sampled_from(PARTS), theirs, min_size=1, max_size=3)
# ok: done and said; failed: not done; acted: done, and nobody was told; dies: the program is gone before it asks.
events = st.sampled_from(["ok", "ok", "failed", "acted", "elsewhere"])


@dataclass
class Model:
    """A provider, one hold on it, and a program that goes on from what is kept."""

    parts: dict[str, Json]
    hold: Hold = field(default_factory=a_hold)
    keeps: bool = False  # a target that is what was there already
    theirs: dict[str, Json] = field(default_factory=dict)
    lost: bool = False

    def __post_init__(self) -> None:
        self.theirs = dict(self.parts)

    def target(self, former: Mapping[str, Json]) -> dict[str, Json]:
        return {name: value if self.keeps and name == "a" else 1 for name, value in former.items()}

    def step(self, outcome: str) -> bool:
        """One look and what follows; True when nothing more is to be done."""
        hold, reading = self.hold, LeverReading(dict(self.parts))
        match next_step(hold, reading):
            case Save(former):
                self.hold = saved(hold, former, self.target(former), NOW)
            case Write(part, value):
                assert hold.former is not None, "nothing is written before it is known what was there"
                assert hold.target is not None
                assert value == (hold.target if hold.is_wanted else hold.former)[part]
                assert self.parts[part] != value, "nothing is written that stands there already"
                if outcome != "failed":
                    self.parts[part] = value
            case Settled(state) if state is HoldState.LOST and left_behind(hold, reading):
                self.hold, self.lost = replace(hold, is_wanted=False), True
            case Settled(state):
                self.hold = replace(hold, state=HoldState.LOST if self.lost else state)
                return True
        return False

    def elsewhere(self, part: str, value: Json) -> None:
        """Somebody else decides, between two looks."""
        if part in self.parts and self.parts[part] != value:
            self.parts[part] = self.theirs[part] = value


@settings(max_examples=50)
@given(
    formers, st.booleans(), st.lists(events), st.integers(0, 12), st.lists(st.tuples(st.sampled_from(PARTS), theirs))
)
def test_a_hold_always_ends_and_gives_back_what_people_set(
    former: dict[str, Json], keeps: bool, outcomes: list[str], lets_go_at: int, others: list[tuple[str, Json]]
):
    """However requests fail before or after acting, whenever it is let go of, and whatever others change meanwhile."""
    model = Model(dict(former), keeps=keeps)
    for number, outcome in enumerate(outcomes):
        if number == lets_go_at:
            model.hold = replace(model.hold, is_wanted=False)
        if outcome == "elsewhere" and others:
            model.elsewhere(*others.pop())
        elif model.hold.is_active:
            model.step(outcome)
    for _ in range(3 * len(former) + 6):
        if not model.hold.is_active or model.step("ok"):
            break
    else:
        pytest.fail("it never settles")
    if model.hold.is_active:
        assert changed_parts(model.hold.target or {}, model.parts) == []
        model.hold = replace(model.hold, is_wanted=False)
        steps = 0
        while not model.step("ok"):
            steps += 1
            assert steps <= len(former), "one request for each part"
    assert model.hold.state in (HoldState.RELEASED, HoldState.LOST)
    assert model.parts == model.theirs


def test_what_somebody_changed_before_we_wrote_is_what_was_before():
    """Saved at a hundred dollars, raised elsewhere to two hundred, then stopped: two hundred comes back."""
    hold = saved(a_hold(), {"spend_limit": LIMIT}, {"spend_limit": CENT}, NOW)
    raised = {"spend_limit": {**LIMIT, "threshold_amount": 200_000}}
    assert next_step(hold, LeverReading(raised)) == Save(raised)


def test_nothing_set_is_removed_again_and_nothing_else():
    """No big number takes the place of no limit."""
    hold = a_held(former={"spend_limit": None}, is_wanted=False)
    assert next_step(hold, LeverReading({"spend_limit": CENT})) == Write("spend_limit", None)
    assert next_step(hold, LeverReading({"spend_limit": LIMIT})) == Settled(HoldState.RELEASED, ("spend_limit",))


def test_a_lever_that_somebody_moved_is_lost_and_says_which_part_of_ours_is_left():
    """Of two models, one was given its pace back."""
    hold = a_held(former={"a": 10, "b": 10, "c": 1}, target={"a": 1, "b": 1, "c": 1})
    reading = LeverReading({"a": 5, "b": 1, "c": 1})
    assert next_step(hold, reading) == Settled(HoldState.LOST, ("a",))
    assert left_behind(hold, reading) == ["b"]


def test_what_an_earlier_hold_left_behind_is_not_what_was_before():
    """A cent of ours that came late is taken for what that hold had found; what people set since is theirs."""
    earlier = a_held(state=HoldState.RELEASED)
    assert before_ours({"spend_limit": CENT}, earlier) == {"spend_limit": LIMIT}
    assert before_ours({"spend_limit": None}, earlier) == {"spend_limit": None}
    assert before_ours({"spend_limit": CENT}, a_hold(state=HoldState.RELEASED)) == {"spend_limit": CENT}


@pytest.mark.parametrize(
    "wrong",
    [
        {"former": {"a": 1}},
        {"former": {"a": 1}, "target": {"b": 1}},
        {"state": HoldState.SAVED},
        {"state": HoldState.PROVED},
    ],
)
def test_a_hold_that_does_not_know_what_was_before_cannot_be(wrong: dict[str, object]):
    """It could never be undone."""
    with pytest.raises(ValueError, match=r"know|same"):
        a_hold(**wrong)


OF_A_WEEK = a_held(requested_at=NOW - timedelta(days=7), is_wanted=False, release_at=NOW)
waits = st.lists(st.tuples(st.integers(1, 600), st.sampled_from(HoldTrouble)), min_size=1, max_size=20)


@settings(max_examples=50)
@given(waits, st.sampled_from([a_hold(), a_held(state=HoldState.SAVED), OF_A_WEEK]))
def test_trouble_is_told_in_time_and_not_again_and_again(attempts: list[tuple[int, HoldTrouble]], hold: Hold):
    """At once where only a person can help, after half a minute where it may pass, once more loudly after a quarter."""
    now, told, same_since = NOW, 0, NOW
    for seconds, trouble in attempts:
        now += timedelta(seconds=seconds)
        passes = hold.trouble is not None and FINAL.isdisjoint((hold.trouble, trouble))
        before, same_since = hold, same_since if hold.trouble is trouble or passes else now
        hold = troubled(hold, trouble, now, timedelta(seconds=1))
        assert (hold.trouble_since, hold.attempts) == (same_since, before.attempts + 1)
        if hold.state is HoldState.FAILED:
            assert before.state is HoldState.REQUESTED, "what may have written something lets go of it first"
            assert trouble in FINAL
            assert (hold.next_at, hold.is_wanted) == (None, False)
            return
        assert hold.next_at is not None
        assert hold.next_at > now, "it is looked at again"
        told += hold.told_at != before.told_at
        if trouble in FINAL or now - same_since >= TOLD_AFTER:
            assert hold.told_at is not None
        if hold.told_at not in (None, before.told_at) and before.told_at is not None:
            assert before.told_at < NOW + LOUD_AFTER <= now, "the second word is the loud one"
        if hold.told_at is not None and now >= NOW + LOUD_AFTER:
            assert hold.told_at >= NOW + LOUD_AFTER, "whoever waits hears it, counted from what they asked for last"
    assert told <= 2
    stands = replace(a_held(), trouble=HoldTrouble.PROJECT_GONE, trouble_since=NOW, told_at=NOW)
    assert word_due(stands) is None, "nobody waits for what stands"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("state", [HoldState.SET, HoldState.UNPROVED, HoldState.PROVED])
def test_a_proof_is_never_taken_back_by_a_look_and_the_leak_is_always_kept(verdict: Verdict, state: HoldState):
    """Only calls that came back (`reopened`) want a new one."""
    later = NOW + timedelta(minutes=9)
    after = judged(a_held(state=state), verdict, Money.of("1.5"), None, later)
    assert after.leak == Money.of("1.5")
    if verdict is Verdict.PROVED or state is HoldState.PROVED:
        assert after.state is HoldState.PROVED
    elif verdict is Verdict.WAITING or state is HoldState.UNPROVED:
        assert after.state is state
    else:
        assert after.state is HoldState.UNPROVED
    assert judged(after, Verdict.WAITING, None, None, later).leak == Money.of("1.5")
    again = reopened(replace(after, proved_at=later), later)
    assert (again.state, again.set_at, again.proved_at) == (HoldState.SET, later, None)


@pytest.mark.parametrize(("said", "last_call", "enforced"), [(None, None, 0), (None, -1, 0), (None, 2, 2), (1, 2, 1)])
def test_calls_end_when_the_provider_said_so_else_with_the_last_that_got_through(
    said: int | None, last_call: int | None, enforced: int
):
    """In minutes since the lever was set, before which nothing can have ended."""
    at = {None: None} | {minute: NOW + timedelta(minutes=minute) for minute in range(-1, 10)}
    proved = judged(a_held(enforced_at=at[said]), Verdict.PROVED, None, at[last_call], NOW + timedelta(minutes=9))
    assert (proved.proved_at, proved.enforced_at) == (at[9], at[enforced])


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(HoldTrouble), st.integers(1, 86_400)), min_size=1, max_size=30),
    st.sampled_from([a_held(state=HoldState.SAVED), a_held(state=HoldState.SET, is_wanted=False, release_at=NOW)]),
)
def test_trouble_is_told_by_the_clock_however_long_the_provider_wants_to_be_left_alone(
    attempts: list[tuple[HoldTrouble, int]], hold: Hold
):
    """Looked at again only when it says so: nobody waits longer than half a minute for a word, whatever the troubles
    are, and none is left to be told when the next look is far away."""
    now = NOW
    for trouble, wait in attempts:
        before, hold = hold, troubled(hold, trouble, now, timedelta(seconds=wait))
        assert hold.next_at is not None
        assert now < hold.next_at <= now + timedelta(seconds=wait)
        due = word_due(hold)
        assert due is None or hold.next_at <= due
        if before.told_at is None and now - NOW >= TOLD_AFTER and FINAL.isdisjoint(one for one, _ in attempts):
            assert hold.told_at is not None
        now = hold.next_at


def test_what_was_lost_with_its_project_is_what_was_before_until_something_was_put_back():
    """However long ago: our cent is still there. One that was put back since settles what lies before it."""
    lost = replace(a_held(state=HoldState.LOST), trouble=HoldTrouble.PROJECT_GONE, updated_at=NOW)
    later, since = NOW + timedelta(days=90), NOW + timedelta(days=89)
    found = {"spend_limit": CENT}
    assert without_ours(found, [lost], since) == {"spend_limit": LIMIT}
    assert without_ours({"spend_limit": None}, [lost], since) == {"spend_limit": None}
    elsewhere = replace(lost, trouble=None)
    assert without_ours(found, [elsewhere], since) == found, "somebody set a cent of their own since"
    assert without_ours(found, [replace(elsewhere, updated_at=later)], since) == {"spend_limit": LIMIT}
    nothing_done = a_hold(state=HoldState.RELEASED, released_at=later)
    assert without_ours(found, [nothing_done, lost], since) == {"spend_limit": LIMIT}
    put_back = a_held(state=HoldState.RELEASED, released_at=NOW + timedelta(days=5))
    assert without_ours(found, [put_back, lost], since) == found
