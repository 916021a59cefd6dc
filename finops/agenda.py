"""The agenda of a weekly review: what of a week somebody has to decide about, the most urgent first."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from finops.digest import AdviceKind, Digest, DigestProject, Runaway, Unranked
from finops.frozen import frozen

# A review of fifteen minutes has no time for more.
MOST_POINTS = 5
_RUNAWAYS = 2
# Less than a tenth up or down is how weeks are.
_NOTABLE = Decimal("0.1")


class PointKind(StrEnum):
    """What a point of the agenda is about."""

    RUNAWAY = "runaway"  # something ran away: is its cause mended?
    IMPROVE = "improve"  # a project below its own baseline: who does what?
    STEP = "step"  # the one next step of the week
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
    points += [Point(PointKind.IMPROVE, (one,)) for one in below]
    if _is_own_step(digest, [one.project_id for one in (*away, *below)]):
        points.append(Point(PointKind.STEP))
    # Where projects stand above, they are what moved it.
    if not away and not below and digest.why is not None and abs(digest.increase or Decimal(0)) >= _NOTABLE:
        points.append(Point(PointKind.MOVED))
    if digest.unallocated is not None and digest.unallocated.amount > 0:
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


def _ran(project: DigestProject) -> list[Runaway]:
    return [one for one in (project.burning, project.runaway) if one is not None]


def _beyond(project: DigestProject) -> Decimal:
    return max(one.beyond.amount for one in _ran(project))
