"""Reading a setting: one text in, its value out, or a Mistake that says what was expected and repeats no secret."""

from __future__ import annotations

import os
import re
import shlex
import ssl
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formataddr, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from finops.secret import Secret
from finops.zones import zone_named

CHECKOUT = Path(__file__).resolve().parent.parent
# A key-management service on another continent answers within seconds; one that asks a person never does.
_COMMAND_SECONDS = 60


class Mistake(ValueError):
    """The rest of a sentence that begins with the variable's name."""


def token(prefix: str, name: str, where: str) -> Callable[[str], Secret]:
    kinds = {
        "xoxb-": "a bot token",
        "xoxp-": "a user token",
        "xapp-": "an app-level token",
        "xoxe": "a rotating token, which needs OAuth",
        "sk-": "an OpenAI key",
    }

    def read(text: str) -> Secret:
        if text.startswith(prefix) and len(text) > len(prefix):
            return Secret(text)
        found = next((kind for start, kind in kinds.items() if text.startswith(start)), "something else")
        raise Mistake(f"should be {name} ({prefix}…) but holds {found}; {where}")

    return read


def signing_secret(text: str) -> Secret:
    if re.fullmatch(r"[0-9a-f]{16,128}", text):
        return Secret(text)
    raise Mistake("should be the signing secret: hexadecimal digits, from Basic Information → App Credentials")


def secret(text: str) -> Secret:
    return Secret(text)


def plain(text: str) -> str:
    return text


def client_id(text: str) -> str:
    if re.fullmatch(r"\d+\.\d+", text):
        return text
    raise Mistake("should look like 1234567890.1234567890, from Basic Information → App Credentials")


def channel_id(text: str) -> str:
    """A Slack channel's id, as its details show it."""
    if not re.fullmatch(r"[CG][A-Z0-9]{7,20}", text):
        raise Mistake("is not a channel's id such as C0123456789; Slack shows it at the end of the channel's details")
    return text


def web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"https", "http"} and bool(parts.hostname) and (parts.port or 1) > 0
        usable = usable and not {"?", "#"} & set(text)  # we write paths behind it
    except ValueError:
        usable = False
    if not usable:
        raise Mistake("should be a web address such as https://example.com")
    if parts.username or parts.password:
        raise Mistake("should not carry a user name or password")
    return text


