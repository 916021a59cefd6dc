"""What Slack may answer to a message on its way: each documented refusal has a meaning, none is met by surprise."""

from __future__ import annotations

import json

import pytest
from slack_sdk.errors import SlackApiError

from jobs.delivery_errors import Trouble, judged
from tests.conftest import DATA

# Only a mistake of ours could bring these about: what we send has text, metadata of ours, and no files, attachments,
# drafts or names of other senders. They are tried for a while, logged and counted by the check-up.
OURS = {
    "as_user_not_supported", "attachment_payload_limit_exceeded", "blocked_file_type", "cant_broadcast_message",
    "deprecated_endpoint", "draft_already_deleted", "draft_already_sent", "draft_has_conflict", "draft_not_found",
    "duplicate_channel_not_found", "duplicate_message_not_found", "file_deleted", "file_is_deleted", "file_not_found",
    "file_share_limit_reached", "invalid_arg_name", "invalid_array_arg", "invalid_attachments", "invalid_charset",
    "invalid_form_data", "invalid_metadata_format", "invalid_metadata_schema", "invalid_post_type", "is_bot",
    "markdown_text_conflict", "max_file_sharing_exceeded", "metadata_must_be_sent_from_app", "metadata_too_large",
    "method_deprecated", "missing_file_data", "missing_post_type", "no_dual_broadcast_content_update", "no_text",
    "posting_to_channel_denied", "send_on_behalf_not_allowed", "slack_connect_blocked_file_type",
    "slack_connect_clip_sharing_blocked", "slack_connect_file_upload_sharing_blocked", "too_many_contact_cards",
    "too_many_users", "unable_to_share_files", "unknown_method", "users_list_not_supplied",
}  # fmt: skip
DOCUMENTED = json.loads((DATA / "slack_refusals.json").read_text())


def verdict_on(code: str) -> Trouble:
    return judged(SlackApiError(code, {"ok": False, "error": code})).trouble


@pytest.mark.parametrize("method", ["every method", "chat.postMessage", "chat.update", "conversations.open"])
def test_every_documented_refusal_was_thought_of(method: str) -> None:
    """What is REFUSED is given up after a while: right for our mistakes, and an alert lost for anything else."""
    unthought = {code for code in DOCUMENTED[method] if verdict_on(code) is Trouble.REFUSED}
    assert unthought - OURS == set()


def test_our_mistakes_are_not_taken_for_anothers() -> None:
    found = {code: verdict_on(code) for code in sorted(OURS)}
    assert {code: it for code, it in found.items() if it not in (Trouble.REFUSED, Trouble.TOO_RICH)} == {}
