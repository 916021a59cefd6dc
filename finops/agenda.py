"""The agenda of a weekly review: what of a week somebody has to decide about, the most urgent first."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from finops.advice import LEAST_WORTH
from finops.digest import AdviceKind, Digest, DigestProject, Runaway, Unranked
from finops.frozen import frozen
from finops.money import EXACT, Money
from finops.why import WhyKind

# A review of fifteen minutes has no time for more.
MOST_POINTS = 5
_RUNAWAYS = 2
# Less than a tenth up or down is how weeks are.
_NOTABLE = Decimal("0.1")


class PointKind(StrEnum):
    """What a point of the agenda is about."""

    RUNAWAY = "runaway"  # something ran away: is its cause mended?
    STEP = "step"  # the one next step of the week
    IMPROVE = "improve"  # a project below its own baseline: who does what?
    MOVED = "moved"  # the whole went up or down: was that meant?
    UNALLOCATED = "unallocated"  # nobody answers for it
    UNRECORDED = "unrecorded"  # projects that cost money and say of nothing what it brought


@frozen
class Point:
    """One point, and the projects it is about: one of RUNAWAY and IMPROVE, any number of UNRECORDED, else none."""

    kind: PointKind
    projects: tuple[DigestProject, ...] = ()


def agenda(digest: Digest) -> tuple[Point, ...]:
    """At most MOST_POINTS, no project in two of them but the unrecorded; none where nothing has to be decided."""
    if digest.total.amount is None:
        return ()
    away = sorted((one for one in digest.projects if _ran(one)), key=lambda one: (-_beyond(one), one.project_id))
    away = away[:_RUNAWAYS]
    below = [one for one in digest.improve if one not in away]
    points = [Point(PointKind.RUNAWAY, (one,)) for one in away]
    is_own_step = _is_own_step(digest, [one.project_id for one in (*away, *below)])
    # Where projects stand above, they are what moved it.
    is_moved = not away and not below and not (is_own_step and digest.advice.project_id) and _has_moved(digest)
    # A step that no project below its baseline has is worth more than theirs: it must not fall off the end. To look
    # at what moved the whole is what the point about that asks for.
    if is_own_step and not (is_moved and digest.advice.kind is AdviceKind.LOOK_WHY):
        points.append(Point(PointKind.STEP))
    points += [Point(PointKind.IMPROVE, (one,)) for one in below]
    if is_moved:
        points.append(Point(PointKind.MOVED))
    if digest.unallocated is not None and _is_worth_a_word(digest.unallocated, digest.total.amount):
        points.append(Point(PointKind.UNALLOCATED))
    silent = [one for one in digest.others if one.unranked is Unranked.NO_VALUE and one.cost.amount > 0]
    if silent:
        silent.sort(key=lambda one: (-one.cost.amount, one.project_id))
        points.append(Point(PointKind.UNRECORDED, tuple(silent)))
    return tuple(points[:MOST_POINTS])


def _is_own_step(digest: Digest, named: list[int]) -> bool:
    """Whether the week's one step is a point of its own: it is about something that no other point is about."""
    step = digest.advice
    if not digest.projects or step.kind in (AdviceKind.NONE, AdviceKind.CONNECT_EVENTS):
        return False
    return step.project_id not in named


def _has_moved(digest: Digest) -> bool:
    """Whether the whole moved notably, and somebody looked why. Of cents a tenth is no change that has a cause."""
    is_told = digest.why is not None and digest.why.kind is not WhyKind.UNCHANGED
    return is_told and abs(digest.increase or Decimal(0)) >= _NOTABLE


def _is_worth_a_word(part: Money, whole: Money) -> bool:
    return part.amount > 0 and part.amount >= EXACT.multiply(whole.amount, LEAST_WORTH)


def _ran(project: DigestProject) -> list[Runaway]:
    return [one for one in (project.burning, project.runaway) if one is not None]


def _beyond(project: DigestProject) -> Decimal:
    return max(one.beyond.amount for one in _ran(project))
