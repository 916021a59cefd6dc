"""`/finops …`: one command, its words in three languages, and what was probably meant."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable

from blocks import help as help_
from blocks import ids, keys, kit
from blocks import terms as glossary
from finops.keys import KeyKind, contains_key, kind_of
from finops.periods import charge_day
from finops.queries import UnknownPeriod, parse_status
from finops.suggest import closest
from finops.written import visible
from handlers import (
    approving,
    asking,
    audit,
    budgets,
    checking,
    collecting,
    decisions,
    exchange,
    export,
    feedback,
    interviews,
    learning,
    polls,
    prices,
    project_detail,
    report,
    setup,
    status,
    stops,
    teams,
    terms,
    why,
)
from handlers import keys as key_windows
from handlers.visit import Visit

Answer = Callable[[Visit, str], Awaitable[None]]
# `search.py` written to us comes as <http://search.py|search.py>, an address as <https://…>, a channel as <#C…|name>.
_LINK = re.compile(r"<(?:#[A-Z0-9]+(?=\|)|(?P<address>(?:https?|mailto|tel):[^<>|]*))(?:\|(?P<shown>[^<>]*))?>")
# A channel may come without its name (github.com/zulip/zulip/pull/39025).
_NAMELESS = re.compile(r"<#([A-Z0-9]+)\|?>")


async def show_help(visit: Visit, words: str = "") -> None:
    """`/finops` alone, and `/finops help`; a word after it that is no command's is asked of the glossary."""
    if words and (_command(words) not in SUBCOMMANDS or glossary.find(words) is not None):
        await terms.ask(visit, words)
        return
    person = await visit.person()
    everybody = await visit.bot.teams.all(visit.workspace_id)
    teams = sorted(everybody, key=lambda team: (person.user_id not in (team.lead_user_id, *team.approvers), team.name))
    places = {team.id: place for place, team in enumerate(teams)}
    owned = [one for one in await visit.bot.projects.all(visit.workspace_id) if not one.excluded]
    owned.sort(key=lambda one: (places.get(one.team_id, len(places)), one.name))
    shown = help_.message(
        await visit.words(),
        is_admin=person.is_admin,
        teams=[team.name for team in teams],
        projects=[one.name for one in owned],
    )
    await visit.answer(shown)


SUBCOMMANDS: dict[str, Answer] = {
    "status": status.ask,
    "why": why.ask,
    "setup": lambda visit, _: setup.next_step(visit),
    "team": lambda visit, _: teams.manage(visit),
    "project": project_detail.command,
    "key": lambda visit, _: key_windows.manage(visit),
    "budget": budgets.command,
    "stop": stops.command,
    "resume": approving.command,
    "report": report.ask,
    "daily": report.daily,
    "effect": learning.ask,
    "export": export.ask,
    "price": prices.ask,
    "decisions": decisions.ask,
    "feedback": feedback.ask,
    "interview": lambda visit, _: interviews.ask(visit),
    "poll": polls.command,
    "collect": lambda visit, _: collecting.now(visit),
    "currency": lambda visit, _: exchange.manage(visit),
    "audit": audit.show,
    "doctor": lambda visit, _: checking.examine(visit),
    "term": terms.ask,
    "help": show_help,
}
ALIASES = {
    "상태": "status", "비용": "status", "현황": "status", "cost": "status", "costs": "status", "状態": "status",
    "状況": "status", "コスト": "status", "ステータス": "status", "설정": "setup", "設定": "setup",
    "セットアップ": "setup", "팀": "team", "teams": "team", "チーム": "team",
    "프로젝트": "project", "projects": "project", "プロジェクト": "project",
    "키": "key", "keys": "key", "キー": "key", "수집": "collect", "収集": "collect",
    "점검": "doctor", "診断": "doctor", "点検": "doctor",
    "예산": "budget", "budgets": "budget", "予算": "budget",
    "차단": "stop", "停止": "stop", "복구": "resume", "再開": "resume", "復旧": "resume",
    "리포트": "report", "보고서": "report", "주간": "report", "reports": "report", "digest": "report",
    "レポート": "report", "일일": "daily", "데일리": "daily", "日報": "daily", "日次": "daily", "デイリー": "daily",
    "투표": "poll", "polls": "poll", "vote": "poll", "投票": "poll", "アンケート": "poll",
    "감사": "audit", "監査": "audit",
    "통화": "currency", "환율": "currency", "通貨": "currency", "為替": "currency",
    "의견": "feedback", "피드백": "feedback", "フィードバック": "feedback", "意見": "feedback",
    "인터뷰": "interview", "interviews": "interview", "インタビュー": "interview",
    "효과": "effect", "effects": "effect", "効果": "effect",
    "단가": "price", "가격": "price", "요금": "price", "prices": "price", "単価": "price", "料金": "price",
    "価格": "price",
    "내보내기": "export", "exports": "export", "エクスポート": "export",
    "결정": "decisions", "decision": "decisions", "決定": "decisions",
    "원인": "why", "이유": "why", "왜": "why", "原因": "why", "理由": "why", "要因": "why", "なぜ": "why",
    "용어": "term", "terms": "term", "glossary": "term", "用語": "term", "用語集": "term",
    "도움말": "help", "도움": "help", "ヘルプ": "help",
}  # fmt: skip
# These open a window, which only a command or a click can: in a direct message they become a button.
WINDOWS = {
    "setup": ids.SETUP_NEXT,
    "team": ids.TEAM_MANAGE,
    "project": ids.PROJECT_MANAGE,
    "key": ids.KEY_MANAGE,
    "currency": ids.CURRENCY_MANAGE,
    "budget": ids.BUDGET_MANAGE,
    "stop": ids.STOP_OPEN,
    "resume": ids.STOP_APPROVE,
    "audit": ids.AUDIT_SHOW,
    "feedback": ids.FEEDBACK_OPEN,
    "interview": ids.INTERVIEW_OPEN,
}


