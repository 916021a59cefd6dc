"""The answer to `/finops report`: a week as it was told, what has moved since, and every project of it."""

from __future__ import annotations

from decimal import Decimal

from blocks import digest_parts as parts
from blocks import digest_root, digest_thread, figures, ids, kit, value
from blocks import digest_steps as steps
from finops.digest import Digest, DigestProject, DigestShown
from finops.queries import NamedPeriod, week_named
from locales import Translator

Parts = list[kit.Block | kit.Either]
_MOVED_SHOWN = 3


def report(shown: DigestShown, t: Translator, *, can_share: bool, can_set: bool, mark: str = "") -> kit.Message:
    """For whoever asked alone. `mark` tells this rendering from the next, so that sharing it twice shares it once."""
    made, step = _told(shown, t), steps.button(shown.digest, t)
    # Where nothing is to be done, that button would open this very report.
    todo = None if step["action_id"] == ids.DIGEST_SHOW else step
    marked = f"{_key(shown)}/{mark}".rstrip("/")
    share = kit.button(t.pgettext("button", "Share"), ids.DIGEST_SHARE, marked) if can_share else None
    rule = kit.button(t.gettext("How this is ranked"), ids.DIGEST_RULE, _key(shown))
    settings = kit.button(t.gettext("Settings"), ids.DIGEST_SETTINGS) if can_set else None
    return kit.message(digest_root.spoken(shown.digest, t), [*made, kit.actions(todo, share, rule, settings)])


def shared(shown: DigestShown, t: Translator, by: str) -> kit.Message:
    """For a channel: no doors of its own, and who showed it."""
    note = kit.context(t.gettext("Shared by {person}", person=kit.mention(by)))
    return kit.message(digest_root.spoken(shown.digest, t), [*_told(shown, t), note])


def since(shown: DigestShown, t: Translator) -> list[str]:
    """What moved after it was told: amounts, outcomes, ratings, ranking; one line of mrkdwn each. Nothing where nothing
    did that a reader sees.
    """
    then, now = shown.digest, shown.now
    if now is None:
        return []
    lines = []
    if then.total.amount != now.total.amount:
        lines.append(_amounts(then, now, t))
    lines += [
        kit.escape(t.gettext("{list}: {then} → {now}", list=head, then=before, now=after))
        for head, before, after in (
            (t.gettext("Unallocated"), _unallocated(then, t), _unallocated(now, t)),
            (t.gettext("Days not read"), t.number(then.total.unread_days), t.number(now.total.unread_days)),
        )
        if before != after
    ]
    changes = parts.change(then, t), parts.change(now, t)
    if changes[0] != changes[1]:
        lines.append(kit.escape(" → ".join(each or "-" for each in changes)))
    bought = (value.line(then.value, t), value.line(now.value, t))
    if bought[0] != bought[1]:
        lines.append(kit.escape(t.gettext("Value: {then} → {now}", then=bought[0], now=bought[1])))
    for head, before, after in (
        (t.gettext("Best value for money"), then.best, now.best),
        (t.gettext("Needs improvement"), then.improve, now.improve),
    ):
        if _names(before) != _names(after):
            told = t.gettext("{list}: {then} → {now}", list=head, then=_names(before), now=_names(after))
            lines.append(kit.escape(told))
    return [*lines, *_projects(then, now, t)]


def _projects(then: Digest, now: Digest, t: Translator) -> list[str]:
    """The projects whose own cost or value reads otherwise now, those that moved most first."""
    was, is_ = _each(then, t), _each(now, t)
    amounts = [{one.project_id: one for one in digest.projects} for digest in (then, now)]
    names = {one.project_id: kit.name(one.name, 30) for each in amounts for one in each.values()}

    def moved(project_id: int) -> tuple[Decimal, str, int]:
        costs = [each[project_id].cost.amount if project_id in each else Decimal(0) for each in amounts]
        return -abs(costs[1] - costs[0]), names[project_id], project_id

    changed = sorted((one for one in names if was.get(one) != is_.get(one)), key=moved)
    lines = []
    for id_ in changed[:_MOVED_SHOWN]:
        # Two facts of each, told only where they moved; who is on one side alone has none on the other.
        pairs = zip(was.get(id_, ("-", "")), is_.get(id_, ("-", "")), strict=True)
        said = " · ".join(f"{before or '-'} → {after or '-'}" for before, after in pairs if before != after)
        lines.append(f"*{names[id_]}*  {kit.escape(said)}")
    rest = len(changed) - len(lines)
    return lines + ([t.ngettext("and {count} more project", "and {count} more projects", rest)] if rest else [])


def _each(digest: Digest, t: Translator) -> dict[int, tuple[str, str]]:
    """What each project cost and what that bought, as its line of the table says it."""
    said = parts.bills(digest, t).said
    return {one.project_id: (said[one.project_id], value.line(one.value, t)) for one in digest.projects}


def _unallocated(digest: Digest, t: Translator) -> str:
    return "" if digest.unallocated is None else t.money(parts.bills(digest, t).unallocated)


def _told(shown: DigestShown, t: Translator) -> Parts:
    digest = shown.digest
    made = digest_root.team(digest, t, is_public=False)
    _, table = digest_thread.projects(digest, 1, t)
    return [*made[:1], *_history(shown, t), *made[1:], *(table if digest.projects else [])]


def _history(shown: DigestShown, t: Translator) -> Parts:
    """As it was told, or computed only now; and how it reads today."""
    digest = shown.digest
    # The days above have no year, and any week of years may be asked for.
    week = t.period(NamedPeriod(week_named(digest.week.start), digest.week))
    moment, zone = t.moment(digest.computed_at), t.zone_name(digest.computed_at)
    if not shown.is_kept:
        told = t.gettext(
            "This week was never told: it is computed now, as of {moment} {zone}.", moment=moment, zone=zone
        )
        return [kit.context(kit.escape(f"{week} · {told}"))]
    told = t.gettext("Below: as it was told, as of {moment} {zone}.", moment=moment, zone=zone)
    lines = since(shown, t)
    if not lines:
        said = t.gettext("{told} Nothing has moved since.", told=told)
        return [kit.context(kit.escape(f"{week} · {said}"))]
    head = t.gettext("What has moved since")
    body = "\n".join(f"• {each}" for each in lines)
    return [kit.section(f"*{head}*\n{body}"), kit.context(kit.escape(f"{week} · {told}"))]


def _amounts(then: Digest, now: Digest, t: Translator) -> str:
    before, after = figures.amount(then.total, t), figures.amount(now.total, t)
    badge = t.badge(now.total.state)
    if then.total.amount is None or now.total.amount is None or now.total.amount.currency != then.total.amount.currency:
        return kit.escape(t.gettext("Total: {then} → {now} ({state})", then=before, now=after, state=badge))
    off = now.total.amount - then.total.amount
    sign = "+" if off.amount > 0 else ""
    return t.gettext(
        "Total: {then} → *{now}* ({difference}, {state})",
        then=kit.escape(before), now=kit.escape(after), difference=kit.escape(f"{sign}{t.money(off)}"), state=badge,
    )  # fmt: skip


def _names(projects: tuple[DigestProject, ...]) -> str:
    return ", ".join(kit.bare(one.name, 30) for one in projects) or "-"


def _key(shown: DigestShown) -> str:
    return str(parts.DigestKey.of(shown.digest))
