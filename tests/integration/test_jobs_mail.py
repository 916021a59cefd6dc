"""Mail is handed over to a real server on 127.0.0.1: behind TLS, once, and without a secret in any log."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.header import decode_header, make_header

import pytest

from bot.settings import Settings, SettingsError
from demo.mail import MailSink
from jobs.mail import Mailer, MailServer, MailTrouble, mail_tls, mailer_of
from storage import KeyRing
from tests.conftest import FakeClock
from tests.integration.certificates import Certificate, certificate

__all__ = ["certificate"]  # pytest finds the fixture by its name here

PASSWORD = "geheim" + "-8f3a"  # assembled: no scanner takes it for a real one
ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-" + "1",
    "SLACK_APP_TOKEN": "xapp-1-" + "A",
    "FINOPS_KEYS": KeyRing.generate().to_text(),
}
MAIL = {
    "FINOPS_SMTP_URL": "smtps://mail.example.com",
    "FINOPS_MAIL_FROM": "finops@example.com",
    "FINOPS_ALERT_EMAILS": "ops@example.com",
}


@pytest.fixture
async def plain() -> AsyncIterator[MailSink]:
    async with MailSink().running() as sink:
        yield sink


def a_mailer(sink: MailSink, clock: FakeClock, trusted: Certificate | None = None, *, named: bool = False) -> Mailer:
    return Mailer(
        MailServer.from_url(sink.url),
        "FinOps <finops@hanbit.example>",
        ["jihoon@hanbit.example", "ops@hanbit.example"],
        clock,
        plaintext_hosts={"127.0.0.1"} if named else (),
        ca_file=str(trusted.chain) if trusted else None,
    )


@pytest.mark.parametrize("is_tls_first", [True, False], ids=["smtps", "STARTTLS"])
async def test_mail_goes_behind_tls_1_3_after_logging_in(
    clock: FakeClock, certificate: Certificate, is_tls_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """From the first byte, or before anything is said; and there is no exception to tell of."""
    sink = MailSink(certificate.serving(ssl.TLSVersion.TLSv1_3), is_tls_first, ("fin%40ops", PASSWORD))
    async with sink.running():
        sink.login = ("fin@ops", PASSWORD)
        server = MailServer.from_url(sink.url.replace("fin@ops", "fin%40ops"))
        mailer = Mailer(server, "finops@hanbit.example", ["ops@hanbit.example"], clock, ca_file=str(certificate.chain))
        await mailer.send("🚨 한도 초과", "742 of 500\n.\na dot stands alone\n", "incident:1")
    [mail] = sink.kept
    assert (mail.tls_version, mail.user) == ("TLSv1.3", "fin@ops")
    # No `[127.0.0.1]`, which is all a container knows of itself and which Google's relay refuses.
    assert set(sink.greeted) == {"hanbit.example"}
    assert mail.subject == "🚨 한도 초과"
    assert mail.text.splitlines() == ["742 of 500", ".", "a dot stands alone"]
    assert caplog.messages == []


@pytest.mark.parametrize("is_tls_first", [True, False], ids=["smtps", "STARTTLS"])
async def test_a_server_with_tls_1_2_alone_hears_no_word_of_a_mail(
    clock: FakeClock, certificate: Certificate, is_tls_first: bool
) -> None:
    """Not the password either; and the trouble has the name that OpenSSL gives it, which some releases leave out."""
    sink = MailSink(certificate.serving(ssl.TLSVersion.TLSv1_2), is_tls_first, ("ops", PASSWORD))
    async with sink.running():
        with pytest.raises(MailTrouble, match=r"SSL(EOF)?Error [A-Z0-9_]+$|SSLZeroReturnError$"):
            await a_mailer(sink, clock, certificate).send("subject", "body", "a")
        # To be named as one that may go without TLS is another exception.
        with pytest.raises(MailTrouble, match=r"SSL(EOF|ZeroReturn)?Error"):
            await a_mailer(sink, clock, certificate, named=True).send("subject", "body", "a")
    assert sink.kept == []


@pytest.mark.parametrize("is_tls_first", [True, False], ids=["smtps", "STARTTLS"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2], ids=str)
async def test_a_server_named_as_an_exception_may_speak_tls_1_2_and_the_log_says_so_once(
    clock: FakeClock,
    certificate: Certificate,
    version: ssl.TLSVersion,
    is_tls_first: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """1.3 where it has that: what is spoken stands in the log, so that an exception nobody needs is seen."""
    sink = MailSink(certificate.serving(version), is_tls_first)
    async with sink.running():
        server = MailServer.from_url(f"{sink.url}?tls=1.2")
        mailer = Mailer(server, "finops@hanbit.example", ["ops@hanbit.example"], clock, ca_file=str(certificate.chain))
        await mailer.send("subject", "body", "a")
        await mailer.send("subject", "body", "b")
    spoken = version.name.replace("_", ".")
    assert [mail.tls_version for mail in sink.kept] == [spoken, spoken]
    [told] = [record for record in caplog.records if "TLS 1.2, allowed as a named exception" in record.message]
    assert (told.levelname, told.__dict__["address"], told.__dict__["spoken"]) == ("WARNING", "127.0.0.1", spoken)


async def test_a_mail_may_have_a_second_face(plain: MailSink, clock: FakeClock) -> None:
    """HTML for those who can show it, the same in words for everybody else; no line that a server would break."""
    html = "<p>" + "이번 주 AI 비용 $2,481 · " * 200 + "</p>"
    await a_mailer(plain, clock, named=True).send("요약", "이번 주 AI 비용 $2,481\n", "digest:1", html)
    [mail] = plain.kept
    assert mail.message.get_content_type() == "multipart/alternative"
    assert (mail.text.strip(), (mail.html or "").strip()) == ("이번 주 AI 비용 $2,481", html)
    assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]
    assert max(map(len, mail.message.as_string().splitlines())) < 998


async def test_a_mail_of_words_alone_has_one_face(plain: MailSink, clock: FakeClock) -> None:
    await a_mailer(plain, clock, named=True).send("subject", "body\n", "a")
    assert (plain.kept[0].text.strip(), plain.kept[0].html) == ("body", None)


async def test_a_server_without_tls_gets_nothing(plain: MailSink, clock: FakeClock) -> None:
    """Unless its host is named as an exception; that is logged."""
    with pytest.raises(MailTrouble, match="SMTPNotSupportedError"):
        await a_mailer(plain, clock).send("subject", "body", "a")
    assert plain.kept == []


async def test_a_named_host_may_be_written_to_in_the_open(
    plain: MailSink, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    await a_mailer(plain, clock, named=True).send("subject", "body", "a")
    [mail] = plain.kept
    assert mail.tls_version is None
    assert "mail goes without TLS, allowed as a named exception" in caplog.messages


@pytest.mark.parametrize("is_tls_first", [True, False])
async def test_a_certificate_nobody_vouches_for_ends_it(
    clock: FakeClock, certificate: Certificate, is_tls_first: bool
) -> None:
    async with MailSink(certificate.serving(ssl.TLSVersion.TLSv1_3), is_tls_first).running() as sink:
        with pytest.raises(MailTrouble, match="SSLCertVerificationError"):
            await a_mailer(sink, clock).send("subject", "body", "a")
    assert sink.kept == []


@pytest.mark.parametrize("is_exception", [True, False])
def test_no_exception_goes_below_tls_1_2_or_does_without_a_certificate(is_exception: bool) -> None:
    tls = mail_tls(takes_tls_1_2=is_exception)
    assert tls.minimum_version is (ssl.TLSVersion.TLSv1_2 if is_exception else ssl.TLSVersion.TLSv1_3)
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


async def test_a_wrong_password_is_told_without_the_password(
    clock: FakeClock, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    """Servers repeat what they heard; we do not."""
    caplog.set_level("DEBUG")
    sink = MailSink(certificate.serving(ssl.TLSVersion.TLSv1_3), login=("ops", PASSWORD))
    async with sink.running():
        mailer = a_mailer(sink, clock, certificate)
        sink.login = ("ops", "another")
        with pytest.raises(MailTrouble) as caught:
            await mailer.send("subject", "body", "a")
    assert str(caught.value) == "SMTPAuthenticationError 535"
    assert caught.value.__cause__ is None
    assert PASSWORD not in caplog.text + repr(caught.value) + repr(MailServer.from_url(f"smtp://ops:{PASSWORD}@host"))


async def test_trouble_of_any_kind_is_one_error(clock: FakeClock) -> None:
    """Refused, hung up on, or nobody there: the mail did not go, and may be tried again."""
    async with MailSink(refuse=["451 later"]).running() as sink:
        mailer = a_mailer(sink, clock, named=True)
        with pytest.raises(MailTrouble, match="451"):
            await mailer.send("subject", "body", "a")
    with pytest.raises(MailTrouble, match="ConnectionRefusedError"):
        await mailer.send("subject", "body", "a")
    typed = Mailer(MailServer.from_url("smtp://mail..example.com"), "a@b.example", ["c@d.example"], clock)
    with pytest.raises(MailTrouble, match="Unicode"):
        await typed.send("subject", "body", "a")
    nowhere = Mailer(MailServer.from_url("smtps://127.0.0.1:9"), "a@b.example", ["c@d.example"], clock)
    with pytest.raises(MailTrouble, match="ConnectionRefusedError"):
        await nowhere.send("subject", "body", "a")


async def test_a_mail_says_whose_it_is_and_is_one_mail_however_often_it_is_sent(
    plain: MailSink, clock: FakeClock
) -> None:
    """One Message-ID for one alert; no line of a name can become a header; robots need not answer."""
    mailer = a_mailer(plain, clock, named=True)
    await mailer.send("limit\r\nBcc: everybody@example.com\n reached", "body", "incident:1")
    await mailer.send("limit reached", "body", "incident:1")
    await mailer.send("limit reached", "body", "incident:2")
    first, again, other = (mail.message for mail in plain.kept)
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Subject"] == "limit Bcc: everybody@example.com reached"
    assert "Bcc" not in first
    assert first["Auto-Submitted"] == "auto-generated"
    assert str(first["To"]) == "jihoon@hanbit.example, ops@hanbit.example"
    assert first["From"].addresses[0].display_name == "FinOps"
    assert first["Date"].datetime == clock()
    assert plain.kept[0].recipients == ("jihoon@hanbit.example", "ops@hanbit.example")


def as_read(raw: bytes, name: str) -> str:
    """A header as a mail program reads it; Python's own reading of names adds spaces of its own until 3.13."""
    folded = message_from_bytes(raw)[name]
    return str(make_header(decode_header("".join(folded.splitlines())))).replace('"', "")


