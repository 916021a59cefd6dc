"""Polls: the message with its live bars, what voters see, the list. The windows are in blocks.poll_forms."""

from __future__ import annotations

from collections.abc import Sequence

from blocks import charts, ids, kit, poll_words
from finops.frozen import frozen
from finops.polls import (
    LONGEST_OPTION,
    LONGEST_QUESTION,
    MOST_OPTIONS,
    Poll,
    PollKind,
    PollShown,
)
from locales import Translator

# What the menu of a poll in the list is worth, after its id and a slash.
MORE_RESULTS, MORE_EXPORT, MORE_CLOSE = "results", "export", "close"
MORE_DECIDES, MORE_DECIDES_NOT = "decides", "decides_not"
_PULSE_BUTTONS = {"good": ids.POLL_PULSE_GOOD, "fair": ids.POLL_PULSE_FAIR, "poor": ids.POLL_PULSE_POOR}


@frozen
class Entry:
    """A poll in the list: where its message stands (a link, None: not known), and what this reader may do to it.

    `is_mine`: close and export it. `may_mark`: say whether it decides what comes next.
    """

    shown: PollShown
    link: str | None
    is_mine: bool
    may_mark: bool = False


def root(shown: PollShown, t: Translator) -> kit.Message:
    """The poll as everybody sees it: how it works before the first vote, bars as far as they are public."""
    poll = shown.poll
    asked = poll_words.question(poll, t)
    said = [t.gettext("Poll: {question}", question=asked)]
    if shown.is_open:
        said.append(poll_words.terms(shown, t))
    if shown.is_public and shown.people:
        said.append(poll_words.in_a_line(shown, t))
    said.append(poll_words.people(shown, t))
    parts: list[kit.Block | kit.Either] = [_heading(poll, asked), *_about(shown, t)]
    if poll.kind is PollKind.PULSE and shown.is_open:
        parts.append(_taps(poll, t))
    else:
        parts += [_option(shown, index, t) for index in range(len(shown.counts))]
    picture = chart(shown, t) if shown.is_public else None
    if picture is not None:
        parts.append(picture)
    parts += _end(shown, t)
    return kit.message(kit.escape(" | ".join(said)), parts)


def reminder(shown: PollShown, t: Translator) -> kit.Message:
    """A line in its thread, once, before it closes."""
    said = t.gettext(
        "Closes {moment} {zone}. {people}; if you have not yet, the buttons are above.",
        moment=t.moment(shown.poll.closes_at),
        zone=t.zone_name(shown.poll.closes_at),
        people=poll_words.people(shown, t),
    )
    return kit.line(said)


def result(shown: PollShown, t: Translator) -> kit.Message:
    """A line in its thread when it has closed."""
    said = " · ".join(filter(None, [t.gettext("Closed"), poll_words.leading(shown, t), poll_words.people(shown, t)]))
    parts = [kit.section(said)]
    if shown.poll.decides:
        parts.append(kit.actions(kit.button(t.gettext("What is decided"), ids.DECISION_SHOW)))
    return kit.message(said.replace("*", ""), parts)


def chart(shown: PollShown, t: Translator) -> kit.Either | None:
    """The votes as bars; None while there are none. In words they stand beside each option already."""
    if not shown.people:
        return None
    labels: list[str] = []
    for count in shown.counts:
        label = kit.bare(poll_words.option_text(shown.poll, count.option, t), charts.LABEL)
        number = 1
        while label in labels:
            number += 1
            label = f"{kit.bare(label, charts.LABEL - len(str(number)) - 1)} {number}"
        labels.append(label)
    votes = [{"label": label, "value": count.votes} for label, count in zip(labels, shown.counts, strict=True)]
    # i18n: title of a chart, 50 characters
    title = t.gettext("Votes")
    series = [{"name": kit.clip(title, charts.LABEL), "data": votes}]
    drawn = {"type": "bar", "series": series, "axis_config": {"categories": labels}}
    return kit.Either({"type": "data_visualization", "title": title, "chart": drawn}, [])


