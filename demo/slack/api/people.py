"""People and user groups."""

from __future__ import annotations

from demo.slack.api.request import Request, method, page
from demo.slack.cast import User, UserGroup
from demo.slack.limits import Tier
from demo.slack.state import World
from demo.slack.wire import JSON, ApiError

_NOT_OF_THE_DEACTIVATED = frozenset(
    {
        "color", "real_name", "tz", "tz_label", "tz_offset", "is_admin", "is_owner", "is_primary_owner",
        "is_restricted", "is_ultra_restricted", "is_email_confirmed",
    }
)  # fmt: skip


def user_json(request: Request, user: User, *, with_locale: bool) -> JSON:
    """A person as `users.info` tells; the address only with its scope, the locale only when asked for."""
    return described(request.world, user, with_email=request.has("users:read.email"), with_locale=with_locale)


def described(world: World, user: User, *, with_email: bool, with_locale: bool) -> JSON:
    """A person as Slack describes them, in an answer or in `user_change`. Of the deactivated it tells less."""
    home = user.team_id or world.team_id
    profile: JSON = {
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.real_name if not user.is_bot else "",
        "display_name_normalized": user.real_name if not user.is_bot else "",
        "team": home,
        "avatar_hash": "g0000000",
    }
    if with_email and user.email:
        profile["email"] = user.email
    if user.is_bot:
        profile |= {"bot_id": world.config.app.bot_id, "api_app_id": world.config.app.app_id}
    told: JSON = {
        "id": user.id,
        "team_id": home,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": user.tz_offset,
        "profile": profile,
        "is_admin": user.is_admin or user.is_owner,
        "is_owner": user.is_owner,
        "is_primary_owner": user.is_owner,
        "is_restricted": user.is_restricted or user.is_ultra_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": int(world.clock().timestamp()),
        "is_email_confirmed": not user.is_bot,
    }
    if user.deleted:
        told = {name: value for name, value in told.items() if name not in _NOT_OF_THE_DEACTIVATED}
    if user.is_stranger:
        told["is_stranger"] = True
    if user.enterprise_id:
        told["enterprise_user"] = {"id": user.id, "enterprise_id": user.enterprise_id, "teams": [home]}
    if with_locale:
        told["locale"] = user.locale
    return told


@method("users.info", Tier.FOUR, "users:read", takes_json=False)
async def users_info(request: Request) -> JSON:
    """One person."""
    user = request.world.users.get(request.args.string("user") or "")
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user_json(request, user, with_locale=request.args.flag("include_locale"))}


@method("users.list", Tier.TWO, "users:read", takes_json=False)
async def users_list(request: Request) -> JSON:
    """Everybody."""
    with_locale = request.args.flag("include_locale")
    users, metadata = page(request, list(request.world.users.values()), 1000, 1000)
    members = [user_json(request, user, with_locale=with_locale) for user in users]
    return {"members": members, "cache_ts": int(request.world.clock().timestamp()), "response_metadata": metadata}


@method("users.lookupByEmail", Tier.THREE, "users:read.email", takes_json=False)
async def users_lookup_by_email(request: Request) -> JSON:
    """The person with an address."""
    email = request.args.required("email").lower()
    for user in request.world.users.values():
        if user.email.lower() == email and not user.deleted:
            return {"user": user_json(request, user, with_locale=False)}
    raise ApiError("users_not_found")


@method("users.conversations", Tier.THREE, "channels:read", "groups:read", "im:read", "mpim:read", takes_json=False)
async def users_conversations(request: Request) -> JSON:
    """The conversations a person, by default the app, is in."""
    from demo.slack.api.conversations import channel_json, of_types

    user_id = request.args.string("user") or request.bot_user_id
    request.world.user(user_id)
    mine = [channel for channel in of_types(request) if user_id in channel.members]
    found, metadata = page(request, mine, 100, 999)
    return {"channels": [channel_json(request, channel) for channel in found], "response_metadata": metadata}


@method("bots.info", Tier.THREE, "users:read", takes_json=False)
async def bots_info(request: Request) -> JSON:
    """The app's bot."""
    app = request.world.config.app
    if request.args.string("bot") not in (None, app.bot_id):
        raise ApiError("bot_not_found")
    return {
        "bot": {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.app_id, "user_id": app.bot_user_id}
    }


def group_json(request: Request, group: UserGroup, *, with_users: bool) -> JSON:
    """A user group as `usergroups.list` tells."""
    told: JSON = {
        "id": group.id,
        "team_id": request.world.team_id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_delete": 1 if group.is_disabled else 0,
        "user_count": str(len(group.users)),
        "prefs": {"channels": [], "groups": []},
    }
    if with_users:
        told["users"] = list(group.users)
    return told


@method("usergroups.list", Tier.TWO, "usergroups:read", takes_json=False)
async def usergroups_list(request: Request) -> JSON:
    """Every user group."""
    disabled = request.args.flag("include_disabled")
    with_users = request.args.flag("include_users")
    groups = [group for group in request.world.groups.values() if disabled or not group.is_disabled]
    return {"usergroups": [group_json(request, group, with_users=with_users) for group in groups]}


@method("usergroups.users.list", Tier.TWO, "usergroups:read", takes_json=False)
async def usergroups_users_list(request: Request) -> JSON:
    """The people of a user group."""
    group = request.world.groups.get(request.args.required("usergroup"))
    if group is None or (group.is_disabled and not request.args.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}
