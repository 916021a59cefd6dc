"""Installing in many workspaces: OAuth against the simulated Slack; tokens sealed, refreshed once, forgotten."""

from __future__ import annotations

import asyncio
import io
import re
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy import select

from bot.settings import Settings
from demo.slack import SimulatedSlack
from demo.stage import playing
from handlers.addresses import STORAGE
from handlers.authorizing import Authorizer, Place, clients
from handlers.installing import Installations, States
from storage import Storage
from storage.tables import oauth_states
from tests.conftest import FakeClock
from tests.integration.at_once import beside
from tests.integration.test_front_door import FINOPS, JIHOON, folder, log_lines, serving, settings_for

# slack_sdk's oauth.v2.access uses a class of aiohttp that 4.0 will drop; nothing of ours can change that.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

__all__ = ["folder", "log_lines"]
MINSU, TEAM = "U0MINSU001", "T0FINOPS01"
PUBLIC_URL = "https://finops.example.com"
HERE = Place(None, TEAM)


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_secrets, on both."""
    return "sqlite"


@pytest.fixture
def now() -> FakeClock:
    """A clock near the real one: Slack's library stamps expiry with the time of this machine."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def slack(now: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(now) as simulated:
        simulated.config.app.token_rotation = True
        yield simulated


@dataclass
class Browser:
    """A person's browser on our two pages; it keeps the one cookie by hand, since that travels over HTTPS only."""

    url: str
    slack: SimulatedSlack
    session: aiohttp.ClientSession
    cookie: str = ""

    async def starts(self) -> str:
        """Open the install page; returns the link behind its button."""
        async with self.session.get(f"{self.url}/slack/install") as page:
            assert page.status == 200
            cookie = SimpleCookie(page.headers["Set-Cookie"])
            self.cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookie.items())
            found = re.search(r'href="([^"]+/oauth/v2/authorize[^"]+)"', await page.text())
        assert found is not None
        return found.group(1).replace("&amp;", "&")

    async def comes_back(self, address: str, *, cookie: str | None = None) -> int:
        """Follow Slack's redirect to us; returns the status of the page."""
        parts = urlsplit(address)
        headers = {"Cookie": self.cookie if cookie is None else cookie}
        async with self.session.get(f"{self.url}{parts.path}?{parts.query}", headers=headers) as page:
            return page.status

    async def installs(self, user_id: str) -> int:
        return await self.comes_back(self.slack.authorise(await self.starts(), user_id))


def oauth_settings(slack: SimulatedSlack, folder: Path) -> Settings:
    return settings_for(slack, folder, oauth=True, FINOPS_PUBLIC_URL=PUBLIC_URL)


async def test_a_workspace_installs_itself_and_is_served(slack, folder, now):
    """From the install page to an answered command, with no token in any setting; the installer is remembered."""
    async with serving(oauth_settings(slack, folder)) as (url, app), aiohttp.ClientSession() as session:
        slack.deliver_to(f"{url}/slack/events")
        browser = Browser(url, slack, session)
        link = await browser.starts()
        assert "commands" in link
        assert "chat%3Awrite" in link or "chat:write" in link
        assert await browser.comes_back(slack.authorise(link, MINSU)) == 200
        assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
        async with app[STORAGE].reading() as store:
            workspace = await store.workspaces.get(TEAM)
            installation = await store.installations.find(None, TEAM, is_enterprise_install=False)
    assert workspace is not None
    assert workspace.installed_by == MINSU
    assert installation is not None
    assert installation.bot_token is not None
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    assert installation.bot_token.reveal().encode() not in stored
    assert slack.complaints == []


async def test_no_token_of_an_installation_reaches_a_log_line(slack, folder, now, log_lines: io.StringIO):
    """Installed, used and refreshed at debug level: no code, state, token or client secret is written anywhere."""
    canaries = {slack.config.client_secret, slack.config.signing_secret}
    async with playing(oauth_settings(slack, folder), now) as (app, url), aiohttp.ClientSession() as session:
        slack.deliver_to(f"{url}/slack/events")
        browser = Browser(url, slack, session)
        redirect = slack.authorise(await browser.starts(), MINSU)
        query = parse_qs(urlsplit(redirect).query)
        canaries |= {query["code"][0], query["state"][0]}
        assert await browser.comes_back(redirect) == 200
        for _ in range(2):
            assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
            async with app[STORAGE].reading() as store:
                found = await store.installations.find(None, TEAM, is_enterprise_install=False)
            assert found is not None
            canaries |= {secret.reveal() for secret in (found.bot_token, found.bot_refresh_token) if secret}
            now.advance(hours=12)
        await slack.settled()
    written = log_lines.getvalue()
    assert len(canaries) == 8, "the token was refreshed once"
    assert "oauth.v2.access" in written
    assert not [canary[:6] for canary in canaries if canary in written]