@pytest.mark.parametrize(
    "words",
    [
        "🚨 한도 초과: 마케팅팀 예산이 모두 소진되었습니다. 지출 $742.00, 한도 $500.00 (2026년 11월)",
        "🚨 上限超過: マーケティングチームの予算 chatbot-experiment 支出 $742.00, 上限 $500.00 (2026年11月)",
        "No letter but ASCII, and longer than a line of a mail may be: $742.00 of $500.00 (November 2026)",
    ],
)
async def test_words_cross_the_wire_in_seven_bits_with_every_space(
    plain: MailSink, clock: FakeClock, words: str
) -> None:
    """In the subject, in the names of sender and readers, however they are folded, and in the body."""
    one, other = f'"{words[:40].strip()}" <one@hanbit.example>', "other@hanbit.example"
    server = MailServer.from_url(plain.url)
    mailer = Mailer(server, one, [one, other], clock, plaintext_hosts={"127.0.0.1"})
    await mailer.send(words, f"{words[:30]}\n", "incident:1")
    [mail] = plain.kept
    raw = mail.message.as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 78
    assert (as_read(raw, "Subject"), mail.text.strip()) == (words, words[:30].strip())
    assert as_read(raw, "From") == f"{words[:40].strip()} <one@hanbit.example>"
    assert as_read(raw, "To") == f"{words[:40].strip()} <one@hanbit.example>, {other}"
    assert mail.recipients == ("one@hanbit.example", other)