def voted(
    poll: Poll,
    chosen: Sequence[str],
    shown: PollShown | None,
    t: Translator,
    *,
    was_changed: bool = False,
    is_same: bool = False,
) -> kit.Message:
    """What only the voter sees: what counts now, how to change it, and (`shown`) how a hidden poll stands."""
    said = poll_words.thanks(poll, chosen, t, was_changed=was_changed, is_same=is_same)
    parts: list[kit.Block | kit.Either] = [kit.section(said)]
    if shown is not None:
        parts.append(kit.section(poll_words.results(shown, t)))
        parts.append(kit.context(poll_words.people(shown, t)))
    parts.append(kit.actions(kit.button(t.gettext("Take my vote back"), ids.POLL_WITHDRAW, poll.id)))
    return kit.message(said.replace("*", ""), parts)


def withdrawn(poll: Poll, t: Translator) -> kit.Message:
    """That a vote counts no more."""
    said = poll_words.taken_back(poll, t)
    return kit.message(said.replace("*", ""), [kit.section(said)])


def results(shown: PollShown, t: Translator, notice: str | None = None) -> kit.Message:
    """How a poll stands, for one person's eyes."""
    asked = kit.name(poll_words.question(shown.poll, t), LONGEST_QUESTION)
    state = poll_words.closing(shown.poll, t) if shown.is_open else t.gettext("Closed")
    parts: list[kit.Block | kit.Either] = [kit.section(notice)] if notice else []
    parts += [kit.section(f"*{asked}*"), kit.section(poll_words.results(shown, t))]
    picture = chart(shown, t)
    if picture is not None:
        parts.append(picture)
    parts.append(kit.context(f"{state} · {poll_words.people(shown, t)}"))
    return kit.message(f"{notice or ''} {asked} | {kit.escape(poll_words.in_a_line(shown, t))}", parts)


def said(text: str) -> kit.Message:
    """A sentence for one person's eyes."""
    return kit.message(text.replace("*", ""), [kit.section(text)])


def marked(poll: Poll, t: Translator, *, decides: bool) -> kit.Message:
    """That an administrator had a poll decide what comes next, or not."""
    asked = kit.name(poll_words.question(poll, t), LONGEST_QUESTION)
    if not decides:
        text = t.gettext("*{question}* no longer stands on the page of decisions.", question=asked)
        return kit.message(text.replace("*", ""), [kit.section(text)])
    text = t.gettext("*{question}* stands on the page of decisions, once it is closed.", question=asked)
    return kit.message(
        text.replace("*", ""), [kit.section(text, kit.button(t.gettext("What is decided"), ids.DECISION_SHOW))]
    )


def file_words(shown: PollShown, t: Translator) -> str:
    """What stands beside the file of a poll."""
    if shown.poll.is_anonymous:
        return t.gettext("The poll as a file: counts only, for it is anonymous.")
    return t.gettext("The poll as a file: a line for each person and answer.")


def listed(entries: Sequence[Entry], t: Translator) -> kit.Message:
    """What was asked last, newest first, each with the way to its message."""
    title = t.gettext("Polls")
    parts: list[kit.Block | kit.Either] = [kit.section(f"*{title}*")]
    parts += [_entry(entry, t) for entry in entries]
    nothing = t.gettext("Nobody has asked anything yet.")
    if not entries:
        parts.append(kit.section(nothing))
    parts.append(
        kit.actions(
            kit.button(t.gettext("New poll"), ids.POLL_NEW, style="primary"),
            kit.button(t.gettext("Ask what to build next"), ids.POLL_READY),
        )
    )
    questions = " | ".join(kit.escape(poll_words.question(entry.shown.poll, t)) for entry in entries)
    return kit.message(f"{title}: {questions or nothing}", parts)


def _heading(poll: Poll, asked: str) -> kit.Block:
    if poll.kind is PollKind.PULSE:
        return kit.section(f"*{kit.escape(asked)}*")
    return kit.header(asked)


