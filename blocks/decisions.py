"""The page of decisions: what was voted to come next, what is decided about it, and what telling people changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blocks import feedback, ids, kit, learning, poll_words
from finops.decisions import DecidedPoll, Decisions, DecisionState, Ranked
from finops.feedback import FeedbackState
from finops.polls import LONGEST_OPTION, LONGEST_QUESTION
from locales import Translator

Parts = list[kit.Block | kit.Either]
# What a menu is worth where nothing is decided, or no longer.
OPEN = "open"
# Blocks of polls on the page; the others of its fifty are spoken for.
_ROOM = 36
_OPEN_NAMED = 3


def message(
    report: Decisions,
    t: Translator,
    *,
    is_admin: bool = False,
    mark: str | None = None,
    shared_by: str | None = None,
    notice: str | None = None,
) -> kit.Message:
    """The answer to `/finops decisions`. `is_admin` puts a menu beside each answer.

    `shared_by` (a user id) makes it the public version, without menus and buttons. `mark` goes into the button to
    share, to tell this rendering from the next; None where there is no channel to share it in.
    """
    title = t.gettext("What comes next: voted and decided")
    is_public = shared_by is not None
    parts: Parts = [kit.header(title)]
    if notice:
        parts.append(kit.section(notice))
    told: Parts = []
    room, hidden = _ROOM, report.more
    for poll in report.polls:
        drawn = _poll(poll, t, with_menu=is_admin and not is_public)
        if len(drawn) > room and told:
            hidden += 1
            continue
        room -= len(drawn)
        told += drawn
    parts += told or [_nothing(report, t, is_public=is_public)]
    if hidden:
        words = t.ngettext("{count} older poll: in the file", "{count} older polls: in the file", hidden)
        parts.append(kit.context(words))
    if report.open:
        parts.append(kit.context(_still_open(report, t)))
    parts += _changed(report, t, is_public=is_public)
    parts.append(_feedback(report.feedback, t, is_public=is_public))
    if report.polls and not is_public:
        words = t.gettext("Every answer with its votes and what is decided, as a table:")
        parts.append(kit.section(words, kit.button(t.gettext("Export (CSV)"), ids.DECISION_EXPORT)))
    as_of = t.gettext("as of {moment} {zone}", moment=t.moment(report.at), zone=t.zone_name(report.at))
    if shared_by is not None:
        parts.append(kit.context(as_of, t.gettext("Shared by {person}", person=kit.mention(shared_by))))
    else:
        parts.append(kit.context(as_of, t.gettext("A vote is advice; administrators decide.")))
        if mark is not None:
            parts.append(kit.actions(kit.button(t.pgettext("button", "Share"), ids.DECISION_SHARE, mark)))
    return kit.message(f"{title}: {_in_words(report, t)}", parts)


def state_name(state: DecisionState, t: Translator) -> str:
    """What becomes of an answer, in a word."""
    return _STATES[state](t)


def file_words(t: Translator) -> str:
    """What stands beside the file."""
    return t.gettext("Votes and decisions as a file: a line for each answer, counts only.")


def _poll(poll: DecidedPoll, t: Translator, *, with_menu: bool) -> list[kit.Block]:
    assert poll.poll.closed_at is not None
    asked = kit.name(poll.poll.question, LONGEST_QUESTION)
    closed = t.gettext("closed {moment}", moment=t.moment(poll.poll.closed_at))
    head = f"*{asked}*\n{closed} · {_people(poll, t)}"
    return [kit.section(head), *(_answer(poll, one, t, with_menu=with_menu) for one in poll.top)]


def _people(poll: DecidedPoll, t: Translator) -> str:
    return poll_words.people(poll.shown, t) if poll.shown.people else t.gettext("nobody voted")


def _answer(poll: DecidedPoll, one: Ranked, t: Translator, *, with_menu: bool) -> kit.Block:
    text = kit.name(one.count.option.text, LONGEST_OPTION)
    lines = [f"{_place(one, t)} · *{text}*", poll_words.result(poll.shown, one.count, t), _decision(one, t)]
    return kit.section("\n".join(lines), _menu(poll, one, t) if with_menu else None)


def _place(one: Ranked, t: Translator) -> str:
    if not one.count.votes:
        return t.gettext("no votes")
    if one.is_tied:
        return t.gettext("tied at no. {place}", place=one.place)
    return t.gettext("no. {place}", place=one.place)


def _decision(one: Ranked, t: Translator) -> str:
    made = one.decision
    if made is None:
        return t.gettext("Not decided yet")
    who = kit.name(made.name) if made.name else kit.mention(made.by)
    return t.gettext(
        "Decided: *{state}* · {person} · {moment}",
        state=state_name(made.state, t),
        person=who,
        moment=t.moment(made.at),
    )


def _menu(poll: DecidedPoll, one: Ranked, t: Translator) -> kit.Block:
    about = f"{poll.poll.id}/{one.count.option.id}"
    options = [kit.option(state_name(state, t), f"{about}/{state.value}") for state in DecisionState]
    options.append(kit.option(t.gettext("Not decided"), f"{about}/{OPEN}"))
    held = OPEN if one.decision is None else one.decision.state.value
    return kit.select(ids.DECISION_SET, t.gettext("Decide"), options, f"{about}/{held}")


def _nothing(report: Decisions, t: Translator, *, is_public: bool) -> kit.Block:
    asks = not (is_public or report.open)
    ask = kit.button(t.gettext("Ask what to build next"), ids.POLL_READY) if asks else None
    return kit.section(_nothing_words(report, t), ask)


def _nothing_words(report: Decisions, t: Translator) -> str:
    """That no vote is over, and the way to one; where one is open, nobody is asked to post another."""
    if report.open:
        return t.gettext("No vote on what comes next has closed yet. The result will stand here.")
    return t.gettext(
        "No vote on what comes next has closed yet. Post a poll: FinOps brings the options, and the result stands here."
    )


def _still_open(report: Decisions, t: Translator) -> str:
    named = [
        f"{kit.name(one.question, LONGEST_QUESTION)} ({kit.escape(poll_words.closing(one, t))})"
        for one in report.open[:_OPEN_NAMED]
    ]
    more = len(report.open) - len(named)
    if more > 0:
        named.append(t.ngettext("and {count} more", "and {count} more", more))
    return t.gettext("Still open: {polls}", polls=", ".join(named))


def _changed(report: Decisions, t: Translator, *, is_public: bool) -> Parts:
    """What telling people changed, as `/finops effect` has it."""
    learned = report.learned
    if learned is None:
        return []
    told = learning.digests(learned, t) or ["• " + t.gettext("No digest is old enough to be measured yet.")]
    lines = [t.gettext("*What changed because people were told*"), *told]
    lines += [learning.verdict(one, t) for one in learned.hypotheses]
    button = None if is_public else kit.button(t.gettext("What it changed"), ids.LEARNING_SHOW)
    return [kit.divider(), kit.section("\n".join(lines), button)]


def _feedback(counts: Mapping[FeedbackState, int], t: Translator, *, is_public: bool) -> kit.Block:
    title = t.gettext("*What people told us*")
    button = None if is_public else kit.button(t.gettext("Feedback"), ids.FEEDBACK_OPEN)
    if not counts:
        nothing = t.gettext("Nobody has said anything yet. What do you miss?")
        return kit.section(f"{title}\n{nothing}", button)
    told = " · ".join(f"{feedback.state_name(one, t)} {t.number(counts.get(one, 0))}" for one in FeedbackState)
    return kit.section(f"{title}\n{told}", button)


def _in_words(report: Decisions, t: Translator) -> str:
    told = []
    for poll in report.polls:
        answers = [
            f"{one.count.option.text} {t.share(one.count.share)}"
            + (f" ({state_name(one.decision.state, t)})" if one.decision is not None else "")
            for one in poll.top
        ]
        told.append(kit.escape(f"{poll.poll.question}: {', '.join(answers) or _people(poll, t)}"))
    if told:
        return " | ".join(told)
    return "\n".join([_nothing_words(report, t), *([_still_open(report, t)] if report.open else [])])


_STATES: dict[DecisionState, Callable[[Translator], str]] = {
    DecisionState.PLANNED: lambda t: t.pgettext("decision", "planned"),
    DecisionState.DOING: lambda t: t.pgettext("decision", "in progress"),
    DecisionState.DONE: lambda t: t.pgettext("decision", "done"),
    DecisionState.DECLINED: lambda t: t.pgettext("decision", "will not be done"),
}
