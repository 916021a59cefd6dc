"""The people, channels and groups of 한빛소프트, the workspace everybody starts in."""

from __future__ import annotations

from dataclasses import dataclass, field

TEAM_ID = "T0FINOPS01"
TEAM_NAME = "한빛소프트"
TEAM_DOMAIN = "hanbit-soft"

JIHOON = "U0JIHOON01"
MINSU = "U0MINSU001"
SEOYEON = "U0SEOYEON1"
SAKURA = "U0SAKURA01"
EMMA = "U0EMMA0001"
BOT = "U0FINOPSBT"

FINOPS = "C0FINOPS01"
MARKETING = "C0MARKET01"
DATA = "C0DATA0001"
GENERAL = "C0GENERAL1"
FINANCE_GROUP = "S0FINANCE1"


@dataclass(slots=True)
class User:
    """A person or a bot of the workspace."""

    id: str
    name: str
    real_name: str
    email: str = ""
    locale: str = "ko-KR"
    tz: str = "Asia/Seoul"
    tz_offset: int = 32400
    title: str = ""
    color: str = "4a154b"
    is_admin: bool = False
    is_owner: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False
    team_id: str = ""  # of another company (Slack Connect); '' is this workspace
    enterprise_id: str = ""  # the organization around that company's workspaces


@dataclass(slots=True)
class Channel:
    """A conversation: a channel, private or not, or a direct message."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    topic: str = ""
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False
    is_mpim: bool = False
    creator: str = JIHOON


@dataclass(slots=True)
class UserGroup:
    """A user group (`@재무팀`)."""

    id: str
    name: str
    handle: str
    users: list[str] = field(default_factory=list)
    is_disabled: bool = False


def people() -> list[User]:
    """Everyone in the workspace, the bot last."""
    return [
        User(JIHOON, "jihoon", "이지훈", "jihoon@hanbit.example", title="플랫폼 관리자", color="2563a8", is_admin=True),
        User(MINSU, "minsu", "김민수", "minsu@hanbit.example", title="마케팅팀 리드", color="1f7a4d"),
        User(SEOYEON, "seoyeon", "박서연", "seoyeon@hanbit.example", title="데이터 엔지니어", color="9a3d8f"),
        User(SAKURA, "sakura", "佐藤さくら", "sakura@hanbit.example", "ja-JP", "Asia/Tokyo", 32400, "経理", "b4532a"),
        User(EMMA, "emma", "Emma Clark", "emma@hanbit.example", "en-US", "America/New_York", -18000, "CFO", "6b5b1e"),
        User(BOT, "finops", "FinOps", locale="en-US", tz="America/Los_Angeles", tz_offset=-28800, is_bot=True),
    ]


def channels() -> list[Channel]:
    """The channels; the bot has been invited to three of them and not to #general."""
    humans = {JIHOON, MINSU, SEOYEON, SAKURA, EMMA}
    return [
        Channel(FINOPS, "finops", humans | {BOT}, "AI 비용을 함께 보는 곳"),
        Channel(MARKETING, "마케팅팀", {JIHOON, MINSU, EMMA, BOT}, "광고와 챗봇 실험"),
        Channel(DATA, "데이터팀", {JIHOON, SEOYEON, SAKURA, BOT}, "검색과 문서 요약"),
        Channel(GENERAL, "general", set(humans), "회사 전체 공지"),
    ]


def groups() -> list[UserGroup]:
    """The user groups."""
    return [UserGroup(FINANCE_GROUP, "재무팀", "finance", [SAKURA, EMMA])]