async def test_whom_a_server_takes_later_is_asked_for_again_alone(plain: MailSink, clock: FakeClock) -> None:
    """As greylisting does it: each has the mail once. Who does not exist is asked for once and keeps nobody waiting."""
    mailer = a_mailer(plain, clock, named=True)
    plain.refuse_for["ops@hanbit.example"] = "450 4.2.0 greylisted"
    for _ in range(2):
        with pytest.raises(MailTrouble, match="SMTPRecipientsRefused 450"):
            await mailer.send("limit reached", "body", "incident:1")
    plain.refuse_for["jihoon@hanbit.example"] = plain.refuse_for.pop("ops@hanbit.example")
    await mailer.send("limit reached", "body", "incident:1")
    plain.refuse_for["jihoon@hanbit.example"] = "550 5.1.1 no such user"
    await mailer.send("limit reached", "body", "incident:2")
    had = [mail.recipients for mail in plain.kept]
    assert had == [("jihoon@hanbit.example",), ("ops@hanbit.example",), ("ops@hanbit.example",)]
    plain.refuse_for["ops@hanbit.example"] = "421 4.3.2 going down"
    with pytest.raises(MailTrouble, match="SMTPRecipientsRefused 421 550"):
        await mailer.send("limit reached", "body", "incident:3")