def smtp_address(text: str) -> Secret:
    """The address may hold a password: a secret, like the others. `?tls=1.2` is an exception to TLS 1.3, by name."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"smtps", "smtp"} and bool(parts.hostname) and (parts.port or 1) > 0
        usable = usable and parts.path in {"", "/"} and not parts.fragment
        usable = usable and bool(parts.username) == bool(parts.password)
    except ValueError:
        usable = False
    if not usable:
        raise Mistake("should be a mail server such as smtps://user:password@mail.example.com:465")
    if not unquote((parts.username or "") + (parts.password or "")).isascii():
        raise Mistake("should have a user and a password of ASCII letters: no other can be told to a mail server")
    if parts.query not in {"", "tls=1.2"}:
        raise Mistake("may end with ?tls=1.2, for a server that has no TLS 1.3, and with no other parameter")
    return Secret(text)


def mail_address(text: str) -> str:
    name, address = parseaddr(text)
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[A-Za-z0-9][A-Za-z0-9.-]*", address) or not text.isprintable():
        raise Mistake(f"should be a mail address such as finops@example.com, not {text!r}")
    return formataddr((name, address)) if name else address


def mail_addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mail_address(part.strip()) for part in text.split(",") if part.strip()))


def database_url(text: str) -> Secret:
    """The address may hold a password: a secret, like the others."""
    from storage.engine import normalised  # imported late: storage brings the database library along
    from storage.errors import DatabaseUnusable

    if not re.match(r"(sqlite|postgres|postgresql)(\+[a-z0-9_]+)?://", text):
        raise Mistake("should begin with sqlite:/// or postgresql://")
    try:
        normalised(text)
    except DatabaseUnusable as problem:
        raise Mistake(f"cannot be used: {problem}") from None
    kind, slashes, path = text.partition(":///")
    return Secret(f"{kind}{slashes}{CHECKOUT / path}" if kind.startswith("sqlite") else text)


def host_names(text: str) -> frozenset[str]:
    hosts = frozenset(part.strip() for part in text.split(",") if part.strip())
    if wrong := sorted(host for host in hosts if "/" in host or " " in host):
        raise Mistake(f"should list host names without scheme or path, not {wrong[0]!r}")
    return hosts


def user_ids(text: str) -> frozenset[str]:
    ids = frozenset(part.strip() for part in text.split(",") if part.strip())
    if wrong := sorted(one for one in ids if not re.fullmatch(r"[UW][A-Z0-9]{2,}", one)):
        raise Mistake(f"should list Slack member ids such as U012ABCDEF, not {wrong[0]!r}")
    return ids


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if re.fullmatch(r"\d{1,9}", text) and low <= int(text) <= high:
            return int(text)
        raise Mistake(f"should be a whole number from {low} to {high}, not {text!r}")

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() in choices:
            return text.lower()
        raise Mistake(f"should be one of {', '.join(choices)}, not {text!r}")

    return read


def time_zone(text: str) -> str:
    if zone_named(text) is None:
        raise Mistake(f"should be a time zone such as Asia/Seoul, not {text!r}")
    return text


def crontab(text: str) -> str:
    from apscheduler.triggers.cron import CronTrigger  # imported late: only settings with a time table need it

    words = text.split()
    if len(words) == 5 and re.search(r"\d", words[4]):
        # APScheduler counts Monday as 0 and cron as 1: a digit here is a job on the wrong day.
        raise Mistake(
            "should name weekdays (mon, tue, …), because their numbers mean different days to different people"
        )
    try:
        trigger = CronTrigger.from_crontab(text, timezone="UTC")
    except ValueError:
        raise Mistake(f"should be five crontab fields such as '0 9 * * *', not {text!r}") from None
    # From any day on: what comes at all comes within the centuries it looks ahead.
    if trigger.get_next_fire_time(None, datetime(2000, 1, 1, tzinfo=UTC)) is None:
        raise Mistake(f"names a day that never comes: {text!r}")
    return text


def key_ring(text: str) -> Secret:
    from storage.errors import MasterKeyInvalid  # imported late: storage brings the database library along
    from storage.secrets import KeyRing

    try:
        KeyRing.from_text(text)
    except MasterKeyInvalid as problem:
        raise Mistake(f"cannot be used: {problem}") from None
    return Secret(text)


def private_file(text: str) -> Path:
    path = some_file(text)
    if reason := too_open(path):
        raise Mistake(reason)
    return path


def some_file(text: str) -> Path:
    try:
        path = CHECKOUT / Path(text).expanduser()
        # Not `is_file`: from Python 3.14 on, it says of a folder that is closed to us that nothing is there.
        is_there = stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_there = False
    except (OSError, RuntimeError, ValueError) as problem:  # such a folder; a home of nobody; a zero byte
        raise Mistake(
            f"names a file that cannot be looked for ({getattr(problem, 'strerror', None) or problem})"
        ) from None
    if not is_there:
        raise Mistake(f"names a file that is not there: {path}")
    return path


def too_open(path: Path) -> str | None:
    """Why a file of secrets may not be used as it is; None when only its owner can read it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name != "nt" and mode & 0o077:
        return f"names {path}, which others can read ({mode:04o}); run: chmod 600 {path}"
    return None


def private_text(path: Path) -> str:
    """What a file of secrets says; a Mistake when it is no text, or somebody else's."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Mistake(f"names {path}, which cannot be read as text") from None
    except OSError as problem:
        raise Mistake(f"names {path}, which cannot be read ({problem.strerror})") from None


def command(text: str) -> tuple[str, ...]:
    """A program and its words, split as a shell would; no shell is started for it."""
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        raise Mistake("cannot be split into words: a quote is open") from None
    if not words:
        raise Mistake("names no program")
    return words


def answer_of(words: Sequence[str], variables: Mapping[str, str]) -> str:
    """What a program writes on its standard output; what it says on standard error, people read themselves.

    A Mistake, which repeats nothing of either, where it cannot be run, fails, or takes longer than a minute.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - the operator's own words, from where the keys themselves would stand
            words, env=dict(variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS
        )
        said = ended.stdout.decode("utf-8-sig")
    except subprocess.TimeoutExpired:
        raise Mistake(f"did not end within {_COMMAND_SECONDS} seconds") from None
    except UnicodeDecodeError:
        raise Mistake("wrote something that is no text") from None
    except OSError as problem:
        raise Mistake(f"cannot be run ({problem.strerror}: {words[0]})") from None
    if ended.returncode:
        raise Mistake(f"ended with {ended.returncode}; run it by hand to see why")
    return said


def certificate_trouble(certificate: Path | None, key: Path | None) -> str | None:
    """Why a certificate and a key cannot be served with; None when they can, or when one is missing."""
    if certificate is None or key is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError) as problem:
        return getattr(problem, "reason", None) or getattr(problem, "strerror", None) or type(problem).__name__
    return None
