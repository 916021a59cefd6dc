"""E-mail: Monday's digest once more, and alerts that Slack does not take. Nothing is said before TLS is spoken."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import smtplib
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.header import Header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from bot import Clock
from bot.settings import Settings
from finops.frozen import frozen
from finops.secret import Secret

log = logging.getLogger(__name__)

SMTPS_PORT, SUBMISSION_PORT = 465, 587
# What an address ends with whose server may speak TLS 1.2; `bot.readers.smtp_address` lets nothing else through.
OLDER_TLS = "tls=1.2"
# For each step of the conversation.
STEP_SECONDS = 10.0
# Refused with one of these is refused for good; with any other, for now.
_FOR_GOOD = range(500, 600)
_GOES_AWAY = 421
# A mailbox that is full says "for now" for weeks; a server that lets strangers wait takes them within an hour.
_INSIST = timedelta(hours=4)
# Of so many mails at most it is kept whom they need not be sent to again.
_MOST_KEPT = 100


class MailTrouble(Exception):
    """The mail did not go; the text is for the log and repeats no secret."""


class _Written(EmailPolicy):
    """How a mail crosses the wire: in seven bits, for no server has to take eight, and one that must change a mail
    breaks its signature; and with words folded by us, for Python loses the space between two encoded ones until 3.13.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if value.isascii():
            return super().fold_binary(name, value)
        if isinstance(value, AddressHeader):
            written = f",{self.linesep} ".join(self._address(one) for one in value.addresses)
        else:
            written = self._words(value)
        return f"{name}: {written}{self.linesep}".encode()

    def _address(self, one: Address) -> str:
        words = one.display_name
        return str(one) if words.isascii() else f"{self._words(words)}{self.linesep} <{one.addr_spec}>"

    def _words(self, words: str) -> str:
        return Header(words, "utf-8", header_name="Subject").encode(linesep=self.linesep)


_WRITTEN = _Written(linesep="\r\n", cte_type="7bit")


@frozen
class MailServer:
    """Where mail is handed over. `is_tls_first`: TLS from the first byte (smtps), else STARTTLS (smtp).

    `takes_tls_1_2`: the operator named this server as an exception to TLS 1.3.
    """

    host: str
    port: int
    is_tls_first: bool
    user: str | None = None
    password: Secret | None = None
    takes_tls_1_2: bool = False

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """`smtps://user:password@host:465` or `smtp://host:587`; user and password percent-encoded.

        `?tls=1.2` at its end names the server as an exception to TLS 1.3.
        """
        parts = urlsplit(url)
        is_tls_first = parts.scheme == "smtps"
        return cls(
            parts.hostname or "",
            parts.port or (SMTPS_PORT if is_tls_first else SUBMISSION_PORT),
            is_tls_first,
            unquote(parts.username) if parts.username else None,
            Secret(unquote(parts.password)) if parts.password else None,
            parts.query == OLDER_TLS,
        )