async def test_a_code_that_slack_could_not_take_is_not_logged(slack, folder, log_lines: io.StringIO):
    """Slack stumbled, so it is still good for ten minutes; Slack's library writes it into its warning."""
    async with serving(oauth_settings(slack, folder)) as (url, _), aiohttp.ClientSession() as session:
        browser = Browser(url, slack, session)
        redirect = slack.authorise(await browser.starts(), MINSU)
        slack.fail("oauth.v2.access", error="internal_error", times=None)
        assert await browser.comes_back(redirect) == 401
    query = parse_qs(urlsplit(redirect).query)
    written = log_lines.getvalue()
    assert "Failed to fetch oauth.v2.access" in written
    assert not [canary for canary in (query["code"][0], query["state"][0]) if canary in written]


async def test_a_state_works_once_and_only_in_the_browser_it_began_in(slack, folder):
    """A stolen or repeated redirect installs nothing; pressing Cancel at Slack is a calm page, and no error of ours."""
    async with serving(oauth_settings(slack, folder)) as (url, _), aiohttp.ClientSession() as session:
        browser = Browser(url, slack, session)
        address = slack.authorise(await browser.starts(), MINSU)
        assert await browser.comes_back("/slack/oauth_redirect?error=access_denied") == 200
        assert await browser.comes_back(address, cookie="slack-app-oauth-state=another") == 400
        assert await browser.comes_back(address) == 200
        assert await browser.comes_back(address) == 401


async def test_a_removed_app_forgets_its_token_at_once(slack, folder):
    """Whichever of the two events comes first; a person's own revoked token does not count."""
    async with serving(oauth_settings(slack, folder)) as (url, app), aiohttp.ClientSession() as session:
        slack.deliver_to(f"{url}/slack/events")

        async def is_installed() -> bool:
            async with app[STORAGE].reading() as store:
                return await store.installations.find(None, TEAM, is_enterprise_install=False) is not None

        revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0FINOPSBT"]}}
        for end in ({"type": "app_uninstalled"}, revoked):
            assert await Browser(url, slack, session).installs(MINSU) == 200
            await slack.send_event({"type": "tokens_revoked", "tokens": {"oauth": [MINSU], "bot": []}})
            assert await is_installed()
            await slack.send_event(end)
            assert not await is_installed()


async def test_late_word_of_an_end_leaves_a_new_beginning_alone(slack, folder, now):
    """Removed and installed again; Slack tells of the removal once more, as it does when an answer was slow."""
    settings = oauth_settings(slack, folder)
    async with serving(settings, clock=now) as (url, app), aiohttp.ClientSession() as session:
        slack.deliver_to(f"{url}/slack/events")

        async def is_installed() -> bool:
            async with app[STORAGE].reading() as store:
                return await store.installations.find(None, TEAM, is_enterprise_install=False) is not None

        assert await Browser(url, slack, session).installs(MINSU) == 200
        now.advance(minutes=2)
        end = slack.hub.events.wrapped({"type": "app_uninstalled"})
        assert (await slack.hub.events.redeliver(end)).ok
        assert not await is_installed()
        now.advance(minutes=2)
        assert await Browser(url, slack, session).installs(MINSU) == 200
        now.advance(minutes=2)
        assert (await slack.hub.events.redeliver(end, retry_num=2)).ok
        assert await is_installed()
        assert (await slack.hub.events.redeliver(slack.hub.events.wrapped({"type": "app_uninstalled"}))).ok
        assert not await is_installed()


@dataclass
class Copies:
    """Several copies of the bot on one database, each with a memory of its own."""

    stores: list[Installations]
    slack: SimulatedSlack
    ahead: Callable[[timedelta], Installations]

    def refreshes(self) -> int:
        return sum(call.args.get("grant_type") == "refresh_token" for call in self.slack.calls)


@pytest.fixture
async def copies(slack: SimulatedSlack, storage: Storage, folder: Path, now: FakeClock) -> AsyncIterator[Copies]:
    settings = oauth_settings(slack, folder)
    async with clients(slack.api_url, ssl.create_default_context()) as new_client:
        stores = [Installations(storage, new_client(None), settings, now) for _ in range(2)]
        answer = await new_client(None).oauth_v2_access(
            client_id=slack.config.client_id,
            client_secret=slack.config.client_secret,
            code=slack.authorise(
                f"{settings.slack_authorize_url}?client_id={slack.config.client_id}&scope=commands&redirect_uri={PUBLIC_URL}",
                MINSU,
            ).split("code=")[1].split("&")[0],
            redirect_uri=PUBLIC_URL,
        )  # fmt: skip
        await stores[0].async_save(
            Installation(
                team_id=TEAM,
                user_id=MINSU,
                bot_token=answer["access_token"],
                bot_refresh_token=answer["refresh_token"],
                bot_token_expires_at=int(now().timestamp()) + int(answer["expires_in"]),
                bot_id="B0FINOPSBT",
                bot_user_id="U0FINOPSBT",
            )
        )
        yield Copies(stores, slack, lambda by: Installations(storage, new_client(None), settings, lambda: now() + by))


