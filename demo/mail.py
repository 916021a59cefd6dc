"""A mail server on 127.0.0.1 that delivers nothing and keeps everything, with TLS and trouble on demand."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

_LONGEST_MAIL = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was handed over."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    tls_version: str | None  # None: it came in the open
    user: str | None  # who logged in

    @property
    def subject(self) -> str:
        """The subject as a reader sees it."""
        return str(self.message["Subject"])

    @property
    def sent_by(self) -> str:
        """The sender as a reader sees it, with the name."""
        return str(self.message["From"] or self.sender)

    @property
    def at(self) -> datetime | None:
        """When it was written, by its own date; None without one."""
        written = self.message["Date"]
        return None if written is None else parsedate_to_datetime(str(written))

    @property
    def text(self) -> str:
        """The body as a reader sees it who is shown plain text."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part is not None else ""

    @property
    def html(self) -> str | None:
        """The body as everybody else sees it; None where there is only plain text."""
        part = self.message.get_body(("html",))
        return str(part.get_content()) if part is not None else None


@dataclass(slots=True)
class MailSink:
    """The server. `refuse` is answered to the next mails ("451 later"), `refuse_for` each time somebody is named who
    stands there; `when_kept` is called with each mail kept."""

    tls: ssl.SSLContext | None = None  # offers STARTTLS, or speaks TLS first
    is_tls_first: bool = False
    login: tuple[str, str] | None = None  # the only user and password there is; None: nobody needs to log in
    kept: list[Mail] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)
    refuse_for: dict[str, str] = field(default_factory=dict)
    goodbye: str = "221 bye"
    greeted: list[str] = field(default_factory=list)  # the names that clients gave themselves
    when_kept: Callable[[Mail], None] | None = None
    port: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """What FINOPS_SMTP_URL says to reach it."""
        user = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"{'smtps' if self.is_tls_first else 'smtp'}://{user}127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[MailSink]:
        """Serve until the block ends; port 0 takes any free one."""
        tls = self.tls if self.is_tls_first else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=tls, limit=_LONGEST_MAIL)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def arrived(self, count: int = 1, timeout_seconds: float = 10.0) -> list[Mail]:
        """Wait until `count` mails are kept."""
        async with asyncio.timeout(timeout_seconds):
            while len(self.kept) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.kept

    def keep(self, mail: Mail) -> None:
        """Put a mail with the others."""
        self.kept.append(mail)
        self._arrived.set()
        if self.when_kept is not None:
            self.when_kept(mail)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await _Conversation(self, reader, writer).held()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


class _Conversation:
    """SMTP with one client, as far as handing over mail goes (RFC 5321, 3207, 4954)."""

    def __init__(self, sink: MailSink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._user: str | None = None

    async def held(self) -> None:
        """Answer until the client leaves."""
        await self._say("220 sink ESMTP")
        while line := await self._reader.readline():
            words = line.decode("utf-8", "replace").rstrip("\r\n")
            verb, _, rest = words.partition(" ")
            if verb.upper() == "QUIT":
                await self._say(self._sink.goodbye)
                return
            await self._answer(verb.upper(), rest)

    async def _answer(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                self._sink.greeted.append(rest)
                await self._greet()
            case "STARTTLS" if self._sink.tls is not None and not self._version:
                await self._say("220 go ahead")
                await self._writer.start_tls(self._sink.tls)
            case "AUTH":
                await self._log_in(rest)
            case "MAIL" if self._sink.login is not None and self._user is None:
                await self._say("530 log in first")
            case "MAIL":
                self._sender, self._recipients = _address(rest), []
                await self._say("250 ok")
            case "RCPT" if self._sender is not None and _address(rest) in self._sink.refuse_for:
                await self._say(self._sink.refuse_for[_address(rest)])
            case "RCPT" if self._sender is not None:
                self._recipients.append(_address(rest))
                await self._say("250 ok")
            case "DATA" if self._recipients:
                await self._take()
            case "RSET" | "NOOP":
                await self._say("250 ok")
            case _:
                await self._say("503 not now" if verb in {"RCPT", "DATA"} else "502 unknown")

    async def _greet(self) -> None:
        offers = ["sink", "8BITMIME", "SMTPUTF8"]
        if self._sink.tls is not None and not self._version:
            offers.append("STARTTLS")
        if self._sink.login is not None:
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            await self._say(f"250-{offer}")
        await self._say(f"250 {offers[-1]}")

    async def _log_in(self, rest: str) -> None:
        _, _, given = rest.partition(" ")
        _, user, password = base64.b64decode(given).decode().split("\0")
        if (user, password) != self._sink.login:
            await self._say(f"535 no such user: {user} {password}")  # servers do repeat what they heard
            return
        self._user = user
        await self._say("235 welcome")

    async def _take(self) -> None:
        await self._say("354 end with a dot")
        lines = []
        while (line := await self._reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self._sink.refuse:
            await self._say(self._sink.refuse.pop(0))
            return
        message = message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(message, EmailMessage)
        # Kept before it is confirmed, as every mail server does it.
        self._sink.keep(Mail(self._sender or "", tuple(self._recipients), message, self._version, self._user))
        await self._say("250 kept")

    @property
    def _version(self) -> str | None:
        spoken: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return spoken.version() if spoken is not None else None

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
