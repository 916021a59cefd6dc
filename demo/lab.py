"""The laboratory drawer of the page: what the provider sees, keys to try and faults to switch.

So that a stranger can test every promise, and see with their own eyes whether a stop stops anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from demo.clock import StageClock
from demo.lab_words import Words, words
from demo.life import Life, Tell
from demo.life_deeds import DEEDS
from demo.mailbox import Mailbox
from demo.onboarding import Stuck
from demo.props import Props
from demo.runaway import APPLICATION
from demo.slack import SimulatedSlack
from demo.stage import Stage
from demo.value_sender import Applications, Connected, NotTaken

Item = dict[str, Any]
WATCHED_MINUTES = 60
ELSEWHERE_CENTS = 5000  # what somebody else sets the limit to
_OUTAGE: Item = {"method": "chat.postMessage", "error": "500", "times": 1000}
_LEVERS = "/v1/organization/projects/"


def show(stage: Stage) -> None:
    """Offer the traffic to watch, the keys of this stage, every way to fail, the events, and the mail."""
    project_key = next(iter(stage.openai.organization.projects.values())).keys[0].secret
    given = drawer(stage.props, project_key, application(stage))["sections"]
    applications = stage.applications
    if isinstance(stage.monday.clock, StageClock):
        stage.monday.life = living(Life(stage, stage.monday.clock, stage.monday, noticed(stage), DEEDS))

    def draw() -> None:
        first, *others = given
        offer(stage.slack, {"sections": [first, value_section(applications), _weeks(), *others]}, stage.mailbox)

    applications.when_changed = draw
    draw()


def living(life: Life) -> Callable[[], Awaitable[Words]]:
    """Weeks at the push of a button; what is said when they are over."""

    async def live() -> Words:
        try:
            done = await life.on()
        except Stuck as error:
            raise NotTaken(str(error)) from error
        day = f"{life.clock():%Y-%m-%d}"
        return words(
            "{day}입니다. 그동안 조치 {count}건이 있었습니다. /finops 효과에서 확인하세요.", day=day, count=len(done)
        )

    return live


def noticed(stage: Stage) -> Tell:
    """Lines of the stage's own, shown for a moment to whoever looks, in their language."""
    return lambda told: stage.slack.world.tell({"type": "notice", "text": told, "level": "info"})


def offer(slack: SimulatedSlack, sections: Item, mailbox: Mailbox) -> None:
    """Show the drawer and the mailbox in the page, and again whenever a mail arrives or is read."""

    def draw() -> None:
        slack.set_lab(sections | {"mail": mailbox.letters()})

    mailbox.when_changed = draw
    draw()


def value_section(applications: Applications) -> Item:
    """The events of the applications: who records, how they are connected, and on to the day they are told of."""
    is_on = applications.is_on
    switched = "가치 이벤트 끄기" if is_on else "가치 이벤트 켜기"
    fields = [
        {"name": "application", "label": words("애플리케이션"), "options": list(applications.names)},
        {"name": "token", "label": words("이벤트 토큰"), "placeholder": "fin_…"},
    ]
    token = {"method": "POST", "path": "/_sim/value/token", "body": {}}
    return {
        "title": words("월요일 (성과 기록)"),
        "hint": words("프로젝트 창에서 이벤트 토큰을 만들면 그 애플리케이션이 스스로 기록을 시작합니다."),
        "items": [
            _order("지금 월요일 보내기", "POST", "/_sim/monday", {}, "primary"),
            _order("과거 4주 기록 보내기", "POST", "/_sim/value/past", {}),
            _order(switched, "POST", "/_sim/value/live", {"is_on": not is_on}),
            {
                "label": words("이벤트 토큰 붙여넣기"),
                "fields": fields,
                "button": words("연결"),
                "action": token,
            },
            *(_recorder(name, one, is_on=is_on) for name, one in applications.connected.items()),
        ],
    }


def _weeks() -> Item:
    """Weeks in which people act upon what they are told, and in which bills settle."""
    return {
        "title": words("몇 주 뒤로 (조치와 효과)"),
        "hint": words("모델 변경, 캐시 적용, 투표, 폭주 차단이 일어나고, FinOps가 이를 찾아 효과를 확인합니다."),
        "items": [_order("6주 이상 살아보기 (약 2분)", "POST", "/_sim/life", {}, "primary")],
    }


def _recorder(name: str, one: Connected, *, is_on: bool) -> Item:
    return {
        "label": name,
        "note": words(one.trouble) if one.trouble else words("{count}건", count=f"{one.count:,}"),
        "hint": words("기록 중" if is_on and not one.trouble else "꺼짐"),
    }


