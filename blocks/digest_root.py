"""The root message of Monday's digest: for the team that does something about it, and as one page for the boss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blocks import digest_chart as chart
from blocks import digest_parts as parts
from blocks import digest_steps as steps
from blocks import exchange, figures, ids, kit, value
from finops.digest import Advice, Digest, DigestProject, DigestVersion, Unranked
from finops.value import ValueSource
from locales import Translator

Parts = list[kit.Block | kit.Either]
_LARGEST = 3


def root(digest: Digest, version: DigestVersion, t: Translator) -> kit.Message:
    """How much, up or down, worth it or not, what to do; then the best, those to improve, and the picture."""
    made = brief(digest, t) if version is DigestVersion.BRIEF else team(digest, t)
    return kit.message(spoken(digest, t), made)


def spoken(digest: Digest, t: Translator) -> str:
    """The notification, and what a screen reader says: the same four answers."""
    worth = parts.worth(digest, t)
    about = steps.about(digest)
    step = kit.escape(steps.sentence(digest, t))
    said = [kit.escape(parts.title(digest, t)), *([worth.replace("*", "")] if worth else [])]
    return " | ".join([*said, f"{kit.escape(about)}: {step}" if about else step])


def team(digest: Digest, t: Translator, *, is_public: bool = True) -> Parts:
    """For who does something about it. `is_public`: with its buttons."""
    made: Parts = [kit.header(f"📊 {parts.title(digest, t)}"), *_judged(digest, t), kit.context(*facts(digest, t))]
    made.append(kit.section(_step(digest, t)))
    if is_public:
        made.append(doors(digest, t))
    return [*made, *_lists(digest, t), *picture(digest, t)]


def brief(digest: Digest, t: Translator) -> Parts:
    """One page for the boss, numbered, each point a line; the step and its button last."""
    made: Parts = [kit.header(t.gettext("Weekly AI cost report ({days})", days=_brief_scope(digest, t)))]
    points = [
        (t.gettext("Summary"), _summary(digest, t)),
        (t.gettext("What moved it"), _moved(digest, t)),
        (t.gettext("Best value for money"), _brief_lines(digest, digest.best, t)),
        (t.gettext("Needs improvement"), _brief_lines(digest, digest.improve, t)),
        (t.gettext("Largest costs"), _largest_brief(digest, t)),
        (t.gettext("Proposed action"), [kit.escape(one) for one in proposals(digest, t)]),
    ]
    told = [(head, lines) for head, lines in points if lines]
    for number, (head, lines) in enumerate(told, 1):
        body = "\n".join(f"• {line}" for line in lines)
        made.append(kit.section(f"*{number}. {head}*\n{body}"))
    made.append(kit.actions(steps.button(digest, t), parts.rule_button(digest, t)))
    return [*made, *picture(digest, t), kit.context(*_small_print(digest, t))]


def facts(digest: Digest, t: Translator) -> list[str]:
    """How sure, of when, what the amount and the outcomes leave out, and what belongs to nobody."""
    found = _small_print(digest, t)
    mine = parts.unallocated_line(digest, t)
    return [*found, kit.escape(mine)] if mine and not parts.only_unallocated(digest) else found


def _small_print(digest: Digest, t: Translator) -> list[str]:
    """How sure and of when, what was not read, at which rate it is converted, how much of the calls was recorded."""
    seen = value.coverage(digest.value, t)
    rate = exchange.lines(digest.exchange, [digest.total.amount], t)
    others = figures.other_currencies(digest.other_currencies, t)
    return [
        figures.trust(digest.total, t),
        *figures.gaps(digest.total, t),
        *([kit.escape(others)] if others else []),
        *rate,
        *([kit.escape(seen)] if seen else []),
    ]


def sums(digest: Digest, t: Translator) -> str:
    """Projects, what is unallocated, and the whole, so that what is shown adds up; mrkdwn."""
    whole = digest.total.amount
    if whole is None:
        return kit.escape(figures.amount(digest.total, t))
    if digest.unallocated is None or not digest.unallocated.amount:
        return t.gettext("Total *{amount}*", amount=kit.escape(t.money(whole)))
    bills = parts.bills(digest, t)
    owned, unowned = t.money(bills.owned), t.money(bills.unallocated)
    return t.gettext(
        "Projects {owned} + unallocated {unowned} = *{amount}*",
        owned=kit.escape(owned), unowned=kit.escape(unowned), amount=kit.escape(t.money(whole)),
    )  # fmt: skip


def picture(digest: Digest, t: Translator) -> Parts:
    """The days of the week beside those of the week before, and which could not be read."""
    drawn = chart.drawn(digest, t)
    if drawn is None:
        return []
    missing = chart.missing(digest, t)
    return [drawn, kit.context(missing)] if missing else [drawn]


def doors(digest: Digest, t: Translator) -> kit.Block:
    """The button of the next step; the rule of the ranking, and the whole report to oneself."""
    more = kit.button(t.gettext("All projects"), ids.DIGEST_SHOW, str(parts.DigestKey.of(digest)))
    step = steps.button(digest, t)
    # Where nothing is to be done, the step's own button opens the same.
    return kit.actions(step, parts.rule_button(digest, t), None if step["action_id"] == ids.DIGEST_SHOW else more)


def _judged(digest: Digest, t: Translator) -> Parts:
    """Worth it or not, and what it bought; nothing where nothing was spent."""
    worth = parts.worth(digest, t)
    if worth is None:
        return []
    bought = kit.escape(value.line(digest.value, t))
    return [kit.section(f"{worth}\n{bought}" if digest.value.source is not ValueSource.NONE else worth)]


def _step(digest: Digest, t: Translator) -> str:
    """The one next step; its button stands below."""
    about = kit.escape(steps.about(digest))
    said = kit.escape(steps.sentence(digest, t))
    head = t.gettext("👉 Next step")
    return f"*{head}*\n*{about}*  {said}" if about else f"*{head}*\n{said}"


def _lists(digest: Digest, t: Translator) -> Parts:
    made: Parts = []
    if digest.best:
        made.append(kit.section(_list(t.gettext("✅ Best value for money"), digest, digest.best, t)))
    if digest.improve:
        made.append(kit.section(_list(t.gettext("🔧 Needs improvement"), digest, digest.improve, t)))
    if not made and (dearest := largest(digest)):
        made.append(kit.section(_list(t.gettext("Largest costs"), digest, dearest, t)))
    note = why_unranked(digest, t)
    return [*made, kit.context(kit.escape(note))] if note else made


def _list(head: str, digest: Digest, projects: Sequence[DigestProject], t: Translator) -> str:
    costs = parts.costs(digest, t)
    return "\n".join([f"*{head}*", *(_entry(number, one, costs, t) for number, one in enumerate(projects, 1))])


def _entry(number: int, project: DigestProject, costs: Mapping[int, str], t: Translator) -> str:
    """A project: what it cost; quoted below it what that bought, where it stands and why it moved, and what to do."""
    facts_ = [parts.standing(project, t) if project.ratio is not None else "", parts.cause(project, t)]
    quoted = [value.line(project.value, t), " · ".join(filter(None, facts_)), parts.runaway(project, t)]
    if todo := steps.todo(project.advice, t):
        quoted.append(f"→ {todo}")
    head = f"*{number}. {parts.named(project)}*  {kit.escape(parts.cost(project, costs, t))}"
    return "\n".join([head, *(f"> {kit.escape(line)}" for line in quoted if line)])


def largest(digest: Digest) -> Sequence[DigestProject]:
    """The dearest, where nobody could be ranked."""
    return [one for one in digest.others if one.cost.amount > 0][:_LARGEST]


def why_unranked(digest: Digest, t: Translator) -> str:
    """Why there is nobody among the best or those to improve; '' where somebody is."""
    if digest.best or digest.improve or not digest.projects or digest.total.amount is None:
        return ""
    if digest.total.amount.amount <= 0:
        return ""
    reasons = {one.unranked for one in digest.others if one.unranked is not Unranked.NO_SPEND}
    if reasons <= {Unranked.NO_VALUE}:
        return t.gettext("No ranking: no project records what its cost brings.")
    if Unranked.NO_BASELINE in reasons:
        return t.gettext("No ranking yet: projects are compared with their own weeks, and those are still few.")
    if Unranked.NO_PRICE in reasons:
        return t.gettext("No ranking: nobody knows what the calls with an outcome cost.")
    return t.gettext("No ranking: no project has both enough cost and enough outcomes.")


def _brief_scope(digest: Digest, t: Translator) -> str:
    whose = parts.who(digest)
    return f"{whose} · {t.days(digest.week)}" if whose else t.days(digest.week)


def _summary(digest: Digest, t: Translator) -> list[str]:
    """Total, value, verdict: a line each."""
    change = parts.change(digest, t)
    total = parts.both(digest, t)
    lines = [t.gettext("Total cost {amount}", amount=f"*{kit.escape(total)}*" + (f" ({change})" if change else ""))]
    worth = parts.worth(digest, t)
    if worth is not None:
        verdict, shares = worth.split("\n")
        lines.append(f"{verdict} ({shares})")
        lines.append(t.gettext("Outcomes: {value}", value=kit.escape(value.line(digest.value, t))))
    mine = parts.unallocated_line(digest, t)
    return [*lines, kit.escape(mine)] if mine else lines


def _moved(digest: Digest, t: Translator) -> list[str]:
    """Why the whole moved; nothing where nobody can say."""
    said = parts.whole_cause(digest, t)
    return [kit.escape(said)] if said else []


def _brief_lines(digest: Digest, projects: Sequence[DigestProject], t: Translator) -> list[str]:
    costs = parts.costs(digest, t)
    return [_brief_line(one, costs, t) for one in projects]


def _brief_line(project: DigestProject, costs: Mapping[int, str], t: Translator) -> str:
    """A project in one line."""
    told = [parts.cost(project, costs, t), value.cell(project.value, t)]
    if project.ratio is not None:
        told.append(parts.standing(project, t))
    cause = parts.story(project, t)
    line = f"*{parts.named(project)}*  {kit.escape(' · '.join(told))}"
    return f"{line} — {kit.escape(cause)}" if cause else line


def _largest_brief(digest: Digest, t: Translator) -> list[str]:
    if digest.best or digest.improve:
        return []
    lines = _brief_lines(digest, largest(digest), t)
    note = why_unranked(digest, t)
    return [*lines, kit.escape(note)] if note and lines else lines


def proposals(digest: Digest, t: Translator) -> list[str]:
    """What is proposed, the one next step first, then what each project to be improved needs; plain text, few words."""
    if parts.only_unallocated(digest) or digest.total.amount is None:
        return [steps.sentence(digest, t)]
    advised = [digest.advice, *(one.advice for one in digest.improve if one.advice not in (None, digest.advice))]
    return [_proposal(advice, t) for advice in advised if advice is not None]


def _proposal(advice: Advice, t: Translator) -> str:
    said = steps.todo(advice, t)
    return f"{kit.bare(advice.project_name, 40)}: {said}" if advice.project_id is not None else said