def mail_tls(ca_file: str | None = None, *, takes_tls_1_2: bool = False) -> ssl.SSLContext:
    """Certificates are verified (against `ca_file` instead of the system's, if given) and TLS is at least 1.3.

    With `takes_tls_1_2`, 1.2 where the server has nothing newer, and never less.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if takes_tls_1_2 else ssl.TLSVersion.TLSv1_3
    return context


class Mailer:
    """Sends a mail to everybody who is to know of alerts."""

    def __init__(
        self,
        server: MailServer,
        sender: str,
        recipients: Collection[str],
        clock: Clock,
        *,
        plaintext_hosts: Collection[str] = (),
        ca_file: str | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        # Whom the server talks to: a container knows itself as `[127.0.0.1]` alone, which Google's relay refuses.
        self._domain = parseaddr(sender)[1].rpartition("@")[2]
        self._recipients = tuple(recipients)
        self._clock = clock
        self._is_plain = server.host in plaintext_hosts
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._is_exception_told = False
        # By the key of a mail that some have and others were refused for now: since when, and who is settled.
        self._settled: dict[str, tuple[datetime, set[str]]] = {}

    async def send(self, subject: str, body: str, key: str, html: str | None = None) -> None:
        """Send one mail; raises MailTrouble. The same `key` is the same Message-ID: a repeated mail is seen as one.

        `html` says the same as `body` and is shown in its place by readers that can. Where a server takes it for some
        and not for others yet, that is MailTrouble, and sent again it goes to those others alone; after some hours it
        ends without them.
        """
        mail = EmailMessage(policy=_WRITTEN)
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._recipients)
        mail["Subject"] = " ".join(subject.split())
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # no out-of-office answers, please
        # Base64: lines of HTML are longer than mail allows, and a server that sees them may break them anywhere.
        mail.set_content(body, cte="base64" if html is not None else None)
        if html is not None:
            mail.add_alternative(html, subtype="html", cte="base64")
        _, settled = self._settled.get(key, (None, set()))
        asked = [who for one in self._recipients if (who := parseaddr(one)[1]) not in settled]
        # A thread: smtplib waits for sockets, and nobody else shall.
        self._judge(key, asked, await asyncio.to_thread(self._hand_over, mail, asked))

    def _judge(self, key: str, asked: Sequence[str], refused: Mapping[str, int]) -> None:
        """Raises MailTrouble unless somebody has the mail by now and it is no use to ask again for anybody else."""
        codes = " ".join(str(code) for code in sorted(set(refused.values())))
        waiting = {who for who, code in refused.items() if code not in _FOR_GOOD}
        since, settled = self._settled.get(key, (self._clock(), set()))
        waits = bool(waiting) and self._clock() < since + _INSIST
        if len(refused) == len(asked) and (waits or key not in self._settled):
            raise MailTrouble(f"SMTPRecipientsRefused {codes}")
        if refused:
            log.warning("mail refused for some", extra={"count": len(refused), "codes": codes})
        self._settled.pop(key, None)
        if waits:
            self._settled[key] = since, settled.union(asked) - waiting
            if len(self._settled) > _MOST_KEPT:
                del self._settled[next(iter(self._settled))]
            raise MailTrouble(f"SMTPRecipientsRefused {codes}")

    def _hand_over(self, mail: EmailMessage, asked: Sequence[str]) -> dict[str, int]:
        """Who of those asked for was refused, with which code."""
        server = self._server
        try:
            with self._conversation() as smtp:
                if server.user is not None and server.password is not None:
                    smtp.login(server.user, server.password.reveal())
                refused = smtp.send_message(mail, to_addrs=asked)
        except smtplib.SMTPRecipientsRefused as error:  # nobody has it: a server that goes away refuses all at once
            return {who: error.recipients.get(who, (_GOES_AWAY, b""))[0] for who in asked}
        except (smtplib.SMTPException, OSError, UnicodeError) as error:  # the last: of a host that can be no name
            # Without the error itself: a server may repeat in its answer what it was told. A reason is OpenSSL's word.
            code = getattr(error, "smtp_code", "") or getattr(error, "reason", "") or ""
            raise MailTrouble(f"{type(error).__name__} {code}".strip()) from None
        return {who: code for who, (code, _) in refused.items()}

    @contextmanager
    def _conversation(self) -> Iterator[smtplib.SMTP]:
        """A connection that ends with the block. What a server took it has, whatever it says to our goodbye."""
        smtp = self._connected()
        try:
            yield smtp
        finally:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.is_tls_first:
            first = smtplib.SMTP_SSL(
                server.host, server.port, self._domain, timeout=STEP_SECONDS, context=self._context()
            )
            self._tell_exception(first)
            return first
        smtp = smtplib.SMTP(server.host, server.port, self._domain, timeout=STEP_SECONDS)
        try:
            smtp.ehlo()
            if smtp.has_extn("starttls") or not self._is_plain:
                smtp.starttls(context=self._context())  # raises where the server has none
                self._tell_exception(smtp)
                smtp.ehlo()
            else:
                log.warning("mail goes without TLS, allowed as a named exception", extra={"address": server.host})
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = mail_tls(self._ca_file, takes_tls_1_2=self._server.takes_tls_1_2)
        return self._tls

    def _tell_exception(self, smtp: smtplib.SMTP) -> None:
        """Log the exception to TLS 1.3 once, with what is spoken: an operator sees when it is needed no more."""
        if not self._server.takes_tls_1_2 or self._is_exception_told:
            return
        self._is_exception_told = True
        spoken = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else None
        log.warning(
            "mail may go over TLS 1.2, allowed as a named exception",
            extra={"address": self._server.host, "spoken": spoken},
        )


def mailer_of(settings: Settings, clock: Clock, recipients: Collection[str] | None = None) -> Mailer | None:
    """The operator's mailer, to `recipients` (None: who is to know of alerts).

    None when no mail server is named, or nobody to mail to.
    """
    recipients = settings.alert_emails if recipients is None else recipients
    if settings.smtp_url is None or settings.mail_from is None or not recipients:
        return None
    return Mailer(
        MailServer.from_url(settings.smtp_url.reveal()),
        settings.mail_from,
        recipients,
        clock,
        plaintext_hosts=settings.plaintext_hosts,
    )
