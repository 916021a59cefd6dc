"""Polls in words: questions and options as people read them, how a poll works, results as lines, and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from blocks import charts, kit
from finops.polls import (
    LONGEST,
    LONGEST_OPTION,
    LONGEST_QUESTION,
    MOST_OPTIONS,
    PULSE_LEAST,
    SHORTEST,
    Count,
    NextFeature,
    Option,
    Poll,
    PollKind,
    PollMistake,
    PollShown,
)
from locales import Translator

Values = Mapping[str, object]
_BAR_WIDTH = 12
_NAMED = 5


def question(poll: Poll, t: Translator) -> str:
    """What is asked; the pulse in the reader's own language."""
    return t.gettext("Was this digest helpful?") if poll.kind is PollKind.PULSE else poll.question


def option_text(poll: Poll, option: Option, t: Translator) -> str:
    """An option as people read it; those of the pulse in the reader's own language."""
    if poll.kind is not PollKind.PULSE:
        return option.text
    words = {"good": t.gettext("👍 It helped"), "fair": t.gettext("So-so"), "poor": t.gettext("👎 It did not")}
    return words.get(option.id, option.id)


def next_feature(feature: NextFeature, t: Translator) -> str:
    """What the product could learn next, in at most 75 characters."""
    return {
        NextFeature.FORECAST: t.gettext("A forecast of the month's cost"),
        NextFeature.ANOMALIES: t.gettext("Warnings of unusual cost without a budget"),
        NextFeature.CLOUDS: t.gettext("AWS and Azure costs beside AI"),
        NextFeature.PROVIDERS: t.gettext("More AI providers"),
        NextFeature.SHOWBACK: t.gettext("Monthly statements for each department"),
        NextFeature.ADVICE: t.gettext("Concrete advice: cheaper models, caching, batches"),
    }[feature]


def terms(shown: PollShown, t: Translator) -> str:
    """How the poll works, said before anybody votes: by name or not, how many, until when, who sees results when."""
    poll = shown.poll
    said = [
        t.gettext("Anonymous") if poll.is_anonymous else t.gettext("By name: everybody sees who chose what"),
        t.gettext("several answers") if poll.is_multiple else t.gettext("one answer"),
        closing(poll, t),
        hiding(poll, t),
        t.gettext("A vote can be changed until then"),
    ]
    if poll.may_add:
        said.insert(2, t.gettext("anybody may add an option"))
    return " · ".join(said)


def closing(poll: Poll, t: Translator) -> str:
    """When it closes, with the zone."""
    return t.gettext("closes {moment} {zone}", moment=t.moment(poll.closes_at), zone=t.zone_name(poll.closes_at))


def hiding(poll: Poll, t: Translator) -> str:
    """Who sees results when."""
    if poll.kind is PollKind.PULSE:
        return t.gettext("the result is told when it closes, if at least {count} answered", count=PULSE_LEAST)
    if poll.is_hidden:
        return t.gettext("results are shown to you once you voted, to everybody when it closes")
    return t.gettext("results are visible to everybody all the time")


def secrecy(t: Translator) -> str:
    """What anonymous means here, exactly."""
    return t.gettext(
        "🔒 Votes are kept under a name made from a random number of this poll; the number, and when you clicked, are "
        "erased when it closes, and then nobody can tell who voted for what. Until then only somebody who holds the "
        "database could. But where few vote, or all choose the same, the result itself lets others guess."
    )


def too_few(t: Translator) -> str:
    """Why a pulse that is over has no result."""
    return t.gettext("Fewer than {count} answered, so no result is told: nobody is to be guessed.", count=PULSE_LEAST)


def people(shown: PollShown, t: Translator) -> str:
    """How many voted."""
    if not shown.people:
        return t.gettext("Nobody has voted yet")
    return t.ngettext("{count} person voted", "{count} people voted", shown.people)


def result(shown: PollShown, count: Count, t: Translator) -> str:
    """One option's result as a line: bar, share, votes, and of a named poll by whom; mrkdwn."""
    most = max((one.votes for one in shown.counts), default=0)
    bar = charts.bar(Decimal(count.votes), Decimal(max(most, 1)), _BAR_WIDTH) if count.votes else ""
    votes = t.ngettext("{count} vote", "{count} votes", count.votes)
    line = f"{bar} {t.share(count.share)} · {votes}".strip() if shown.people else votes
    named = [each for user in count.voters[:_NAMED] if (each := kit.mention(user, ""))]
    more = len(count.voters) - _NAMED
    if more > 0:
        named.append(t.ngettext("and {count} more person", "and {count} more people", more))
    return f"{line}\n{' '.join(named)}" if named else line


