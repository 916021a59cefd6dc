"""What Slack's client raises when Slack does not do what it was asked to: it refuses, hangs up, or does not answer."""

from __future__ import annotations

import aiohttp
from slack_sdk.errors import SlackApiError

SLACK_FAILS = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)
