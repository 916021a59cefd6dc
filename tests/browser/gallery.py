"""Sample data with every block, element and composition object, as a calm workspace would show them."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]
NOON = 1783306800  # Monday 6 July 2026, 12:00 in Seoul


def ts(minutes: float, number: int = 0) -> str:
    """A message timestamp so many minutes after noon."""
    return f"{NOON + int(minutes * 60)}.{number:06d}"


def plain(text: str) -> JSON:
    """A plain_text object."""
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> JSON:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def option(text: str, value: str, description: str | None = None) -> JSON:
    """An option object."""
    return {"text": plain(text), "value": value, **({"description": plain(description)} if description else {})}


def section(text: str, **more: Any) -> JSON:
    """A section block."""
    return {"type": "section", "text": mrkdwn(text), **more}


def field(block_id: str, label: str, element: JSON, **more: Any) -> JSON:
    """An input block."""
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, **more}


CONFIRM_DANGER = {
    "title": plain("키를 삭제할까요?"),
    "text": mrkdwn("*수집만 중단됩니다.* 지출은 멈추지 않습니다."),
    "confirm": plain("삭제"),
    "deny": plain("그만두기"),
    "style": "danger",
}

USERS = [
    {"id": "U0JIHOON01", "name": "이지훈", "title": "플랫폼 관리자", "color": "2563a8", "locale": "ko-KR", "tz": "Asia/Seoul"},
    {"id": "U0MINSU001", "name": "김민수", "title": "마케팅팀 리드", "color": "1f7a4d", "locale": "ko-KR", "tz": "Asia/Seoul"},
    {"id": "U0SEOYEON1", "name": "박서연", "title": "데이터 엔지니어", "color": "9a3d8f", "locale": "ko-KR", "tz": "Asia/Seoul"},
    {"id": "U0SAKURA01", "name": "佐藤さくら", "title": "経理", "color": "b4532a", "locale": "ja-JP", "tz": "Asia/Tokyo"},
    {"id": "U0EMMA0001", "name": "Emma Clark", "title": "CFO", "color": "6b5b1e", "locale": "en-US", "tz": "America/New_York"},
    {"id": "U0FINOPSBT", "name": "FinOps", "is_bot": True},
]
DAYS = ["6/29", "6/30", "7/1", "7/2", "7/3", "7/4", "7/5"]
SPENT = {
    "chatbot-prod": [212.4, 220.1, 231.9, 241.2, 248.8, 190.2, 188.7],
    "search-rerank": [91.2, 88.4, 95.7, 99.1, 97.4, 60.3, 58.8],
}


def series(name: str) -> JSON:
    """One chart series of a week."""
    return {"name": name, "data": [{"label": day, "value": value} for day, value in zip(DAYS, SPENT[name], strict=True)]}


def axis_chart(kind: str, title: str, *names: str) -> JSON:
    """A bar, line or area chart of a week."""
    chart = {"type": kind, "series": [series(name) for name in names], "axis_config": {"categories": DAYS, "y_label": "USD"}}
    return {"type": "data_visualization", "title": title, "chart": chart}


PIE = {
    "type": "data_visualization",
    "title": "프로젝트별 비중 · 지난 7일",
    "chart": {
        "type": "pie",
        "segments": [
            {"label": "chatbot-prod", "value": 1533.3},
            {"label": "search-rerank", "value": 590.9},
            {"label": "번역 파이프라인", "value": 241.05},
            {"label": "미할당", "value": 88.2},
        ],
    },
}


def number(value: float) -> JSON:
    """A raw_number cell in dollars."""
    return {"type": "raw_number", "value": value, "text": f"${value:,.2f}"}


def words(text: str) -> JSON:
    """A raw_text cell."""
    return {"type": "raw_text", "text": text}


PROJECT_ROWS = [
    ("chatbot-prod", 1533.3, 0.08),
    ("search-rerank", 590.9, -0.12),
    ("번역 파이프라인", 241.05, 0.31),
    ("리뷰 요약", 120.4, 0.02),
    ("chatbot-experiment", 99.95, 13.84),
    ("미할당", 88.2, 0.0),
    ("데이터 라벨링", 12.06, -0.4),
]
DATA_TABLE = {
    "type": "data_table",
    "block_id": "projects",
    "caption": "프로젝트별 비용",
    "page_size": 5,
    "rows": [
        [words("프로젝트"), words("비용"), words("증감")],
        *[
            [words(name), number(cost), {"type": "raw_number", "value": change, "text": f"{change:+.0%}"}]
            for name, cost, change in PROJECT_ROWS
        ],
    ],
}
TABLE = {
    "type": "table",
    "column_settings": [{"is_wrapped": True}, {"align": "right"}, {"align": "center"}],
    "rows": [
        [words("모델"), words("비용"), words("상태")],
        [words("gpt-5, input"), words("$1,204.18"), words("확정")],
        [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "gpt-5, output", "style": {"bold": True}}]}]}, words("$892.40"), words("잠정")],
        [words("text-embedding-3"), words("$12.07"), words("확정")],
    ],
}


def text(words_: str, **style: bool) -> JSON:
    """A rich text run."""
    return {"type": "text", "text": words_, **({"style": style} if style else {})}


RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [text("이번 주 "), text("줄인 비용", bold=True), text("은 "), text("$412", code=True), text(", "), text("기준은 지난 4주", italic=True), text(" · "), text("예전 기준", strike=True), text(" "), {"type": "emoji", "name": "tada"}]},
        {"type": "rich_text_list", "style": "ordered", "elements": [{"type": "rich_text_section", "elements": [text("캐시 적중률이 올랐습니다 "), {"type": "user", "user_id": "U0MINSU001"}]}, {"type": "rich_text_section", "elements": [text("자세한 이야기는 "), {"type": "channel", "channel_id": "C0MARKET01"}]}]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": "https://example.com/report", "text": "보고서"}]}, {"type": "rich_text_section", "elements": [{"type": "date", "timestamp": NOON, "format": "{date_long} {time}", "fallback": "7월 6일"}]}]},
        {"type": "rich_text_quote", "elements": [text("같은 답을 두 번 사지 않습니다.")]},
        {"type": "rich_text_preformatted", "elements": [text("GET /v1/organization/costs?limit=7\n200 OK")]},
        {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}, text(" "), {"type": "usergroup", "usergroup_id": "S0FINANCE1"}, text(" "), {"type": "color", "value": "#14a085"}]},
    ],
}
MARKDOWN = {
    "type": "markdown",
    "text": "### 이번 주 요약\n**chatbot-prod**가 *8 %* 늘었고, ~~예산 초과~~는 없습니다. [보고서](https://example.com/r) `cache=on`\n\n- [x] 캐시 켜기\n- [ ] 모델 바꾸기\n\n| 팀 | 비용 |\n|---|---:|\n| 마케팅 | $742.00 |\n| 데이터 | $310.55 |\n\n> 다음 주 월요일에 다시 봅니다.\n\n```\nmake check\n```",
}
CARD = {
    "type": "card",
    "block_id": "card",
    "title": mrkdwn("*번역 파이프라인*"),
    "subtitle": mrkdwn("마케팅팀 · 김민수"),
    "body": mrkdwn("지난 7일 $241.05, 성과 1건에 $0.021"),
    "subtext": mrkdwn("확정 · 09:00 기준"),
    "actions": [{"type": "button", "action_id": "card_open", "text": plain("자세히")}],
}
ALL_MESSAGE_BLOCKS: list[JSON] = [
    {"type": "header", "text": plain("지난 7일 · 한빛소프트 :bar_chart:")},
    section("*$2,453.45* 를 썼습니다. 지난주보다 _3 % 적습니다_ ~$2,530.11~\n• 프로젝트 일곱 개 <#C0MARKET01> <@U0MINSU001>\n• `gpt-5` 가 전체의 62 %\n> 같은 달력, 같은 금액\n<https://example.com/cost|비용 보기> · <!date^1783306800^{date_short} {time}|7월 6일> 기준 :moneybag:"),
    {"type": "section", "fields": [mrkdwn("*어제*\n$247.50 · 잠정"), mrkdwn("*지난주*\n$2,453.45 · 확정"), mrkdwn("*지난달*\n$9,120.77 · 확정"), mrkdwn("*이번 달 누적*\n$1,204.31 · 잠정")]},
    section("팀 설정을 바꿀 수 있습니다.", block_id="accessory", accessory={"type": "button", "action_id": "open_settings", "text": plain("설정"), "value": "team-1"}),
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            {"type": "button", "action_id": "share", "text": plain("공유"), "style": "primary", "value": "share-7d"},
            {"type": "button", "action_id": "delete_key", "text": plain("키 삭제"), "style": "danger", "value": "key-1", "confirm": CONFIRM_DANGER},
            {"type": "static_select", "action_id": "period", "placeholder": plain("기간"), "options": [option("지난 7일", "7d"), option("지난 30일", "30d"), option("이번 달", "month")]},
            {"type": "overflow", "action_id": "more", "options": [option("확인", "ack"), option("30분 조용히", "snooze", "메시지만 멈춥니다"), option("담당자에게 DM", "dm")]},
            {"type": "button", "action_id": "hidden", "text": plain("관리자만"), "visible_to_user_ids": ["U0SOMEONE1"]},
        ],
    },
    {"type": "context", "elements": [{"type": "image", "image_url": "https://other.example/x.png", "alt_text": "로고"}, mrkdwn("확정 · UTC 기준 7월 5일까지 · <!date^1783306800^{date_long_pretty} {time}|오늘>")]},
]
MORE_MESSAGE_BLOCKS: list[JSON] = [
    RICH,
    MARKDOWN,
    {"type": "image", "image_url": "https://other.example/chart.png", "alt_text": "지난 30일 비용: 9,120.77달러", "title": plain("지난 30일")},
    TABLE,
    {"type": "context_actions", "block_id": "feedback", "elements": [{"type": "feedback_buttons", "action_id": "fb", "positive_button": {"text": plain("도움 됨"), "value": "good"}, "negative_button": {"text": plain("아님"), "value": "bad"}}, {"type": "icon_button", "action_id": "trash", "icon": "trash", "text": plain("삭제"), "value": "1"}]},
]
CONTAINERS: list[JSON] = [
    CARD,
    {"type": "carousel", "block_id": "carousel", "elements": [CARD, {**CARD, "block_id": "card2", "title": mrkdwn("*리뷰 요약*")}, {**CARD, "block_id": "card3", "title": mrkdwn("*검색*")}]},
    {"type": "container", "title": plain("원인"), "subtitle": plain("세 가지"), "is_collapsible": True, "has_header_divider": True, "child_blocks": [section("호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심"), {"type": "divider"}, section("캐시 적중률 0 %")]},
    {"type": "plan", "title": "백필 180일", "tasks": [{"type": "task_card", "task_id": "1", "title": "키 확인", "status": "complete"}, {"type": "task_card", "task_id": "2", "title": "비용 읽기", "status": "in_progress"}, {"type": "task_card", "task_id": "3", "title": "홈 그리기", "status": "pending"}]},
    {"type": "task_card", "task_id": "9", "title": "다시 읽기", "status": "error", "details": {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [text("공급자가 응답하지 않았습니다.")]}]}, "sources": [{"type": "url", "url": "https://status.openai.com", "text": "상태 페이지"}]},
    {"type": "video", "title": plain("FinOps 소개"), "video_url": "https://video.example/v", "thumbnail_url": "https://video.example/t.png", "alt_text": "소개 영상"},
    {"type": "file", "external_id": "report.pdf", "source": "remote"},
    {"type": "call", "call_id": "R123"},
    {"type": "auth_provider", "name": "OpenAI", "description": "Admin 키 연결"},
    {"type": "hologram"},
]


def bot(when: str, text_: str, blocks: list[JSON] | None = None, **more: Any) -> JSON:
    """A message of the app."""
    return {"ts": when, "user": "U0FINOPSBT", "bot_id": "B0FINOPSBT", "text": text_, **({"blocks": blocks} if blocks else {}), **more}


def said(when: str, user: str, text_: str, **more: Any) -> JSON:
    """A message of a person."""
    return {"ts": when, "user": user, "text": text_, **more}


ROOT = ts(8)
MESSAGES: dict[str, list[JSON]] = {
    "C0FINOPS01": [
        said(ts(0), "U0MINSU001", "<@U0FINOPSBT> 지난주 비용 알려 주세요 :eyes:"),
        said(ts(1), "U0MINSU001", "마케팅팀 회의에 필요합니다."),
        bot(ts(2), "지난 7일 $2,453.45", ALL_MESSAGE_BLOCKS),
        bot(ROOT, "프로젝트별", [axis_chart("area", "하루 비용 · 지난 7일", "chatbot-prod"), DATA_TABLE], thread_ts=ROOT, reply_count=2),
        said(ts(9), "U0SEOYEON1", "7월 3일부터 캐시를 켰습니다.", thread_ts=ROOT),
        bot(ts(10), "확인했습니다. 캐시 적중률 64 %", thread_ts=ROOT),
        {**bot(ts(12), "나만", [section("*마케팅팀* 은 지난 7일 동안 $742.00 를 썼습니다."), {"type": "actions", "block_id": "eph", "elements": [{"type": "button", "action_id": "share", "text": plain("공유")}]}]), "ephemeral_for": "U0JIHOON01"},
    ],
    "C0MARKET01": [
        bot(ts(3), "차트", [axis_chart("bar", "하루 비용 · 두 프로젝트", "chatbot-prod", "search-rerank"), PIE]),
        bot(ts(4), "선", [axis_chart("line", "추세", "chatbot-prod", "search-rerank")], reactions=[{"name": "thumbsup", "count": 2, "users": ["U0MINSU001", "U0SAKURA01"]}]),
        bot(ts(20), "더", MORE_MESSAGE_BLOCKS),
        bot(ts(30), "묶음", CONTAINERS),
        bot(ts(31), "첨부", attachments=[{"color": "#e0426f", "blocks": [section("한도에 도달했습니다.")]}]),
    ],
    "C0GENERAL1": [],
    "C0DATA0001": [said(ts(5), "U0SEOYEON1", "안녕하세요 <!here>"), said(ts(6), "U0SEOYEON1", "고쳤습니다", edited={"user": "U0SEOYEON1", "ts": ts(7)})],
    "D0JIHOON01": [bot(ts(1), "안녕하세요. `/finops setup` 으로 시작하세요.")],
}
HOME = {
    "id": "V0HOME",
    "type": "home",
    "blocks": [
        {"type": "header", "text": plain("한빛소프트의 AI 비용")},
        {"type": "context", "elements": [mrkdwn("오늘 09:00 기준 · 확정과 잠정을 섞지 않습니다")]},
        {"type": "section", "fields": [mrkdwn("*어제*\n$247.50 · 잠정"), mrkdwn("*지난주*\n$2,453.45 · 확정"), mrkdwn("*지난달*\n$9,120.77 · 확정"), mrkdwn("*이번 달 누적*\n$1,204.31 · 잠정")]},
        {"type": "divider"},
        section("*많이 쓴 프로젝트 · 지난 7일*"),
        {**TABLE, "block_id": "top"},
        section("*설정 순서*\n:white_check_mark: 팀 만들기\n:white_check_mark: Admin 키 등록\n:white_large_square: 프로젝트 고르기", accessory={"type": "button", "action_id": "setup", "text": plain("이어서 하기"), "style": "primary"}, block_id="next"),
    ],
}
STEP: JSON = {
    "id": "V0STEP",
    "hash": "1",
    "type": "modal",
    "callback_id": "team",
    "title": plain("팀 만들기"),
    "submit": plain("다음"),
    "close": plain("취소"),
    "blocks": [
        section("*1 / 3* · 팀은 프로젝트와 예산의 주인입니다."),
        field("name", "팀 이름", {"type": "plain_text_input", "action_id": "v", "placeholder": plain("마케팅팀"), "max_length": 40, "focus_on_load": True}),
        field("lead", "담당자", {"type": "users_select", "action_id": "v", "placeholder": plain("사람 고르기")}, hint=plain("승인 요청을 받습니다.")),
        field("channel", "알림 채널", {"type": "conversations_select", "action_id": "v", "filter": {"include": ["public"]}}, optional=True),
    ],
}
EVERY_INPUT: JSON = {
    "id": "V0EVERY",
    "hash": "1",
    "type": "modal",
    "callback_id": "every",
    "title": plain("모든 입력"),
    "submit": plain("저장"),
    "blocks": [
        {"type": "alert", "text": mrkdwn("키는 *암호화* 하여 저장합니다."), "level": "info"},
        {"type": "alert", "text": mrkdwn("한 번 더 확인하세요."), "level": "warning"},
        {"type": "alert", "text": mrkdwn("키를 읽지 못했습니다."), "level": "error"},
        {"type": "alert", "text": mrkdwn("등록되었습니다."), "level": "success"},
        field("text", "한 줄", {"type": "plain_text_input", "action_id": "v", "initial_value": "처음 값"}),
        field("long", "여러 줄", {"type": "plain_text_input", "action_id": "v", "multiline": True, "min_length": 3}, optional=True),
        field("email", "이메일", {"type": "email_text_input", "action_id": "v"}, optional=True),
        field("url", "주소", {"type": "url_text_input", "action_id": "v"}, optional=True),
        field("number", "금액", {"type": "number_input", "action_id": "v", "is_decimal_allowed": False, "min_value": "1", "max_value": "500"}, optional=True),
        field("static", "환경", {"type": "static_select", "action_id": "v", "option_groups": [{"label": plain("운영"), "options": [option("prod", "prod")]}, {"label": plain("개발"), "options": [option("dev", "dev"), option("test", "test")]}]}),
        field("multi", "모델", {"type": "multi_static_select", "action_id": "v", "max_selected_items": 2, "options": [option("gpt-5", "gpt-5"), option("gpt-5-mini", "mini"), option("o4", "o4")], "initial_options": [option("gpt-5", "gpt-5")]}),
        field("external", "프로젝트", {"type": "multi_external_select", "action_id": "v", "min_query_length": 1, "placeholder": plain("이름으로 찾기")}),
        field("users", "승인자", {"type": "multi_users_select", "action_id": "v"}, optional=True),
        field("channels", "채널", {"type": "channels_select", "action_id": "v"}, optional=True),
        field("checks", "알림", {"type": "checkboxes", "action_id": "v", "options": [option("초과", "breach", "한도에 닿을 때"), option("요약", "digest")], "initial_options": [option("요약", "digest")]}, optional=True),
        field("radio", "100 %에 닿으면", {"type": "radio_buttons", "action_id": "v", "options": [option("알리기만", "notify"), option("멈추기", "stop")]}),
        field("date", "시작일", {"type": "datepicker", "action_id": "v", "initial_date": "2026-07-06"}),
        field("time", "시각", {"type": "timepicker", "action_id": "v", "initial_time": "09:00"}),
        field("datetime", "언제까지", {"type": "datetimepicker", "action_id": "v"}, optional=True),
        field("rich", "메모", {"type": "rich_text_input", "action_id": "v"}, optional=True),
        field("file", "첨부", {"type": "file_input", "action_id": "v", "max_files": 2}, optional=True),
    ],
}
LAB = [
    {"title": "키", "items": [{"label": "마케팅팀 Admin 키", "value": "sk-admin-" + "Xq7" * 9 + "abc1", "copy": True}, {"label": "프로젝트 키 (잘못된 종류)", "value": "sk-proj-" + "Zt3" * 6, "copy": True}]},
    {"title": "고장", "items": [{"label": "OpenAI 500 세 번", "action": {"method": "POST", "path": "/_sim/openai/faults", "body": {"status": 500, "times": 3}}}, {"label": "Slack 429", "action": {"method": "POST", "path": "/_sim/slack/faults", "body": {"error": "ratelimited"}}}]},
]
STATE: JSON = {
    "workspace": {"id": "T0FINOPS01", "name": "한빛소프트", "domain": "hanbit-soft"},
    "users": USERS,
    "channels": [
        {"id": "C0FINOPS01", "name": "finops", "is_member": True, "unread": 0, "topic": "AI 비용을 함께 보는 곳"},
        {"id": "C0MARKET01", "name": "마케팅팀", "is_member": True, "unread": 3, "topic": ""},
        {"id": "C0DATA0001", "name": "데이터팀", "is_member": True, "unread": 0},
        {"id": "C0GENERAL1", "name": "general", "is_member": True, "unread": 0},
    ],
    "dms": [{"id": "D0JIHOON01", "bot": True, "name": "FinOps"}, {"id": "D0SELF", "user_id": "U0MINSU001", "name": "김민수"}],
    "messages": MESSAGES,
    "home": HOME,
    "views": [],
    "commands": [{"command": "/finops", "description": "AI 비용 보기와 설정", "usage_hint": "[status | setup | team | key | help]"}],
    "usergroups": [{"id": "S0FINANCE1", "name": "재무팀", "handle": "finance"}],
    "app": {"name": "FinOps", "id": "A0FINOPSBT", "bot_user_id": "U0FINOPSBT"},
    "lab": LAB,
}