def results(shown: PollShown, t: Translator) -> str:
    """Every option with its result, as mrkdwn."""
    return "\n".join(
        f"*{kit.name(option_text(shown.poll, count.option, t), LONGEST_OPTION)}*\n{result(shown, count, t)}"
        for count in shown.counts
    )


def in_a_line(shown: PollShown, t: Translator) -> str:
    """The results in words for notifications and screen readers."""
    return ", ".join(
        f"{option_text(shown.poll, count.option, t)} {t.share(count.share)} ({t.number(count.votes)})"
        for count in shown.counts
    )


def leading(shown: PollShown, t: Translator) -> str:
    """The answers most people gave, as mrkdwn; '' when nobody voted."""
    names = [kit.name(option_text(shown.poll, one.option, t), LONGEST_OPTION) for one in shown.leaders]
    if not names:
        return ""
    votes = t.ngettext("{count} vote", "{count} votes", shown.leaders[0].votes)
    if len(names) == 1:
        return t.gettext("Most chose {option} ({votes})", option=names[0], votes=votes)
    return t.gettext("Equal at the top with {votes} each: {options}", options=", ".join(names), votes=votes)


def thanks(
    poll: Poll, chosen: Sequence[str], t: Translator, *, was_changed: bool = False, is_same: bool = False
) -> str:
    """What a voter is told: what counts now, and until when it may be changed; mrkdwn."""
    if not chosen:
        return taken_back(poll, t)
    by_id: Mapping[str, Option] = {option.id: option for option in poll.options}
    answers = ", ".join(kit.name(option_text(poll, by_id[one], t), LONGEST_OPTION) for one in chosen if one in by_id)
    if is_same:
        return t.gettext("Your vote stays {answers}. It can be changed until the poll closes.", answers=answers)
    if was_changed:
        return t.gettext("Your vote is now {answers}. It can be changed until the poll closes.", answers=answers)
    return t.gettext("Thank you. Your vote: {answers}. It can be changed until the poll closes.", answers=answers)


def taken_back(poll: Poll, t: Translator) -> str:
    """That a person's vote counts no more; mrkdwn."""
    return t.gettext(
        "Your vote on *{question}* was taken back. You can vote again until it closes.",
        question=kit.name(question(poll, t), LONGEST_QUESTION),
    )


def mistake(given: object, words: object, t: Translator) -> str:
    """What is wrong with what somebody typed, and what would be right."""
    option = kit.name(str(words or "-"), 40)
    match given:
        case PollMistake.EMPTY:
            return t.gettext("Write something here.")
        case PollMistake.LONG if words:
            return t.gettext("“{option}” is longer than {limit} characters.", option=option, limit=LONGEST_OPTION)
        case PollMistake.LONG:
            return t.gettext("The question is longer than {limit} characters.", limit=LONGEST_QUESTION)
        case PollMistake.FEW:
            return t.gettext("Give at least two options, one on each line.")
        case PollMistake.MANY:
            return t.gettext("A poll has at most {limit} options.", limit=MOST_OPTIONS)
        case PollMistake.TWICE:
            return t.gettext("“{option}” is there twice.", option=option)
        case PollMistake.SOON:
            return t.gettext(
                "Choose a time at least {minutes} minutes from now.", minutes=int(SHORTEST.total_seconds()) // 60
            )
        case PollMistake.LATE:
            return t.gettext("Choose a time within {days} days.", days=LONGEST.days)
        case PollMistake.SECRET:
            return t.gettext("This looks like an API key. It was not kept; everybody would have read it.")
    return t.gettext("That is not possible here.")


def _owner(values: Values, t: Translator) -> str:
    admins = values.get("admins")
    named = [values.get("owner"), *(admins if isinstance(admins, tuple | list) else ())]
    who = kit.mentions(named)
    return t.gettext(
        "Only whoever asked and admins can close or export a poll. Ask {people}.", people=who or t.gettext("an admin")
    )


# For blocks.bad_news.
REFUSALS: dict[str, Callable[[Values, Translator], str]] = {
    "unknown_poll": lambda _, t: t.gettext("That poll is not there any more."),
    "poll_closed": lambda _, t: t.gettext("This poll is closed, so nothing was changed. Votes given in time count."),
    "poll_hidden": lambda _, t: t.gettext(
        "Results are shown once you voted; in lists and files when the poll closes. So nobody follows the others."
    ),
    "poll_choice": lambda _, t: t.gettext("Choose an answer. Nothing was changed."),
    "poll_no_adding": lambda _, t: t.gettext("No options can be added to this poll."),
    "poll_question": lambda v, t: mistake(v.get("mistake"), v.get("words"), t),
    "poll_options": lambda v, t: mistake(v.get("mistake"), v.get("words"), t),
    "poll_closes": lambda v, t: mistake(v.get("mistake"), v.get("words"), t),
    "not_poll_owner": _owner,
}