def _about(shown: PollShown, t: Translator) -> list[kit.Block]:
    if not shown.is_open:
        by = kit.mention(shown.poll.closed_by, "")
        return [kit.context(t.gettext("Closed by {person}", person=by) if by else t.gettext("Closed"))]
    told = [kit.context(kit.escape(poll_words.terms(shown, t)))]
    if shown.poll.is_anonymous:
        told.append(kit.context(poll_words.secrecy(t)))
    return told


def _taps(poll: Poll, t: Translator) -> kit.Block:
    buttons = [
        kit.button(poll_words.option_text(poll, option, t), _PULSE_BUTTONS[option.id], f"{poll.id}/{option.id}")
        for option in poll.options
        if option.id in _PULSE_BUTTONS
    ]
    return kit.actions(*buttons, block_id=f"pulse_{poll.id}")


def _option(shown: PollShown, index: int, t: Translator) -> kit.Block:
    """One answer, its bar where that is public, and its button where one click decides."""
    poll, count = shown.poll, shown.counts[index]
    words = f"*{kit.name(poll_words.option_text(poll, count.option, t), LONGEST_OPTION)}*"
    if shown.is_public:
        words = f"{words}\n{poll_words.result(shown, count, t)}"
    button = None
    if shown.is_open and not poll.is_multiple:
        button = kit.button(t.gettext("Vote"), ids.POLL_VOTE, f"{poll.id}/{count.option.id}")
    return kit.section(words, button)


def _end(shown: PollShown, t: Translator) -> list[kit.Block]:
    poll = shown.poll
    told = [poll_words.people(shown, t)]
    if by := kit.mention(poll.created_by, ""):
        told.append(t.gettext("posted by {person}", person=by))
    parts = [kit.context(" · ".join(told))]
    if not shown.is_open and not shown.is_told:
        parts.append(kit.context(poll_words.too_few(t)))
    if not shown.is_open or poll.kind is PollKind.PULSE:
        return parts
    buttons = []
    if poll.is_multiple:
        buttons.append(kit.button(t.gettext("Choose and vote"), ids.POLL_CHOOSE, poll.id, style="primary"))
    if poll.may_add and len(poll.options) < MOST_OPTIONS:
        buttons.append(kit.button(t.gettext("Add an option"), ids.POLL_ADD, poll.id))
    if poll.is_hidden:
        buttons.append(kit.button(t.gettext("See results"), ids.POLL_RESULTS, poll.id))
    return [*parts, kit.actions(*buttons)] if buttons else parts


def _entry(entry: Entry, t: Translator) -> kit.Block:
    poll = entry.shown.poll
    asked = kit.name(poll.question, LONGEST_QUESTION)
    title = f"<{entry.link}|{asked.replace('|', '¦')}>" if entry.link else asked
    state = poll_words.closing(poll, t) if entry.shown.is_open else t.gettext("Closed")
    lines = [f"*{title}*", f"{kit.escape(state)} · {poll_words.people(entry.shown, t)}"]
    if poll.decides:
        lines[1] += " · " + t.gettext("decides what comes next")
    if entry.shown.is_public and entry.shown.leaders:
        lines.append(poll_words.leading(entry.shown, t))
    options = [kit.option(t.gettext("See results"), f"{poll.id}/{MORE_RESULTS}")]
    if entry.is_mine:
        if entry.shown.is_public:
            options.append(kit.option(t.gettext("Export (CSV)"), f"{poll.id}/{MORE_EXPORT}"))
        if entry.shown.is_open:
            options.append(kit.option(t.gettext("Close now"), f"{poll.id}/{MORE_CLOSE}"))
    if entry.may_mark and poll.kind is PollKind.CUSTOM:
        if poll.decides:
            options.append(kit.option(t.gettext("Does not decide what comes next"), f"{poll.id}/{MORE_DECIDES_NOT}"))
        else:
            options.append(kit.option(t.gettext("Decides what comes next"), f"{poll.id}/{MORE_DECIDES}"))
    return kit.section("\n".join(lines), {"type": "overflow", "action_id": ids.POLL_MORE, "options": options})
