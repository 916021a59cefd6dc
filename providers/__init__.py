"""Where bills come from. A new provider is one file here and one line in PROVIDERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from providers.contract import Provider
from providers.openai import OpenAI

# How a provider is opened: the shared client, its base URL, and the clock.
Open = Callable[[httpx.AsyncClient, str, Callable[[], datetime]], Provider]

PROVIDERS: Mapping[str, Open] = {"openai": OpenAI}
