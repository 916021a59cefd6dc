"""The thread of Monday's digest: what is to be decided, all projects, why it moved, what it was paid for, what that
stands on; a rating."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from blocks import axes, charts, digest_agenda, ids, kit, ratings, value, why
from blocks import digest_parts as parts
from blocks import digest_root as root
from blocks.digest_tips import tip
from finops.digest import Digest, DigestProject, DigestShown, Unranked
from finops.digest_thread import TABLE_PROJECTS, TABLES, ThreadKey, thread_keys, to_rate
from finops.ranking import is_as_usual
from locales import Translator

Parts = list[kit.Block | kit.Either]
# Cells of the table: 60 rows of these stay below the 10,000 characters of a message's tables.
_NAME, _TEAM, _AMOUNT, _WORDS = 32, 20, 18, 34
_NAMES_SHOWN = 12
_PARAGRAPH = kit.SECTION_TEXT - 200


def line(shown: DigestShown, key: str, t: Translator) -> kit.Message | None:
    """The message of the thread with this key (finops.digest.thread_keys); None where there is nothing to say."""
    if key not in thread_keys(shown):
        return None
    digest = shown.digest
    kind, _, number = key.partition(":")
    match kind:
        case ThreadKey.AGENDA:
            head, made = digest_agenda.agenda(digest, t)
        case ThreadKey.PROJECTS:
            head, made = projects(digest, int(number or 1), t)
        case ThreadKey.WHY:
            head, made = _why(digest, t)
        case ThreadKey.AXES if digest.axes is not None:
            head = t.gettext("What the money went to")
            made = [kit.section(f"*{head}*"), *axes.details(digest.axes, t)]
        case ThreadKey.BASIS:
            head, made = _basis(digest, t)
        case ThreadKey.RATE:
            head, made = _rate(digest, t)
        case _:
            return None
    return kit.message(head, made)


def projects(digest: Digest, page: int, t: Translator) -> tuple[str, Parts]:
    """All projects with cost, change, value and verdict, dearest first; 60 to a page, pages from 1 on."""
    ordered = parts.ordered(digest)
    start = (page - 1) * TABLE_PROJECTS
    here = ordered[start : start + TABLE_PROJECTS]
    head = t.ngettext("All projects: {count} project", "All projects: {count} projects", len(ordered))
    if len(ordered) > TABLE_PROJECTS:
        head = t.gettext(
            "{head} · {first} to {last}", head=head, first=t.number(start + 1), last=t.number(start + len(here))
        )
    bills = parts.bills(digest, t)
    made: Parts = [kit.section(f"*{head}*\n{root.sums(digest, t)}" if page == 1 else f"*{head}*")]
    if here:
        with_team = len({one.team_name for one in digest.projects}) > 1
        made.append(_table(here, bills.said, head, t, with_team=with_team))
    rest = ordered[TABLES * TABLE_PROJECTS :]
    if rest and page == TABLES:
        amount = t.money(bills.of(rest))
        told = t.ngettext("{count} more project: {amount}", "{count} more projects: {amount}", len(rest), amount=amount)
        made.append(kit.context(f"{kit.escape(told)} · `/finops status`"))
    return head, made


def _table(
    here: Sequence[DigestProject], bills: Mapping[int, str], caption: str, t: Translator, *, with_team: bool
) -> kit.Either:
    head = [
        t.gettext("Project"), t.gettext("Cost"), t.gettext("On the week before"), t.gettext("Value"),
        t.gettext("Verdict"),
    ]  # fmt: skip
    rows: list[list[str | kit.Block]] = [[*head, *([t.gettext("Team")] if with_team else [])]]
    lines = []
    for one in here:
        change = parts.moved(one.cost, one.previous, t)
        words = [kit.clip(value.cell(one.value, t), _WORDS), kit.clip(_verdict(one, t), _WORDS)]
        team = [kit.bare(one.team_name or "-", _TEAM)] if with_team else []
        amount = bills[one.project_id]
        cost = charts.cell(one.cost, kit.clip(amount, _AMOUNT))
        rows.append([kit.bare(one.name, _NAME), cost, kit.clip(change or "-", _AMOUNT), *words, *team])
        said = " · ".join(each for each in (change, *words) if each)
        lines.append(f"• *{kit.name(one.name, _NAME)}*  {kit.escape(amount)}  {kit.escape(said)}")
    return kit.Either(kit.data_table(caption, rows), paragraphs(lines))


def _verdict(project: DigestProject, t: Translator) -> str:
    if project.unranked is Unranked.NO_VALUE:
        return t.gettext("not judged")  # the column beside it says why
    if project.ratio is None or is_as_usual(project):
        return parts.reason(project.unranked, t)
    return t.gettext("{times} times its baseline", times=parts.times(project.ratio, t))


def paragraphs(lines: Iterable[str]) -> list[kit.Block]:
    """Lines as as few sections as hold them, each whole."""
    made: list[list[str]] = [[]]
    length = 0
    for each in lines:
        if made[-1] and length + len(each) + 1 > _PARAGRAPH:
            made.append([])
            length = 0
        made[-1].append(each)
        length += len(each) + 1
    return [kit.section("\n".join(some)) for some in made if some]


def _why(digest: Digest, t: Translator) -> tuple[str, Parts]:
    """The whole in parts that add up, then each project worth a word."""
    head = t.gettext("What moved it")
    made: Parts = [kit.section(f"*{head}*")]
    if digest.why is not None:
        made = [kit.section(f"*{head}*\n{kit.escape(parts.whole_cause(digest, t))}"), *why.details(digest.why, t)]
    told = [(one, parts.cause(one, t)) for one in (*digest.improve, *digest.best)]
    lines = [f"• *{parts.named(one)}*  {kit.escape(cause)}" for one, cause in told if cause]
    return head, [*made, *paragraphs(lines)]


def _basis(digest: Digest, t: Translator) -> tuple[str, Parts]:
    """What the figures stand on; who is not ranked and why; and a tip."""
    head = t.gettext("Behind the figures")
    lines = [
        t.gettext("A charge day is a UTC day: the week runs {span}.", span=t.span(digest.week)),
        t.gettext("As of {moment} {zone}. The provider may restate days for a while; the report shows both.",
                  moment=t.moment(digest.computed_at), zone=t.zone_name(digest.computed_at)),
    ]  # fmt: skip
    seen = value.basis(digest.value, t) or value.coverage(digest.value, t)
    if seen:
        # i18n: {basis} is: based on 12% of the calls; or: 93% of the calls recorded
        lines.append(t.gettext("Value: {basis}", basis=seen))
    body = "\n".join(f"• {kit.harmless(each)}" for each in lines)
    made: Parts = [kit.section(f"*{head}*\n{body}", parts.rule_button(digest, t))]
    made += _unranked(digest, t)
    say = kit.actions(kit.button(t.gettext("Feedback"), ids.FEEDBACK_OPEN))
    return head, [*made, kit.context(f"💡 {tip(digest, t)}"), say]


def _unranked(digest: Digest, t: Translator) -> Parts:
    """Names by the reason they are not ranked for."""
    lines = []
    for reason in Unranked:
        names = [kit.name(one.name, _NAME) for one in digest.others if one.unranked is reason]
        if not names or reason is Unranked.RESTED:
            continue
        shown = parts.listed(names, _NAMES_SHOWN, t)
        lines.append(f"• {kit.escape(parts.reason(reason, t))}: {shown}")
    if not lines:
        return []
    head = t.gettext("Not ranked")
    return [kit.section("\n".join([f"*{head}*", *lines]))]


def _rate(digest: Digest, t: Translator) -> tuple[str, Parts]:
    """One tap for each project that records nothing."""
    head = t.gettext("Was it worth it? One tap for projects that record no outcomes")
    told = t.gettext(
        "One answer per person and week, and it can be changed. The average stands beside the cost, without names."
    )
    made: Parts = [kit.section(f"*{head}*\n{told}")]
    for project in to_rate(digest):
        made += ratings.rating_block(project, digest.week, t)
    return head, made
