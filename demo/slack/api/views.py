"""Modals and Home: opening, pushing, updating, publishing."""

from __future__ import annotations

from demo.slack.api.request import Request, method
from demo.slack.content import read_view
from demo.slack.limits import Tier
from demo.slack.state import View
from demo.slack.wire import JSON, ApiError, copied


def _view_argument(request: Request, *kinds: str) -> JSON:
    given = request.args.structure("view", ApiError.arguments("view must be valid JSON"))
    if given is None:
        raise ApiError.arguments("missing required field: view")
    return read_view(given, request.world, *kinds)


def _answer(view: View) -> JSON:
    return {"view": copied(view.body)}


@method("views.open", Tier.FOUR)
async def views_open(request: Request) -> JSON:
    """Open a modal with a trigger not older than three seconds."""
    given = _view_argument(request, "modal")
    trigger_id = request.args.string("trigger_id") or request.args.string("interactivity_pointer")
    request.hub.views.external_id_is_free(given, None)
    trigger = request.hub.triggers.spend(trigger_id)
    return _answer(request.hub.views.open(trigger.user_id, given))


@method("views.push", Tier.FOUR)
async def views_push(request: Request) -> JSON:
    """Put a modal on top of the one the trigger came from."""
    given = _view_argument(request, "modal")
    request.hub.views.external_id_is_free(given, None)
    trigger_id = request.args.string("trigger_id") or request.args.string("interactivity_pointer")
    trigger = request.hub.triggers.look(trigger_id)
    if not trigger.from_modal:
        raise ApiError("invalid_trigger_id")
    request.hub.views.room_for_another(trigger.user_id)
    request.hub.triggers.spend(trigger_id)
    return _answer(request.hub.views.push(trigger.user_id, given))


@method("views.update", Tier.FOUR)
async def views_update(request: Request) -> JSON:
    """Change an open view, by its id or the app's own `external_id`."""
    given = _view_argument(request, "modal", "home")
    view_id, external_id = request.args.string("view_id"), request.args.string("external_id")
    if (view_id is None) == (external_id is None):
        raise ApiError.arguments("must provide exactly one of: view_id, external_id")
    view = request.hub.views.find(view_id, external_id)
    if view.body["type"] != given["type"]:
        raise ApiError.arguments("the type of a view cannot change [json-pointer:/view/type]")
    _same_version(request, view)
    request.hub.views.external_id_is_free(given, view.id)
    return _answer(request.hub.views.replace(view, given))


@method("views.publish", Tier.FOUR)
async def views_publish(request: Request) -> JSON:
    """Show a person's Home."""
    user_id = request.args.required("user_id")
    given = _view_argument(request, "home")
    user = request.world.users.get(user_id)
    if user is None or user.is_bot:
        raise ApiError.arguments("invalid user_id")
    if not request.world.config.app.home_tab_enabled:
        raise ApiError("not_enabled")
    current = request.world.homes.get(user_id)
    if current is not None:
        _same_version(request, current)
    elif request.args.string("hash") is not None:
        raise ApiError("hash_conflict")
    request.hub.views.external_id_is_free(given, current.id if current else None)
    return _answer(request.hub.views.publish(user_id, given))


def _same_version(request: Request, view: View) -> None:
    known = request.args.string("hash")
    if known is not None and known != view.body["hash"]:
        raise ApiError("hash_conflict")
