"""The agenda in the thread of Monday's digest: what the review of the week has to decide, a line each."""

from __future__ import annotations

from blocks import digest_parts as parts
from blocks import digest_steps as steps
from blocks import kit
from finops.agenda import Point, PointKind
from finops.agenda import agenda as to_decide
from finops.digest import Digest
from locales import Translator

_NAMES_SHOWN = 3


def agenda(digest: Digest, t: Translator) -> tuple[str, list[kit.Block | kit.Either]]:
    """Its head as plain text, and its blocks."""
    head = t.gettext("Agenda for the weekly review")
    lines = [f"{number}. {_line(point, digest, t)}" for number, point in enumerate(to_decide(digest), 1)]
    told = t.gettext("Answer in this thread who does what, and until when.")
    return head, [kit.section("\n".join([f"🗓️ *{head}*", *lines])), kit.context(told)]


def _line(point: Point, digest: Digest, t: Translator) -> str:
    """What is known, and the question it leaves; mrkdwn."""
    match point.kind:
        case PointKind.RUNAWAY:
            [project] = point.projects
            known = f"*{parts.named(project)}*  {kit.escape(parts.runaway(project, t))}"
            asked = t.gettext("is its cause mended?")
        case PointKind.IMPROVE:
            [project] = point.projects
            known = (
                f"*{parts.named(project)}*  {kit.escape(steps.todo(project.advice, t) or parts.standing(project, t))}"
            )
            asked = t.gettext("who does it?")
        case PointKind.STEP:
            about = kit.escape(steps.about(digest))
            todo = kit.escape(steps.todo(digest.advice, t))
            known, asked = f"*{about}*  {todo}" if about else todo, t.gettext("who does it?")
        case PointKind.MOVED:
            known = kit.escape(f"{parts.change(digest, t)} · {parts.whole_cause(digest, t)}")
            asked = t.gettext("was that meant?")
        case PointKind.UNALLOCATED:
            known, asked = kit.escape(parts.unallocated_line(digest, t) or ""), t.gettext("which team answers for it?")
        case PointKind.UNRECORDED:
            known, asked = _unrecorded(point, t), t.gettext("who says what they bring?")
    return f"{known} — {kit.escape(asked)}"


def _unrecorded(point: Point, t: Translator) -> str:
    names = parts.listed([f"*{parts.named(one)}*" for one in point.projects], _NAMES_SHOWN, t)
    silent = t.gettext("no outcomes recorded")
    return f"{names}  {kit.escape(silent)}"