def drawer(props: Props, project_key: str, name: str) -> Item:
    """All of it, as the page draws it; `name` is the application that runs away."""
    return {
        "sections": [
            _runaway(name),
            _stop(name),
            {
                "title": "Admin API Key",
                "items": [
                    _key("마케팅팀 Admin 키 (정상)", props.marketing_key),
                    _key("조회 전용 Admin 키", props.usage_only_key),
                    _key("다른 조직의 Admin 키", props.other_organization_key),
                    _key("폐기된 Admin 키", props.revoked_key),
                    _key("프로젝트 키 (잘못된 종류)", project_key),
                ],
            },
            {
                "title": words("OpenAI 장애"),
                "items": [
                    _openai("401 · 키 거부", {"status": 401}),
                    _openai("429 · 10회 요청 제한", {"status": 429, "retry_after": 1, "times": 10}),
                    _openai("500 · 서버 오류", {"status": 500}),
                    _openai("응답 지연 5초", {"delay_seconds": 5}),
                    _openai("중간에 끊긴 응답", {"kind": "cut_off"}),
                    _openai("형식이 깨진 응답", {"kind": "nonsense_json"}),
                    _well(),
                ],
            },
            {
                "title": words("Slack 장애"),
                "items": [
                    _slack("전송 중단 (60초 뒤 메일)", _OUTAGE),
                    _slack("429 · 전송 제한", {"method": "chat.postMessage", "error": "ratelimited", "times": 3}),
                    _slack("500 · 서버 오류", {"method": "*", "error": "500", "times": 3}),
                    _order("모두 정상으로", "DELETE", "/_sim/slack/faults", None, "primary"),
                ],
            },
        ]
    }


def application(stage: Stage) -> str:
    """Whose runaway is watched: the one of the story, or the first of a trace that does not have it."""
    known = stage.openai.tenant().traffic.trace.applications
    return APPLICATION if APPLICATION in known else known[0]


def _runaway(name: str) -> Item:
    """A runaway to start, the clock to see it through, and the provider's traffic while it lasts."""
    whose = {"application": name}
    return {
        "title": words("폭주 ({name})", name=name),
        "items": [
            {"traffic": {"project": name, "minutes": WATCHED_MINUTES}},
            _order("폭주 시작", "POST", "/_sim/runaway", whose, "danger"),
            _order("정상으로", "DELETE", "/_sim/runaway", whose, "primary"),
            _clock("5분 뒤로", {"advance_minutes": 5}),
            _clock("1시간 뒤로", {"advance_minutes": 60}),
            _clock("다음 날로 (UTC 자정)", {"to": "next day"}),
            _clock("다음 달로 (한도 초기화)", {"to": "next month"}),
        ],
    }


def _stop(name: str) -> Item:
    """What can go wrong with a stop: a provider that acts and says it failed, and others who change the limit."""
    limit = {"threshold_amount": ELSEWHERE_CENTS, "currency": "USD", "interval": "month"}
    elsewhere = "/_sim/openai/limits"
    return {
        "title": words("차단 시험"),
        "items": [
            _labelled(
                words("다른 곳에서 한도 변경 ({amount})", amount=f"${ELSEWHERE_CENTS // 100}"),
                "POST",
                elsewhere,
                {"project": name, "spend_limit": limit},
            ),
            _order("다른 곳에서 한도 삭제", "POST", elsewhere, {"project": name, "spend_limit": None}),
            _lever("차단 후 500 (acted_500)", {"kind": "acted_500"}),
            _lever("차단 후 연결 끊김 (acted_drop)", {"kind": "acted_drop"}),
            _lever("차단 요청 3회 500", {"status": 500, "times": 3}),
            _order("한도 전파 10분", "POST", "/_sim/openai/behaviour", {"enforcement_seconds": 600}),
            _order("한도 전파 1분 (보통)", "POST", "/_sim/openai/behaviour", {"enforcement_seconds": 60}),
            _well(),
        ],
    }


def _key(label: str, value: str) -> Item:
    return {"label": words(label), "value": value, "copy": True}


def _openai(label: str, fault: Item) -> Item:
    return _order(label, "POST", "/_sim/openai/faults", {"path": "/v1/organization/"} | fault)


def _lever(label: str, fault: Item) -> Item:
    """Once, and only to what changes something."""
    return _order(label, "POST", "/_sim/openai/faults", {"path": _LEVERS, "method": "POST", "times": 1} | fault)


def _well() -> Item:
    return _order("모두 정상으로", "DELETE", "/_sim/openai/faults", None, "primary")


def _slack(label: str, fault: Item) -> Item:
    return _order(label, "POST", "/_sim/slack/faults", fault)


def _clock(label: str, move: Item) -> Item:
    return _order(label, "POST", "/_sim/clock", move)


def _order(label: str, method: str, path: str, body: Item | None, style: str = "plain") -> Item:
    return _labelled(words(label), method, path, body, style)


def _labelled(label: Words, method: str, path: str, body: Item | None, style: str = "plain") -> Item:
    return {"label": label, "style": style, "action": {"method": method, "path": path, "body": body}}
