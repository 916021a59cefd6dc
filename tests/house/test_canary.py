"""The canary: a whole onboarding at debug level, failures included, and no secret where it should not be."""

from __future__ import annotations

import io
import json
from pathlib import Path

import aiohttp
import pytest

from demo.onboarding import Wish, onboard, settled_view
from finops.secret import Secret
from storage import KeyRing, open_storage
from storage.errors import SecretUnreadable
from tests.e2e.stages import JIHOON, MARKETING, MINSU, ids, scene
from tests.integration.test_front_door import log_lines

__all__ = ["log_lines"]


async def test_no_secret_is_found_where_it_should_not_be(tmp_path: Path, log_lines: io.StringIO):
    """Keys registered, refused, pasted where they do not belong, and sent to a failing provider stay sealed.

    Looked through: every log line, everything we said to Slack, the metrics, every byte of the database.
    """
    canaries: set[str] = set()
    async with scene(f"sqlite:///{tmp_path / 'finops.sqlite3'}") as stage:
        config, props = stage.slack.config, stage.props
        canaries |= {config.bot_token, config.app_token, config.signing_secret, props.ring.partition(":")[2]}
        canaries |= {props.data_team_key, props.marketing_key, props.revoked_key}
        jihoon = stage.slack.person(JIHOON)
        await jihoon.command(f"/finops key {props.marketing_key}", MARKETING)
        await jihoon.says(jihoon.dm, f"이 키로 해 줘 {props.revoked_key}")
        await jihoon.command("/finops setup")
        await settled_view(stage.slack, jihoon)
        await jihoon.submits(None, {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING})
        await settled_view(stage.slack, jihoon)
        await jihoon.submits(None, {ids.KEY: props.revoked_key})
        await settled_view(stage.slack, jihoon)
        jihoon.closes(everything=True)
        await onboard(stage, jihoon, Wish("마케팅팀", MARKETING, MINSU, props.marketing_key), lambda _: None)
        async with aiohttp.ClientSession() as session, session.get(f"{stage.url}/metrics") as answer:
            metrics = await answer.text()
        await stage.slack.settled()
        said = [json.dumps([call.args, call.response], ensure_ascii=False, default=str) for call in stage.slack.calls]
        answers = [json.dumps(each.answer, ensure_ascii=False, default=str) for each in stage.slack.deliveries]
    written = log_lines.getvalue()
    assert len(written.splitlines()) > 100, "the journey should leave debug lines"
    stored = bytes_in(tmp_path)
    for canary in canaries:
        assert canary not in written
        assert canary not in metrics
        assert not [text for text in (*said, *answers) if canary in text and "apps.connections.open" not in text]
        assert canary.encode() not in stored
    await _opens_with_its_key_only(tmp_path, props.ring, props.marketing_key)


async def _opens_with_its_key_only(folder: Path, ring: str, key: str) -> None:
    """The test looked at the right place: the key is in there, and another master key does not open it."""
    url = f"sqlite:///{folder / 'finops.sqlite3'}"
    async with open_storage(url, KeyRing.from_text(ring)) as storage, storage.reading() as store:
        connection = (await store.connections.everywhere())[0]
        assert [secret for _, secret in await store.credentials.usable(connection.workspace_id, connection.id)] == [
            Secret(key)
        ]
    stranger = KeyRing.generate(ring.partition(":")[0])
    async with open_storage(url, stranger) as storage, storage.reading() as store:
        with pytest.raises(SecretUnreadable) as refusal:
            await store.credentials.usable(connection.workspace_id, connection.id)
    assert key not in str(refusal.value)


def bytes_in(folder: Path) -> bytes:
    """Everything the database left on disk, its journal included."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
