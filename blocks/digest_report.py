"""The answer to `/finops report`: a week as it was told, what has moved since, and every project of it."""

from __future__ import annotations

from blocks import digest_parts as parts
from blocks import digest_root, digest_thread, figures, ids, kit, value
from blocks import digest_steps as steps
from finops.digest import Digest, DigestProject, DigestShown
from finops.queries import NamedPeriod, week_named
from locales import Translator

Parts = list[kit.Block | kit.Either]


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
    note = kit.context(t.gettext("Shared by {person}", person=f"<@{by}>"))
    return kit.message(digest_root.spoken(shown.digest, t), [*_told(shown, t), note])


def since(shown: DigestShown, t: Translator) -> list[str]:
    """What moved after it was told: amount, outcomes, ranking; one line of mrkdwn each. Nothing where nothing did."""
    then, now = shown.digest, shown.now
    if now is None:
        return []
    lines = []
    if then.total.amount != now.total.amount:
        lines.append(_amounts(then, now, t))
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
    return lines


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
