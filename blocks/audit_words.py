"""Acts in words: who, and what they did, one sentence for each; an act without a sentence is told by its id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from blocks import audit_learning, audit_people, budget_words, exchange, figures, kit, stop_words, teams
from blocks.incident_words import limit_name
from finops.audit import COMMAND, AuditEntry, AuditProblem, Outcome
from finops.budget_report import OPERATOR, ScopeChoice, place_of
from finops.budgets import BudgetAction, BudgetPeriod
from finops.holds import HoldTrouble
from finops.incidents import Fact
from finops.levers import Lever
from finops.money import Money
from finops.stops import ApprovalWay
from locales import Translator

_GROUP = re.compile(r"S[A-Z0-9]{2,20}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}")
_CHANGED = "_before"
_PEOPLE = frozenset({"lead", "approvers", "channel"})


def who(entry: AuditEntry, t: Translator) -> str:
    """Who did it, as mrkdwn."""
    if entry.actor is None:
        return "FinOps"
    if entry.actor == OPERATOR:
        return t.gettext("an operator")
    return _person(str(entry.actor))


def outcome(entry: AuditEntry, t: Translator) -> str:
    """What became of it, in one word."""
    match entry.outcome:
        case Outcome.DONE:
            return t.pgettext("outcome", "done")
        case Outcome.REFUSED:
            return t.pgettext("outcome", "refused")
        case Outcome.FAILED:
            return t.pgettext("outcome", "failed")
    return _code(entry.outcome)


def what(entry: AuditEntry, t: Translator) -> str:
    """What was done, as mrkdwn without a line break. Nothing an act may hold makes this fail."""
    facts = _Facts(entry, t)
    if entry.outcome == Outcome.REFUSED:
        return _refused(facts)
    said = _SAID.get(str(entry.action))
    return said(facts) if said is not None else " ".join(filter(None, (_code(entry.action), kit.name(entry.subject))))


def problem(found: AuditProblem, t: Translator) -> str:
    """What is wrong with a chain, about the row it was found at."""
    return _PROBLEMS[found](t)


class _Facts:
    """The facts of one act, each as words: whatever stands in the place of one, there are some."""

    def __init__(self, entry: AuditEntry, t: Translator) -> None:
        self.entry = entry
        self.t = t
        self._given: Mapping[str, Fact] = entry.details if isinstance(entry.details, Mapping) else {}

    def get(self, name: str) -> Fact:
        return self._given.get(name)

    def word(self, name: str = "name") -> str:
        """A name as it was then; what the act was about where it has none."""
        given = self._given.get(name)
        return kit.name(str(given)) if given else kit.name(self.entry.subject or "-")

    def number(self, name: str) -> int:
        given = self._given.get(name)
        return given if type(given) is int else 0

    def chosen(self, name: str, kind: Callable[[str], object], say: Callable[..., str]) -> str:
        """One of a known set, in words; as it is, where it is none of them."""
        given = str(self._given.get(name) or "-")
        try:
            return say(kind(given), self.t)
        except (ValueError, KeyError):
            return kit.name(given)

    def time(self, name: str) -> str:
        try:
            moment = datetime.fromisoformat(str(self._given.get(name)))
        except ValueError:
            return "-"
        return self.t.moment(moment) if moment.tzinfo else "-"

    def budget(self) -> str:
        """A budget by whose it is, its period and its amount."""
        place, amount = place_of(str(self.get("scope") or "")), self.amount("amount")
        if place is None or self.get("period") not in set(BudgetPeriod):
            return self.word()
        scope = kit.escape(budget_words.scope_name(ScopeChoice(*place, str(self.get("name") or "-")), self.t))
        return f"*{scope}* · {limit_name(BudgetPeriod(str(self.get('period'))), self.t)} {amount}"

    def amount(self, name: str) -> str:
        try:
            money = Money(Decimal(str(self.get(name))), str(self.get("currency") or "USD"))
        except (InvalidOperation, ValueError):
            return "-"
        return figures.decided(money, self.t)

    def changes(self) -> str:
        """Everything that is different, before → after."""
        names = [name.removesuffix(_CHANGED) for name in self._given if name.endswith(_CHANGED)]
        parts = [(name, self._value(name, f"{name}_before"), self._value(name, f"{name}_after")) for name in names]
        return ", ".join(f"{self._label(name)} {old} → {new}".strip() for name, old, new in parts) or "-"

    def _label(self, name: str) -> str:
        label = _LABELS.get(name)
        return label(self.t) if label is not None else "" if name == "amount" else _code(name)

    def _value(self, field: str, name: str) -> str:
        given = self._given[name] if name in self._given else self._given.get(field)
        match field:
            case "amount" | "floor" if given is not None:
                return self.amount(name if name in self._given else field)
            case "levels" if isinstance(given, list):
                return budget_words.levels_words([each for each in given if type(each) is int], self.t)
            case "action":
                return self.chosen(name, BudgetAction, budget_words.action_name)
            case "period":
                return self.chosen(name, BudgetPeriod, budget_words.period_name)
            case "locale" if given:
                return teams.language_name(str(given))
        if given is None or given == "":
            return self.t.pgettext("fact", "none")
        if isinstance(given, bool):
            return self.t.pgettext("fact", "yes") if given else self.t.pgettext("fact", "no")
        if field in _PEOPLE:
            return " ".join(map(_person, str(given).split(",")[:20]))
        return kit.name(str(given))


def _person(given: str) -> str:
    """An id as Slack draws it; everything else as the name it is."""
    if audit_people.USER.fullmatch(given):
        return f"<@{given}>"
    if _CHANNEL.fullmatch(given):
        return f"<#{given}>"
    return f"<!subteam^{given}>" if _GROUP.fullmatch(given) else kit.name(given)


def _code(words: str) -> str:
    return f"`{kit.name(str(words)).replace('`', '')}`"


def _refused(facts: _Facts) -> str:
    action, t = str(facts.entry.action), facts.t
    asked = f"/finops {action.removeprefix(COMMAND)}" if action.startswith(COMMAND) else action
    why = _WHY.get(str(facts.get("code")))
    said = t.gettext(
        "wanted {action} and may not ({why})",
        action=_code(asked),
        why=why(facts) if why is not None else _code(str(facts.get("code") or "-")),
    )
    return f"{said} · {kit.name(facts.entry.subject)}" if facts.entry.subject else said


def _projects(facts: _Facts) -> str:
    count, t = facts.number("count"), facts.t
    if count == 1:
        return t.gettext("registered the project *{name}* for *{team}*", name=facts.word(), team=facts.word("team"))
    return t.ngettext(
        "registered {count} project for *{team}*: {names}",
        "registered {count} projects for *{team}*: {names}",
        count,
        team=facts.word("team"),
        names=facts.word(),
    )


def _judged(facts: _Facts) -> str:
    if facts.get("is_helpful"):
        return facts.t.gettext("called the alert of *{name}* helpful", name=facts.word())
    return facts.t.gettext("called the alert of *{name}* not helpful", name=facts.word())


def _imported(facts: _Facts) -> str:
    t = facts.t
    return t.gettext(
        "imported budgets from a file: {added} added, {changed} changed, {removed} deleted",
        **{name: t.number(facts.number(name)) for name in ("added", "changed", "removed")},
    )


def _exported(facts: _Facts) -> str:
    return facts.t.ngettext(
        "took {count} row of this trail as a file", "took {count} rows of this trail as a file", facts.number("rows")
    )


def _bill_exported(facts: _Facts) -> str:
    return facts.t.ngettext(
        "took the bill of *{name}* from {first} until before {after} as a file ({count} line)",
        "took the bill of *{name}* from {first} until before {after} as a file ({count} lines)",
        facts.number("lines"),
        name=facts.word() if facts.get("name") else facts.t.gettext("Whole workspace"),
        first=facts.word("from_day"),
        after=facts.word("to_day"),
    )


def _stop_requested(facts: _Facts) -> str:
    lever = facts.chosen("lever", Lever, lambda lever, t: stop_words.REQUESTED[lever](t))
    project = facts.get("project")
    of = f"*{facts.word('project')}*" if project else stop_words.projects_count(facts.number("projects"), facts.t)
    reason = facts.get("reason")
    return " · ".join([f"{lever}: {of}", *([kit.name(str(reason), 200)] if reason else [])])


def _cause(facts: _Facts) -> str:
    return facts.t.gettext("told the cause: {text}", text=kit.name(str(facts.get("text") or "-"), 200))


_SAID: dict[str, Callable[[_Facts], str]] = {
    "team.created": lambda f: f.t.gettext("made the team *{name}*", name=f.word()),
    "team.changed": lambda f: f.t.gettext("changed the team *{name}*: {changes}", name=f.word(), changes=f.changes()),
    "digest.changed": lambda f: f.t.gettext(
        "decided where and when the digest of *{name}* is told",
        name=f.word() if f.get("name") else f.t.gettext("Whole workspace"),
    ),
    **audit_learning.SAID,
    "key.registered": lambda f: f.t.gettext(
        "registered a key of *{team}* (ends with ...{ends_with})", team=f.word("team"), ends_with=f.word("ends_with")
    ),
    "key.replaced": lambda f: f.t.gettext(
        "replaced the key of *{team}*: ...{before} → ...{ends_with}",
        team=f.word("team"),
        before=f.word("ends_with_before"),
        ends_with=f.word("ends_with"),
    ),
    "key.disabled": lambda f: f.t.gettext(
        "switched off collecting with the key ...{ends_with} of *{team}*",
        team=f.word("team"),
        ends_with=f.word("ends_with"),
    ),
    "key.enabled": lambda f: f.t.gettext(
        "switched on collecting with the key ...{ends_with} of *{team}*",
        team=f.word("team"),
        ends_with=f.word("ends_with"),
    ),
    "key.deleted": lambda f: f.t.gettext(
        "deleted the key ...{ends_with} of *{team}*", team=f.word("team"), ends_with=f.word("ends_with")
    ),
    "token.made": lambda f: f.t.gettext(
        "made the event token *{token}* (...{ends_with}) of *{name}*",
        token=f.word("token"),
        ends_with=f.word("ends_with"),
        name=f.word(),
    ),
    "token.revoked": lambda f: f.t.gettext(
        "revoked the event token *{token}* (...{ends_with}) of *{name}*",
        token=f.word("token"),
        ends_with=f.word("ends_with"),
        name=f.word(),
    ),
    "target.set": lambda f: f.t.gettext(
        "set what a success of *{name}* may cost: {before} → {after}",
        name=f.word(),
        before=_price(f, "amount_before"),
        after=_price(f, "amount_after"),
    ),
    "caps.changed": lambda f: f.t.gettext(
        "changed the caps of calls and users: {segments}", segments=f.word("segments")
    ),
    "currency.changed": lambda f: f.t.gettext(
        "chose what stands beside dollars: {before} → {after}", before=_rate(f, "before"), after=_rate(f, "after")
    ),
    "project.registered": _projects,
    "project.excluded": lambda f: f.t.gettext("took the project *{name}* out of collecting", name=f.word()),
    "project.included": lambda f: f.t.gettext("took the project *{name}* into collecting again", name=f.word()),
    "project.changed": lambda f: f.t.gettext(
        "changed the project *{name}*: {changes}", name=f.word(), changes=f.changes()
    ),
    "project.unregistered": lambda f: f.t.gettext("unregistered the project *{name}*", name=f.word()),
    "budget.created": lambda f: f.t.gettext("made the budget {budget}", budget=f.budget()),
    "budget.changed": lambda f: f.t.gettext(
        "changed the budget {budget}: {changes}", budget=f.budget(), changes=f.changes()
    ),
    "budget.enabled": lambda f: f.t.gettext("switched on the budget {budget}", budget=f.budget()),
    "budget.disabled": lambda f: f.t.gettext("switched off the budget {budget}", budget=f.budget()),
    "budget.deleted": lambda f: f.t.gettext("deleted the budget {budget}", budget=f.budget()),
    "budgets.imported": _imported,
    "incident.acknowledged": lambda f: f.t.gettext("acknowledged the alert of *{name}*", name=f.word()),
    "incident.silenced": lambda f: f.t.gettext(
        "silenced the alert of *{name}* until {time}", name=f.word(), time=f.time("until")
    ),
    "incident.silence_ended": lambda f: f.t.gettext("ended the silence of the alert of *{name}*", name=f.word()),
    "incident.judged": _judged,
    "collection.requested": lambda f: f.t.gettext("had *{name}* collected at once", name=f.word("organization")),
    "bill.exported": _bill_exported,
    **audit_people.SAID,
    "app.installed": lambda f: f.t.gettext("installed the app"),
    "app.removed": lambda f: f.t.gettext("the app was removed"),
    "audit.exported": _exported,
    "stop.requested": _stop_requested,
    "stop.joined": lambda f: f.t.gettext("asked for a stop that was under way already"),
    "stop.set": lambda f: f.t.gettext("set the lever of *{project}* at the provider", project=f.word("project")),
    "stop.enforced": lambda f: f.t.gettext("the provider enforces it for *{project}*", project=f.word("project")),
    "stop.trouble": lambda f: f.t.gettext(
        "trouble with *{project}* at the provider ({why})", project=f.word("project"), why=_trouble(f)
    ),
    "stop.failed": lambda f: f.t.gettext(
        "the lever of *{project}* could not be set ({why})", project=f.word("project"), why=_trouble(f)
    ),
    "stop.proved": lambda f: f.t.gettext("usage confirms it for *{project}*", project=f.word("project")),
    "stop.unproved": lambda f: f.t.gettext(
        "not confirmed for *{project}* ({why})",
        project=f.word("project"),
        why=stop_words.usage_words({one: f.get(one) for one in ("reason", "unread", "unread_since")}, f.t.moment, f.t),
    ),
    "stop.lost": lambda f: f.t.gettext("the lever of *{project}* was changed elsewhere", project=f.word("project")),
    "stop.reopened": lambda f: f.t.gettext("*{project}* makes calls again", project=f.word("project")),
    "stop.second_asked": lambda f: f.t.gettext("asked for a second person's consent: {way}", way=_way(f, "action")),
    "stop.lapsed": lambda f: f.t.gettext("nobody agreed in time: {way}", way=_way(f, "action")),
    "stop.declined": lambda f: f.t.gettext("did not agree, or took it back: {way}", way=_way(f, "action")),
    "stop.approved": lambda f: f.t.gettext("let spending go on: {way}", way=_way(f, "way")),
    "stop.restored": lambda f: f.t.gettext("put *{project}* back as it was", project=f.word("project")),
    "stop.first_traffic": lambda f: f.t.gettext("first calls of *{project}* afterwards", project=f.word("project")),
    "stop.surged": lambda f: f.t.gettext("*{project}* spends unusually much again", project=f.word("project")),
    "stop.allowance_ended": lambda f: f.t.gettext("the allowance ended"),
    "stop.cause_pinned": _cause,
    "incident.cause_pinned": _cause,
    "stop.closed": lambda f: f.t.gettext("closed the stop"),
}


def _price(facts: _Facts, name: str) -> str:
    """An amount that may be far below a cent, as it was typed; or that there is none."""
    given = facts.get(name)
    return f"${kit.name(str(given))}" if given else facts.t.pgettext("target", "none")


def _rate(facts: _Facts, when: str) -> str:
    currency, per_dollar, day = (facts.get(f"{name}_{when}") for name in ("currency", "per_dollar", "day"))
    return exchange.kept_words(currency, per_dollar, day, facts.t)


def _trouble(facts: _Facts) -> str:
    return facts.chosen("trouble", HoldTrouble, stop_words.trouble_words)


def _way(facts: _Facts, name: str) -> str:
    return facts.chosen(name, ApprovalWay, stop_words.way_name)


_WHY: dict[str, Callable[[_Facts], str]] = {
    "not_admin": lambda f: f.t.gettext("only admins may"),
    "no_admin_yet": lambda f: f.t.gettext("there is no admin yet"),
    "not_team_manager": lambda f: f.t.gettext("only those who manage {team} may", team=f.word("team")),
    "approval_same_person": lambda f: f.t.gettext("another person has to agree"),
}
_LABELS: dict[str, Callable[[Translator], str]] = {
    "name": lambda t: t.pgettext("fact", "name"),
    "lead": lambda t: t.gettext("Lead"),
    "channel": lambda t: t.gettext("Channel"),
    "locale": lambda t: t.gettext("Language"),
    "approvers": lambda t: t.pgettext("fact", "approvers"),
    "levels": lambda t: t.gettext("Alert levels"),
    "action": lambda t: t.gettext("At 100%"),
    "floor": lambda t: t.gettext("Floor"),
    "period": lambda t: t.pgettext("fact", "period"),
    "needs_two": lambda t: t.pgettext("fact", "second person"),
    "environment": lambda t: t.pgettext("fact", "environment"),
    "service": lambda t: t.pgettext("fact", "service"),
    "cost_center": lambda t: t.pgettext("fact", "cost center"),
}
_PROBLEMS: dict[AuditProblem, Callable[[Translator], str]] = {
    AuditProblem.EDITED: lambda t: t.gettext("it is not what was written"),
    AuditProblem.REMOVED: lambda t: t.gettext("rows that stood before it are gone"),
    AuditProblem.REORDERED: lambda t: t.gettext("it stands in another row's place"),
    AuditProblem.CUT_OFF: lambda t: t.gettext("it is gone, and so is all that followed"),
    AuditProblem.ADDED: lambda t: t.gettext("it was added by something else than this app"),
    AuditProblem.REWRITTEN: lambda t: t.gettext("rows up to here were written anew and no longer fit the sealed end"),
    AuditProblem.HEAD_FORGED: lambda t: t.gettext("the seal of its end is gone or not ours"),
}