async def answer(visit: Visit, text: str) -> None:
    """Do what was typed. A key among the words is refused before anything else, and never repeated."""
    if contains_key(text):
        await visit.answer(keys.refused(await visit.words(), is_admin_key=_holds_admin_key(text)))
        return
    text = _as_typed(await _named(visit, text))
    # Below the message to a lead stands what the lead answers, whatever word it begins with.
    if visit.thread_ts and await stops.heard_cause(visit, text):
        return
    word, _, rest = text.partition(" ")
    name = _command(word)
    if not word:
        await show_help(visit)
    elif name in SUBCOMMANDS:
        asking.by_command(visit, name)
        if name in WINDOWS and visit.trigger_id is None:
            await visit.answer(help_.by_button(await visit.words(), WINDOWS[name]))
            return
        await SUBCOMMANDS[name](visit, rest.strip())
    elif _is_a_period(visit, text):
        await status.ask(visit, text)
    elif not (visit.is_direct and await stops.heard_cause(visit, text)):
        suggestion = closest(word, [*SUBCOMMANDS, *ALIASES])
        await visit.answer(help_.unknown(await visit.words(), word, suggestion))


def _command(word: str) -> str:
    """The command that a word of any language names; the word itself where it names none."""
    return ALIASES.get(word.casefold(), word.casefold())


def _holds_admin_key(text: str) -> bool:
    return any(kind_of(word) is KeyKind.ADMIN for word in text.split())


async def _named(visit: Visit, text: str) -> str:
    """A channel whose name Slack does not tell us, by the name of its team: nameless it would be nothing at all."""
    if not _NAMELESS.search(text):
        return text
    names = {team.channel_id: kit.harmless(team.name) for team in await visit.bot.teams.all(visit.workspace_id)}
    return _NAMELESS.sub(lambda found: names.get(found[1], f"&lt;#{found[1]}&gt;"), text)


def _as_typed(text: str) -> str:
    """What a person typed, before Slack escaped it and made links of channels and of all that looks like an address."""
    text = _LINK.sub(lambda found: found["shown"] or found["address"] or "", text)
    return " ".join(visible(html.unescape(text)).split())


def _is_a_period(visit: Visit, text: str) -> bool:
    """`/finops yesterday` can only mean one thing."""
    try:
        return parse_status(text, charge_day(visit.bot.clock())).scope_words is None
    except UnknownPeriod:
        return False
