"""The laboratory drawer of the page: keys to try and faults to switch, so that a stranger can test every promise."""

from __future__ import annotations

from typing import Any

from demo.stage import Stage

Item = dict[str, Any]
_OUTAGE: Item = {"method": "chat.postMessage", "error": "500", "times": 1000}


def show(stage: Stage) -> None:
    """Offer the keys of this stage and every way to fail."""
    props = stage.props
    project_key = next(iter(stage.openai.organization.projects.values())).keys[0].secret
    stage.slack.set_lab(
        {
            "sections": [
                {
                    "title": "폭주 (chatbot-experiment)",
                    "items": [
                        _order("폭주 시작", "POST", "/_sim/runaway", {}, "danger"),
                        _order("정상으로", "DELETE", "/_sim/runaway", None, "primary"),
                        _order("1시간 뒤로", "POST", "/_sim/clock", {"advance_minutes": 60}),
                        _order("다음 날로 (UTC 자정)", "POST", "/_sim/clock", {"to": "next day"}),
                    ],
                },
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
                    "title": "OpenAI 장애",
                    "items": [
                        _openai("401 · 키 거부", {"status": 401}),
                        _openai("429 · 10회 요청 제한", {"status": 429, "retry_after": 1, "times": 10}),
                        _openai("500 · 서버 오류", {"status": 500}),
                        _openai("응답 지연 5초", {"delay_seconds": 5}),
                        _openai("중간에 끊긴 응답", {"kind": "cut_off"}),
                        _openai("형식이 깨진 응답", {"kind": "nonsense_json"}),
                        _order("모두 정상으로", "DELETE", "/_sim/openai/faults", None, "primary"),
                    ],
                },
                {
                    "title": "Slack 장애",
                    "items": [
                        _slack("전송 중단 (60초 뒤 메일)", _OUTAGE),
                        _slack("429 · 전송 제한", {"method": "chat.postMessage", "error": "ratelimited", "times": 3}),
                        _slack("500 · 서버 오류", {"method": "*", "error": "500", "times": 3}),
                        _order("모두 정상으로", "DELETE", "/_sim/slack/faults", None, "primary"),
                    ],
                },
            ]
        }
    )


def _key(label: str, value: str) -> Item:
    return {"label": label, "value": value, "copy": True}


def _openai(label: str, fault: Item) -> Item:
    return _order(label, "POST", "/_sim/openai/faults", {"path": "/v1/organization/"} | fault)


def _slack(label: str, fault: Item) -> Item:
    return _order(label, "POST", "/_sim/slack/faults", fault)


def _order(label: str, method: str, path: str, body: Item | None, style: str = "plain") -> Item:
    return {"label": label, "style": style, "action": {"method": method, "path": path, "body": body}}