async def test_a_mailbox_that_stays_full_ends_after_some_hours(plain: MailSink, clock: FakeClock) -> None:
    """It says "for now" for weeks. Each start of the bot would send an old alert to all the others once more."""
    mailer = a_mailer(plain, clock, named=True)
    plain.refuse_for["ops@hanbit.example"] = "452 4.2.2 over quota"
    for _ in range(2):
        with pytest.raises(MailTrouble, match="SMTPRecipientsRefused 452"):
            await mailer.send("limit reached", "body", "incident:1")
        clock.advance(hours=2)
    await mailer.send("limit reached", "body", "incident:1")
    assert [mail.recipients for mail in plain.kept] == [("jihoon@hanbit.example",)]
    plain.refuse_for["jihoon@hanbit.example"] = "452 4.2.2 over quota"
    for _ in range(2):  # but who has nothing yet is not given up for others who have nothing
        with pytest.raises(MailTrouble, match="SMTPRecipientsRefused 452"):
            await mailer.send("limit reached", "body", "incident:2")
        clock.advance(hours=5)


async def test_who_is_refused_for_good_after_others_had_the_mail_ends_it(plain: MailSink, clock: FakeClock) -> None:
    """Later turned into never: the mail went to whom it could go."""
    mailer = a_mailer(plain, clock, named=True)
    plain.refuse_for["ops@hanbit.example"] = "450 4.2.0 greylisted"
    with pytest.raises(MailTrouble):
        await mailer.send("limit reached", "body", "incident:1")
    plain.refuse_for["ops@hanbit.example"] = "550 5.1.1 no such user"
    await mailer.send("limit reached", "body", "incident:1")
    assert [mail.recipients for mail in plain.kept] == [("jihoon@hanbit.example",)]
    plain.refuse_for["jihoon@hanbit.example"] = "550 5.1.1 no such user"
    with pytest.raises(MailTrouble, match="SMTPRecipientsRefused 550"):
        await mailer.send("limit reached", "body", "incident:2")


async def test_a_mail_that_was_taken_is_taken_whatever_the_goodbye(plain: MailSink, clock: FakeClock) -> None:
    """A server that is tired of us after the mail has it: it is not sent again."""
    plain.goodbye = "421 4.4.2 too long"
    await a_mailer(plain, clock, named=True).send("limit reached", "body", "incident:1")
    assert len(plain.kept) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"FINOPS_SMTP_URL": "https://mail.example.com"}, "should be a mail server"),
        ({"FINOPS_SMTP_URL": f"smtp://ops:{PASSWORD}@"}, "should be a mail server"),
        ({"FINOPS_SMTP_URL": "smtp://ops@mail.example.com"}, "should be a mail server"),
        ({"FINOPS_SMTP_URL": f"smtp://ops:{PASSWORD}@mail.example.com?tls=1.1"}, "may end with ?tls=1.2"),
        ({"FINOPS_SMTP_URL": f"smtp://ops:{PASSWORD}@mail.example.com?verify=no"}, "and with no other parameter"),
        ({"FINOPS_SMTP_URL": "smtp://ops:%EB%B9%84%EB%B0%80@mail.example.com"}, "a password of ASCII letters"),
        ({"FINOPS_MAIL_FROM": "nobody"}, "FINOPS_MAIL_FROM should be a mail address"),
        ({"FINOPS_ALERT_EMAILS": "a@example.com, b"}, "not 'b'"),
        ({"FINOPS_ALERT_EMAILS": ""}, "go together"),
        ({"FINOPS_SMTP_URL": ""}, "go together"),
    ],
)
def test_settings_of_mail_are_checked_before_anything_is_served(changes: dict[str, str], said: str) -> None:
    """Each mistake in a sentence, and the password in none."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(ENVIRON | MAIL | changes)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_mailer_is_there_when_it_is_set(clock: FakeClock) -> None:
    """Ports that everybody expects; several recipients; a name for the sender."""
    assert mailer_of(Settings.from_env(ENVIRON), clock) is None
    more = {
        "FINOPS_ALERT_EMAILS": "a@example.com, b@example.com,a@example.com",
        "FINOPS_MAIL_FROM": "FinOps <f@example.com>",
    }
    settings = Settings.from_env(ENVIRON | MAIL | more)
    assert settings.alert_emails == ("a@example.com", "b@example.com")
    assert settings.mail_from == "FinOps <f@example.com>"
    assert mailer_of(settings, clock) is not None
    assert Settings.from_env(ENVIRON | MAIL | {"FINOPS_SMTP_URL": "smtp://mail.example.com:587?tls=1.2"}).smtp_url
    assert MailServer.from_url("smtps://mail.example.com").port == 465
    server = MailServer.from_url("smtp://u:p%2Fw@mail.example.com")
    assert (server.port, server.is_tls_first, server.user) == (587, False, "u")
    assert server.password is not None
    assert server.password.reveal() == "p/w"
