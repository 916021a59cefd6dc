"""The Web API, one module a family; importing this fills the table of methods."""

from __future__ import annotations

from demo.slack.api import auth, chat, conversations, extras, people, views
from demo.slack.api.request import METHODS, Method, Request

__all__ = ["METHODS", "Method", "Request", "auth", "chat", "conversations", "extras", "people", "views"]
