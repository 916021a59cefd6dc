"""A simulated OpenAI: a real server on this machine that bills a real trace and behaves, or fails, on demand.

    async with SimulatedOpenAI(read_trace(path), ListPrices(), clock) as openai:
        openai.url            # base URL ending in /v1, for the product
        openai.admin_key      # a key with every right
        openai.fail(status=429, retry_after=1, path="/v1/organization/costs", times=2)
        openai.behaviour.set({"numbers": "string", "late_hours": 6})
        openai.boost("chatbot-experiment", 15)

The same orders are taken over HTTP under `/_sim/openai/` (see control.py).
"""

from __future__ import annotations

from demo.openai.behaviour import BadSetting, Behaviour
from demo.openai.faults import BadFault, Fault
from demo.openai.organization import (
    ALL_RIGHTS,
    MANAGEMENT_READ,
    MANAGEMENT_WRITE,
    USAGE_READ,
    AdminKey,
    KeyState,
    Plan,
    fresh_admin_key,
    project_id,
)
from demo.openai.server import Call, SimulatedOpenAI
from demo.openai.usage import Deed

__all__ = [
    "ALL_RIGHTS",
    "MANAGEMENT_READ",
    "MANAGEMENT_WRITE",
    "USAGE_READ",
    "AdminKey",
    "BadFault",
    "BadSetting",
    "Behaviour",
    "Call",
    "Deed",
    "Fault",
    "KeyState",
    "Plan",
    "SimulatedOpenAI",
    "fresh_admin_key",
    "project_id",
]
