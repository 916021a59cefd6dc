"""The mailbox of a stage: the mail that was sent, for the page and over HTTP. Nothing ever leaves this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from demo.mail import Mail, MailSink

Json = dict[str, Any]
# A mail is shown as any mail program shows one: no script, no form, nothing fetched from anywhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


@dataclass(slots=True)
class Mailbox:
    """What the sink has kept, numbered from 1, and what of it was read; `when_changed` is called after each change."""

    sink: MailSink
    when_changed: Callable[[], None] | None = None
    when_arrived: Callable[[Mail], None] | None = None
    _read: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sink.when_kept = self._kept

    def letters(self) -> list[Json]:
        """Every mail, oldest first, without its HTML."""
        return [
            {
                "id": number,
                "at": mail.at.timestamp() if mail.at else 0,
                "from": mail.sent_by,
                "to": list(mail.recipients),
                "subject": mail.subject,
                "text": mail.text,
                "has_html": mail.html is not None,
                "is_read": number in self._read,
            }
            for number, mail in enumerate(self.sink.kept, start=1)
        ]

    def routes(self) -> list[web.RouteDef]:
        """`GET /_sim/mail`, `GET /_sim/mail/3/html`, and `POST /_sim/mail/read` with `{"id": 3}`."""
        return [
            web.get("/_sim/mail", self._told),
            web.get(r"/_sim/mail/{number:\d{1,9}}/html", self._shown),
            web.post("/_sim/mail/read", self._marked),
        ]

    def _kept(self, mail: Mail) -> None:
        if self.when_arrived is not None:
            self.when_arrived(mail)
        self._changed()

    def _changed(self) -> None:
        if self.when_changed is not None:
            self.when_changed()

    def _numbered(self, number: int) -> Mail:
        kept = self.sink.kept
        if not 1 <= number <= len(kept):
            raise web.HTTPNotFound(text="there is no such mail")
        return kept[number - 1]

    async def _told(self, _: web.Request) -> web.Response:
        mails = zip(self.letters(), self.sink.kept, strict=True)
        return web.json_response({"mail": [letter | {"html": mail.html} for letter, mail in mails]})

    async def _shown(self, request: web.Request) -> web.Response:
        html = self._numbered(int(request.match_info["number"])).html
        if html is None:
            raise web.HTTPNotFound(text="this mail has no HTML")
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return web.Response(text=html, content_type="text/html", charset="utf-8", headers=headers)

    async def _marked(self, request: web.Request) -> web.Response:
        told = await request.json()
        number = told.get("id") if isinstance(told, dict) else None
        if not isinstance(number, int):
            return web.json_response({"ok": False, "error": 'say {"id": 3}'}, status=400)
        self._numbered(number)
        self._read.add(number)
        self._changed()
        return web.json_response({"ok": True})
