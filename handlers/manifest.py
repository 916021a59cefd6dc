"""The manifest: what we ask of Slack, written once for Socket Mode, from which the HTTP form follows.

`.venv/bin/python -m handlers.manifest` writes manifest.http.yml again after manifest.yml changed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent.parent / "manifest.yml"
HTTP_TWIN = SOURCE.with_name("manifest.http.yml")
# The address stands in for the operator's own: `python3 run.py run manifest` prints the form with FINOPS_PUBLIC_URL.
EXAMPLE_URL = "https://finops.example.com"
EVENTS_PATH = "/slack/events"
REDIRECT_PATH = "/slack/oauth_redirect"


def socket_manifest() -> dict[str, Any]:
    """The manifest as it stands in manifest.yml."""
    import yaml  # late: a running bot seldom reads its manifest

    loaded = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def http_manifest(public_url: str = EXAMPLE_URL) -> dict[str, Any]:
    """The same app reached by HTTP: one address carries commands, buttons, options and events."""
    address = public_url.rstrip("/") + EVENTS_PATH
    manifest = socket_manifest()
    for command in manifest["features"]["slash_commands"]:
        command["url"] = address
    settings = manifest["settings"]
    settings["event_subscriptions"]["request_url"] = address
    settings["interactivity"] |= {"request_url": address, "message_menu_options_url": address}
    settings["socket_mode_enabled"] = False
    manifest["oauth_config"]["redirect_urls"] = [public_url.rstrip("/") + REDIRECT_PATH]
    return manifest


def scopes() -> list[str]:
    """The bot scopes an installation must grant; the optional ones are asked for by the manifest alone."""
    granted = socket_manifest()["oauth_config"]["scopes"]["bot"]
    return [str(scope) for scope in granted]


def as_text(manifest: dict[str, Any]) -> str:
    """A manifest as YAML that can be pasted into Slack."""
    import yaml  # late, as above

    return yaml.safe_dump(manifest, allow_unicode=True, sort_keys=False, width=120)


def twin_text() -> str:
    """What manifest.http.yml holds."""
    return (
        "# Written from manifest.yml by `.venv/bin/python -m handlers.manifest`; put your own address in the place of "
        f"{EXAMPLE_URL}.\n" + as_text(http_manifest())
    )


def main() -> int:
    HTTP_TWIN.write_text(twin_text(), encoding="utf-8")
    sys.stdout.write(f"{HTTP_TWIN.name} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
