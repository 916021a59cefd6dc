"""Who is calling, for which workspace; OAuth; and letting go again."""

from __future__ import annotations

import base64
import binascii
import hmac

from demo.slack.api.request import Request, method
from demo.slack.limits import Tier
from demo.slack.tokens import rotation_fields
from demo.slack.wire import JSON, ApiError


@method("api.test", Tier.FOUR, token=None)
async def api_test(request: Request) -> JSON:
    """Echo, or fail on request."""
    error = request.args.string("error")
    echoed = {name: value for name, value in request.args.values.items() if name != "token"}
    if error:
        raise ApiError(error, args=echoed)
    return {"args": echoed}


@method("auth.test", Tier.MANY)
async def auth_test(request: Request) -> JSON:
    """Say who the token is."""
    world = request.world
    app = world.config.app
    user = world.users[app.bot_user_id]
    answer: JSON = {
        "url": f"https://{world.team_domain}.slack.com/",
        "team": world.team_name,
        "user": user.name,
        "team_id": world.team_id,
        "user_id": user.id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }
    expires = request.token.expires_at
    if expires is not None:
        answer["expires_in"] = int((expires - world.clock()).total_seconds())
    return answer


@method("auth.revoke", Tier.THREE, takes_json=False)
async def auth_revoke(request: Request) -> JSON:
    """Take the calling token back; the app hears of it."""
    if request.args.flag("test"):
        return {"revoked": False}
    request.token.revoked = True
    request.hub.happened({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [request.bot_user_id]}})
    return {"revoked": True}


@method("auth.teams.list", Tier.TWO)
async def auth_teams_list(request: Request) -> JSON:
    """The workspaces the token reaches: this one."""
    world = request.world
    return {"teams": [{"id": world.team_id, "name": world.team_name}], "response_metadata": {"next_cursor": ""}}


@method("apps.uninstall", Tier.ONE, takes_json=False)
async def apps_uninstall(request: Request) -> JSON:
    """Take the app out of the workspace; every token stops working."""
    client_id, secret = request.args.string("client_id"), request.args.string("client_secret")
    _check_client(request, client_id, secret)
    request.hub.uninstall()
    return {}


@method("apps.connections.open", Tier.THREE, "connections:write", token="app")  # noqa: S106 - a kind of token
async def connections_open(request: Request) -> JSON:
    """A WebSocket address for Socket Mode, good for one connection."""
    return {"url": request.hub.socket.ticket()}


@method("team.info", Tier.THREE, "team:read", takes_json=False)
async def team_info(request: Request) -> JSON:
    """The workspace."""
    world = request.world
    asked = request.args.string("team")
    if asked not in (None, world.team_id):
        raise ApiError("team_not_found")
    team = {"id": world.team_id, "name": world.team_name, "domain": world.team_domain}
    team["url"] = f"https://{world.team_domain}.slack.com/"
    return {"team": {**team, "email_domain": "", "icon": {"image_default": True}, "avatar_base_url": ""}}


@method("oauth.v2.access", Tier.MANY, token=None, takes_json=False)
async def oauth_v2_access(request: Request) -> JSON:
    """Exchange a code, or a refresh token, for an access token."""
    client_id, secret = _basic(request.headers.get("authorization"))
    _check_client(
        request, client_id or request.args.string("client_id"), secret or request.args.string("client_secret")
    )
    world, tokens = request.world, request.hub.tokens
    grant = request.args.string("grant_type") or "authorization_code"
    answer: JSON = {
        "app_id": world.config.app.app_id,
        "team": {"id": world.team_id, "name": world.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
        "token_type": "bot",
        "bot_user_id": world.config.app.bot_user_id,
    }
    if grant == "refresh_token":
        token, refresh = tokens.rotate(request.args.string("refresh_token") or "")
    elif grant == "authorization_code":
        code = request.args.string("code")
        if code is None:
            raise ApiError("invalid_code")
        token, refresh, installer = tokens.exchange(code, request.args.string("redirect_uri"))
        answer["authed_user"] = {"id": installer}
    else:
        raise ApiError("invalid_grant_type")
    return {
        **answer,
        "access_token": token.value,
        "scope": ",".join(token.scopes),
        **rotation_fields(token, refresh, world.clock),
    }


def _basic(header: str | None) -> tuple[str | None, str | None]:
    if not header or not header.lower().startswith("basic "):
        return None, None
    try:
        decoded = base64.b64decode(header[6:], validate=True).decode()
    except (ValueError, binascii.Error):
        return None, None
    client_id, _, secret = decoded.partition(":")
    return client_id, secret


def _check_client(request: Request, client_id: str | None, secret: str | None) -> None:
    config = request.world.config
    if client_id != config.client_id:
        raise ApiError("invalid_client_id")
    if not hmac.compare_digest(secret or "", config.client_secret):
        raise ApiError("bad_client_secret")
