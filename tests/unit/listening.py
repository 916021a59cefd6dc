"""A person, a Slack client that remembers what it was told, and a bot that knows little: for tests of handlers/."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from slack_sdk.errors import SlackApiError

from bot import Policy
from bot.errors import Refusal, RefusalCode
from finops.approvals import HomeReader
from finops.registry import Person, Project, Role, Team, Workspace
from handlers.visit import Visit
from tests.unit.saying import NOW, TEAM, a_home, a_status

JIHOON, SEOYEON, SAKURA = "U0JIHOON01", "U0SEOYEON1", "U0SAKURA01"
LOCALES = {JIHOON: "ko-KR", SEOYEON: "ko-KR", SAKURA: "ja-JP"}


class FakeSlack:
    """Answers like the Web API, in memory. `refuses[method]` is the next error; `arrived` is set at every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refuses: dict[str, str] = {}
        self.arrived = asyncio.Event()
        self._windows = 0

    def told(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == method]

    async def until(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until a method was called so often."""
        async with asyncio.timeout(2):
            while len(self.told(method)) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.told(method)

    async def api_call(self, method: str, *, json: dict[str, Any]) -> dict[str, Any]:
        return self._call(method, json)

    async def users_info(self, *, user: str, include_locale: bool) -> dict[str, Any]:
        self._call("users.info", {"user": user, "include_locale": include_locale})
        described = {"id": user, "name": user.lower(), "locale": LOCALES[user], "tz": "Asia/Seoul", "is_admin": False}
        return {"user": {**described, "profile": {"display_name": user[1:]}}}

    async def usergroups_users_list(self, *, usergroup: str) -> dict[str, Any]:
        self._call("usergroups.users.list", {"usergroup": usergroup})
        return {"users": [SEOYEON]}

    async def usergroups_list(self) -> dict[str, Any]:
        return self._call("usergroups.list", {}) | {"usergroups": [{"id": "S0FINANCE1", "name": "재무팀"}]}

    async def views_open(self, *, trigger_id: str, view: dict[str, Any]) -> dict[str, Any]:
        return self._opened("views.open", {"trigger_id": trigger_id, "view": view})

    async def views_push(self, *, trigger_id: str, view: dict[str, Any]) -> dict[str, Any]:
        return self._opened("views.push", {"trigger_id": trigger_id, "view": view})

    async def views_update(self, *, view_id: str, view: dict[str, Any]) -> dict[str, Any]:
        return self._call("views.update", {"view_id": view_id, "view": view})

    async def views_publish(self, *, user_id: str, view: dict[str, Any]) -> dict[str, Any]:
        return self._call("views.publish", {"user_id": user_id, "view": view})

    async def conversations_open(self, *, users: str) -> dict[str, Any]:
        return self._call("conversations.open", {"users": users}) | {"channel": {"id": f"D{users[1:]}"}}

    async def files_upload_v2(self, *, content: bytes, **arguments: Any) -> dict[str, Any]:
        return self._call("files.upload", {"content": content.decode(), **arguments})

    async def auth_test(self) -> Any:
        self._call("auth.test", {})
        return SimpleNamespace(headers={})

    def _opened(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._call(method, arguments)
        self._windows += 1
        return {"view": {"id": f"V{self._windows}"}}

    def _call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, arguments))
        self.arrived.set()
        error = self.refuses.pop(method, None)
        if error:
            raise SlackApiError(error, {"ok": False, "error": error})
        return {"ok": True}


@dataclass
class FakeRespond:
    """A response url: says what it was told, and what status it answers with."""

    said: list[dict[str, Any]] = field(default_factory=list)
    refuses: list[str] = field(default_factory=list)

    async def __call__(self, **message: Any) -> Any:
        self.said.append(message)
        body = self.refuses.pop(0) if self.refuses else "ok"
        return SimpleNamespace(status_code=200 if body == "ok" else 404, body=body)


def a_person(user_id: str = JIHOON, *, admin: bool = True) -> Person:
    role = Role.ADMIN if admin else Role.MEMBER
    return Person("T0FINOPS01", user_id, user_id, role, LOCALES[user_id], "Asia/Seoul", admin, NOW)


class FakeBot:
    """Knows 이지훈 (admin) and 佐藤 (member), one team, and one report."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime(2026, 7, 6, 1, tzinfo=UTC)) -> None:
        self.clock = clock
        self.policy = Policy()
        self.met = {JIHOON: a_person(), SAKURA: a_person(SAKURA, admin=False)}
        self.claimed: set[str] = set()
        self.asked: list[tuple[Any, ...]] = []
        self.team: Team = TEAM
        part = SimpleNamespace
        self.people = part(
            known=self._known, present=self._known, meet=self._meet, workspace=self._workspace,
            require_admin=self._admin, unseen_admins=self._no_unseen,
        )  # fmt: skip
        self.teams = part(all=self._teams, get=self._team, require_manager=self._manager, managed_by=self._managed)
        self.projects = part(all=self._no_projects)
        self.reports = part(status=self._status, status_of=self._status_of, home=self._home)
        self.home_readers = part(of=self._reader)
        self.audit = part(refused=self._refused)
        self.refusals: list[tuple[Any, ...]] = []
        self.storage = self
        self.claims = part(once=self._once, take_back=self._take_back)

    def writing(self) -> FakeBot:
        return self

    async def __aenter__(self) -> FakeBot:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def _refused(self, *what: Any) -> None:
        self.refusals.append(what)

    async def _once(self, workspace_id: str, key: str, at: datetime) -> bool:
        is_new = key not in self.claimed
        self.claimed.add(key)
        return is_new

    async def _take_back(self, workspace_id: str, key: str) -> None:
        self.claimed.remove(key)

    async def _known(self, workspace_id: str, user_id: str) -> Person | None:
        return self.met.get(user_id)

    async def _no_unseen(self, workspace_id: str, but: str) -> tuple[str, ...]:
        return ()

    async def _meet(self, workspace_id: str, name: str, profile: Any, *, asks_setup: bool = False) -> Person:
        known = self.met.get(profile.user_id, a_person(profile.user_id, admin=False))
        self.met[profile.user_id] = replace(known, locale=profile.locale)
        return self.met[profile.user_id]

    async def _workspace(self, workspace_id: str) -> Workspace:
        return Workspace(workspace_id, "한빛소프트", "ko-KR", "Asia/Seoul", JIHOON, NOW)

    async def _admin(self, person: Person) -> None:
        if not person.is_admin:
            raise Refusal(RefusalCode.NOT_ADMIN, admins=(JIHOON,))

    async def _no_projects(self, _: str) -> list[Project]:
        return []

    async def _teams(self, workspace_id: str) -> list[Team]:
        return [self.team]

    async def _team(self, workspace_id: str, team_id: int) -> Team:
        return self.team

    async def _manager(self, person: Person, team_id: int, groups: Any = ()) -> Team:
        await self._admin(person)
        return self.team

    async def _managed(self, person: Person, groups: Any = ()) -> list[Team]:
        return [self.team] if person.is_admin else []

    async def _status(self, workspace_id: str, person: Person, text: str) -> Any:
        self.asked.append(("status", text))
        return a_status()

    async def _status_of(self, *question: Any) -> Any:
        self.asked.append(("status_of", *question))
        return a_status()

    async def _home(self, workspace_id: str, person: Person) -> Any:
        return a_home()

    async def _reader(self, *_: Any, **__: Any) -> HomeReader:
        return HomeReader()


def a_visit(bot: FakeBot, slack: FakeSlack, user_id: str = JIHOON, **more: Any) -> Visit:
    given: dict[str, Any] = {"channel_id": "C0MARKET01", "trigger_id": "1.2.3"}
    return Visit(bot, slack, "T0FINOPS01", "한빛소프트", user_id, **(given | more))  # type: ignore[arg-type]
