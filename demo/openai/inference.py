"""Inference: calls to a model as an application makes them, refused as the provider refuses when a lever says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from demo.openai.answers import Refused, answer, body_of, text_field
from demo.openai.levers import Levers
from demo.openai.organization import DEFAULT_REQUESTS_PER_MINUTE, Organization, Project, digest
from demo.trace import Usage
from finops.periods import minute_of

_CHARACTERS_PER_TOKEN = 4
_REPLY = "This is a simulated answer."


class Inference:
    """The model endpoints of one organization. Every answered call is usage, and is billed."""

    def __init__(self, organization: Organization, levers: Levers) -> None:
        self.organization = organization
        self.levers = levers
        self._calls: dict[tuple[str, str, int], int] = {}

    async def complete(self, request: web.Request, project: Project, now: datetime) -> web.Response:
        """Answer `/v1/chat/completions`, or refuse: spend limits first, then permissions, then rate limits."""
        body = await body_of(request)
        model, minute = text_field(body, "model"), minute_of(now)
        try:
            self._refuse_spending(project, minute)
            self._refuse_model(project, model, now)
            self._refuse_haste(project, model, minute)
        except Refused as refused:
            self.levers.refuse(project, minute, refused.status)
            raise
        usage = Usage(1, _tokens(body.get("messages")), 0, _tokens(_REPLY))
        self.levers.traffic.record((project.application, model), minute, usage)
        return answer(_completion(model, usage, now))

    def _refuse_spending(self, project: Project, minute: int) -> None:
        if self.levers.blocks(project, minute):
            raise _over("project", project.id)
        if self.levers.organization_blocks(minute):
            raise _over("organization", self.organization.id)

    def _refuse_model(self, project: Project, model: str, now: datetime) -> None:
        if self.levers.prices.rates(model, now.date()) is None or not self.levers.permits(project, model):
            message = f"Project `{project.id}` does not have access to model `{model}`"
            raise Refused(403, message, code="model_not_found")

    def _refuse_haste(self, project: Project, model: str, minute: int) -> None:
        limits = project.rate_limits.get(model, {})
        most = limits.get("max_requests_per_1_minute", DEFAULT_REQUESTS_PER_MINUTE)
        self._calls = {key: made for key, made in self._calls.items() if key[2] == minute}
        made = self._calls.get((project.id, model, minute), 0)
        if made >= most:
            message = (
                f"Rate limit reached for {model} in organization {self.organization.id} on requests per min (RPM): "
                f"Limit {most}, Used {made}, Requested 1. Please try again in 1s."
            )
            raise Refused(429, message, kind="requests", code="rate_limit_exceeded")
        left = self.levers.left_today(project, model, minute)
        if left is not None and left <= made:
            message = (
                f"Rate limit reached for {model} in organization {self.organization.id} on requests per day (RPD): "
                f"Limit {limits['max_requests_per_1_day']}, Requested 1. Please try again tomorrow."
            )
            raise Refused(429, message, kind="requests", code="rate_limit_exceeded")
        self._calls[project.id, model, minute] = made + 1


def _over(level: str, identifier: str) -> Refused:
    message = f"The {level} '{identifier}' has reached its monthly spend limit. Raise or remove the limit to continue."
    return Refused(429, message, kind="insufficient_quota", code=f"{level}_spend_limit_exceeded")


def _tokens(words: Any) -> int:
    return max(1, len(str(words or "")) // _CHARACTERS_PER_TOKEN)


def _completion(model: str, usage: Usage, now: datetime) -> Mapping[str, Any]:
    return {
        "id": f"chatcmpl-{digest(f'{model}{now.isoformat()}', 24)}",
        "object": "chat.completion",
        "created": int(now.timestamp()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": _REPLY, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        },
        "service_tier": "default",
    }