async def test_a_token_is_refreshed_once_whoever_asks(copies: Copies, now: FakeClock):
    """Near its end, forty simultaneous questions to two copies make one refresh: a refresh token works only once."""
    before = await copies.stores[0].installed(HERE)
    now.advance(hours=10, minutes=30)
    askers = [Authorizer(store, now) for store in copies.stores]
    found = await asyncio.gather(*(asker.at(HERE) for asker in askers for _ in range(20)))
    assert copies.refreshes() == 1
    assert before is not None
    assert all(result is not None for result in found)
    now.advance(minutes=11)
    later = [await asker.at(HERE) for asker in askers]
    assert len({result.bot_token for result in later if result}) == 1
    assert later[0] is not None
    assert later[0].bot_token != before.bot_token
    assert copies.refreshes() == 1


@pytest.mark.parametrize("is_back", [False, True])
async def test_an_app_that_is_removed_as_its_token_is_refreshed_leaves_none_behind(
    copies: Copies, now: FakeClock, monkeypatch: pytest.MonkeyPatch, *, is_back: bool
):
    """The refresh brought back what was forgotten, or put its token in the place of a new installation's."""
    now.advance(hours=10, minutes=30)
    here, there = copies.stores

    async def removed() -> None:
        await there.forget_made_until(None, TEAM, now())
        if is_back:
            now.advance(minutes=1)
            await there.async_save(Installation(team_id=TEAM, user_id=MINSU, bot_token="xoxb-" + "new"))

    found, _ = await beside(monkeypatch, (Installations, "_may_refresh"), here.installed(HERE), removed())
    assert copies.refreshes() == 1
    assert (found and found.bot_token) == ("xoxb-" + "new" if is_back else None)
    later = await there.installed(HERE)
    assert (later and later.bot_token) == (found and found.bot_token)


async def test_a_failed_refresh_is_tried_again_and_nobody_is_locked_out(copies: Copies, slack, now: FakeClock):
    """While the old token lives it serves; a minute later another attempt is made."""
    slack.fail("oauth.v2.access", error="internal_error", times=1)
    now.advance(hours=11)
    assert await copies.stores[0].installed(HERE) is not None
    now.advance(minutes=2)
    renewed = await copies.stores[1].installed(HERE)
    assert renewed is not None
    assert renewed.bot_token_expires_at is not None
    assert renewed.bot_token_expires_at > now().timestamp() + 11 * 3600


async def test_a_token_ends_by_slacks_clock_whatever_ours_said(copies: Copies, now: FakeClock):
    """Refreshed by a clock eleven hours ahead that was put right: it was used for nine hours after its end."""
    renewed = await copies.ahead(timedelta(hours=11)).installed(HERE)
    assert copies.refreshes() == 1
    assert renewed is not None
    assert renewed.bot_token_expires_at is not None
    assert abs(renewed.bot_token_expires_at - now().timestamp() - 12 * 3600) < 300


async def test_a_job_finds_a_workspace_inside_an_organization(storage: Storage, copies: Copies, now: FakeClock):
    """A job knows the workspace's id, not the organization's; that is enough."""
    await copies.stores[0].async_save(
        Installation(enterprise_id="E1", team_id="T0OTHER001", user_id="U9", bot_token="xoxb-" + "other")
    )
    found = await copies.stores[1].installed(Place(None, "T0OTHER001"))
    assert found is not None
    assert found.bot_token == "xoxb-" + "other"


async def test_states_expire(storage: Storage, clock: FakeClock):
    """An installation left lying for ten minutes starts over."""
    states = States(storage, clock)
    state = await states.async_issue()
    clock.advance(minutes=10)
    assert not await states.async_consume(state)


async def test_installations_nobody_went_on_with_leave_nothing_behind(storage: Storage, clock: FakeClock):
    """Anybody may open the install page, and most who do never come back: not a search engine's robot, every day."""
    states = States(storage, clock)
    for _ in range(3):
        await states.async_issue()
        clock.advance(minutes=10)
    async with storage.reading() as store:
        left = await store.oauth_states._db.scalars(select(oauth_states.c.expires_at))
        assert len(left.all()) == 1


async def test_one_of_many_parallel_redirects_wins(storage: Storage, clock: FakeClock):
    """Consuming a state is one statement, so it cannot be consumed twice."""
    states = States(storage, clock)
    state = await states.async_issue()
    won = await asyncio.gather(*(states.async_consume(state) for _ in range(5)))
    assert sorted(won) == [False, False, False, False, True]
