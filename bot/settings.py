"""Settings: read once, checked all at once, one sentence for every mistake, before anything is served.

Nothing else in the product reads the environment. Each field below names its variable, its default and the function
that reads it; `.env.example` and docs/settings.md are held equal to this list by a test.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.policy import Policy
from bot.readers import (
    CHECKOUT as CHECKOUT,  # where everybody looks for it
)
from bot.readers import (
    Mistake,
    answer_of,
    certificate_trouble,
    channel_id,
    client_id,
    command,
    crontab,
    database_url,
    host_names,
    key_ring,
    mail_address,
    mail_addresses,
    one_of,
    plain,
    private_file,
    private_text,
    secret,
    signing_secret,
    smtp_address,
    some_file,
    time_zone,
    token,
    too_open,
    user_ids,
    web_address,
    whole_number,
)
from finops.secret import Secret

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NOT_OURS = frozenset({"FINOPS_VENV"})  # run.py's own
# Bolt would read it behind our back, with its test turned the wrong way round.
RETIRED = {"SLACK_VERIFICATION_TOKEN": "Slack retired it and requests are verified by their signature: remove it"}


# The three places of which one holds the master keys, by their fields.
_KEYS = ("keys", "keys_file", "keys_command")


class SettingsError(ValueError):
    """What is wrong with the settings: every mistake, each in one sentence."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(["Settings need attention (see docs/settings.md):", *(f"- {m}" for m in mistakes)]))


def variable(name: str, read: Callable[[str], object], default: str | None = None) -> dict[str, Any]:
    """One setting: its variable, how its text is read, and the text it has when nothing is said."""
    return {"name": name, "read": read, "default": default}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the product is told from outside. Made by `from_env`; secrets never show in its repr."""

    slack_bot_token: Secret | None = field(
        metadata=variable("SLACK_BOT_TOKEN", token("xoxb-", "the bot token", "see OAuth & Permissions"))
    )
    slack_app_token: Secret | None = field(
        metadata=variable(
            "SLACK_APP_TOKEN", token("xapp-", "the app-level token", "see Basic Information → App-Level Tokens")
        )
    )
    slack_signing_secret: Secret | None = field(metadata=variable("SLACK_SIGNING_SECRET", signing_secret))
    slack_client_id: str | None = field(metadata=variable("SLACK_CLIENT_ID", client_id))
    slack_client_secret: Secret | None = field(metadata=variable("SLACK_CLIENT_SECRET", secret))
    slack_api_url: str = field(metadata=variable("SLACK_API_URL", web_address, "https://slack.com/api/"))
    slack_authorize_url: str = field(
        metadata=variable("SLACK_AUTHORIZE_URL", web_address, "https://slack.com/oauth/v2/authorize")
    )
    public_url: str | None = field(metadata=variable("FINOPS_PUBLIC_URL", web_address))

    database_url: Secret = field(
        metadata=variable("DATABASE_URL", database_url, f"sqlite:///{CHECKOUT / 'var' / 'finops.sqlite3'}")
    )
    keys: Secret | None = field(metadata=variable("FINOPS_KEYS", key_ring))
    keys_file: Path | None = field(metadata=variable("FINOPS_KEYS_FILE", private_file))
    keys_command: tuple[str, ...] | None = field(repr=False, metadata=variable("FINOPS_KEYS_COMMAND", command))

    openai_base_url: str = field(metadata=variable("OPENAI_BASE_URL", web_address, "https://api.openai.com/v1"))
    provider_timeout_seconds: int = field(
        metadata=variable("FINOPS_PROVIDER_TIMEOUT_SECONDS", whole_number(1, 600), "60")
    )
    plaintext_hosts: frozenset[str] = field(metadata=variable("FINOPS_PLAINTEXT_HOSTS", host_names, ""))
    prices: Path | None = field(metadata=variable("FINOPS_PRICES", some_file))
    price_data: Path | None = field(metadata=variable("FINOPS_PRICE_DATA", some_file))

    first_admins: frozenset[str] = field(metadata=variable("FINOPS_ADMINS", user_ids, ""))
    locale: str = field(metadata=variable("FINOPS_LOCALE", one_of("ko", "en", "ja"), "ko"))
    collect_cron: str = field(metadata=variable("FINOPS_COLLECT_CRON", crontab, "0 9 * * *"))
    collect_timezone: str = field(metadata=variable("FINOPS_COLLECT_TIMEZONE", time_zone, "Asia/Seoul"))
    backfill_days: int = field(metadata=variable("FINOPS_BACKFILL_DAYS", whole_number(1, 1200), "180"))
    reread_days: int = field(metadata=variable("FINOPS_REREAD_DAYS", whole_number(1, 60), "8"))
    lease_seconds: int = field(metadata=variable("FINOPS_LEASE_SECONDS", whole_number(5, 3600), "120"))
    poll_seconds: int = field(metadata=variable("FINOPS_POLL_SECONDS", whole_number(1, 3600), "300"))
    blind_after_minutes: int = field(metadata=variable("FINOPS_BLIND_AFTER_MINUTES", whole_number(0, 1440), "15"))
    remind_after_minutes: int = field(metadata=variable("FINOPS_REMIND_AFTER_MINUTES", whole_number(0, 1440), "60"))
    edit_every_seconds: int = field(metadata=variable("FINOPS_EDIT_EVERY_SECONDS", whole_number(1, 3600), "30"))

    smtp_url: Secret | None = field(metadata=variable("FINOPS_SMTP_URL", smtp_address))
    mail_from: str | None = field(metadata=variable("FINOPS_MAIL_FROM", mail_address))
    alert_emails: tuple[str, ...] = field(metadata=variable("FINOPS_ALERT_EMAILS", mail_addresses, ""))
    digest_emails: tuple[str, ...] = field(metadata=variable("FINOPS_DIGEST_EMAILS", mail_addresses, ""))
    feedback_channel: str | None = field(metadata=variable("FINOPS_FEEDBACK_CHANNEL", channel_id))

    host: str = field(metadata=variable("FINOPS_HOST", plain, "127.0.0.1"))
    port: int = field(metadata=variable("PORT", whole_number(0, 65535), "3000"))
    tls_certificate: Path | None = field(metadata=variable("FINOPS_TLS_CERTIFICATE", some_file))
    tls_key: Path | None = field(metadata=variable("FINOPS_TLS_KEY", private_file))
    log_level: str = field(metadata=variable("LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info"))
    log_format: str = field(metadata=variable("LOG_FORMAT", one_of("json", "text"), "json"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting from `environ`. Raises SettingsError with all mistakes together; changes nothing."""
        values: dict[str, Any] = {}
        mistakes: list[str] = []
        unusable: set[str] = set()
        for one in fields(cls):
            name, text = one.metadata["name"], environ.get(one.metadata["name"], "").strip()
            text = text or one.metadata["default"]
            try:
                values[one.name] = None if text is None else one.metadata["read"](text)
            except Mistake as mistake:
                mistakes.append(f"{name} {mistake}.")
                values[one.name] = None
                unusable.add(one.name)
        if not unusable.intersection(_KEYS):
            values["keys"] = _keys(values, environ, mistakes)
            unusable.update({"keys"} if values["keys"] is None and any(values[name] for name in _KEYS) else ())
        mistakes += _strangers(environ, {one.metadata["name"] for one in fields(cls)})
        mistakes += _unusable_proxies(environ)
        settings = cls(**values)
        mistakes += [sentence for names, sentence in settings._disagreements() if not unusable.intersection(names)]
        if mistakes:
            raise SettingsError(mistakes)
        return settings

    @classmethod
    def public_address(cls, environ: Mapping[str, str]) -> str:
        """FINOPS_PUBLIC_URL alone: the manifest is wanted before there is an app, and so before there are its tokens.

        Raises SettingsError where it is missing or none.
        """
        name = "FINOPS_PUBLIC_URL"
        try:
            if text := environ.get(name, "").strip():
                return web_address(text)
        except Mistake as mistake:
            raise SettingsError([f"{name} {mistake}."]) from None
        raise SettingsError([f"{name} is missing: the manifest names the address at which Slack reaches us."])

    @classmethod
    def names(cls) -> list[str]:
        """The variables, in the order of the documentation."""
        return [one.metadata["name"] for one in fields(cls)]

    @property
    def uses_oauth(self) -> bool:
        """True when many workspaces install the app; False when one bot token serves one workspace."""
        return self.slack_client_id is not None

    @property
    def ring_text(self) -> Secret:
        """The master keys, from the variable, its file or its command."""
        if self.keys is None:
            raise SettingsError(["FINOPS_KEYS is missing."])
        return self.keys

    def policy(self) -> Policy:
        """The rules of the house, as the bot is told them."""
        return Policy(
            backfill_days=self.backfill_days,
            reread_days=self.reread_days,
            collect_cron=self.collect_cron,
            collect_timezone=self.collect_timezone,
            default_locale=self.locale,
            default_timezone=self.collect_timezone,
            first_admins=self.first_admins,
            lease_seconds=self.lease_seconds,
            poll_seconds=self.poll_seconds,
            blind_after_minutes=self.blind_after_minutes,
            remind_after_minutes=self.remind_after_minutes,
            events_address=(self.public_url or self.own_address).rstrip("/"),
            feedback_channel=self.feedback_channel or "",
        )

    @property
    def own_address(self) -> str:
        """Where this process answers when nobody said how it is called from outside."""
        scheme = "https" if self.tls_certificate is not None else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    def _disagreements(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Mistakes that lie between settings, with the fields they are about."""
        if self.uses_oauth != (self.slack_client_secret is not None):
            yield (
                ("slack_client_id", "slack_client_secret"),
                "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET go together: set both or neither.",
            )
        if self.slack_bot_token is None and not self.uses_oauth and self.slack_client_secret is None:
            yield (
                ("slack_bot_token", "slack_client_id", "slack_client_secret"),
                "SLACK_BOT_TOKEN is missing (or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET to serve many workspaces).",
            )
        if self.slack_bot_token is not None and self.uses_oauth:
            yield (
                (),
                "SLACK_BOT_TOKEN serves one workspace and SLACK_CLIENT_ID many: keep one of the two.",
            )
        if self.slack_app_token is None and self.slack_signing_secret is None:
            yield (
                ("slack_app_token", "slack_signing_secret"),
                "SLACK_APP_TOKEN (Socket Mode, no public URL) or SLACK_SIGNING_SECRET (HTTP) is missing.",
            )
        if self.uses_oauth and self.public_url is None:
            yield (
                ("public_url",),
                "FINOPS_PUBLIC_URL is missing: OAuth sends people back to this address.",
            )
        if self.keys is None:
            yield (
                _KEYS,
                "FINOPS_KEYS, FINOPS_KEYS_FILE or FINOPS_KEYS_COMMAND is missing: stored keys are encrypted with it. "
                "Make one with: python3 run.py run new-key.",
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            yield (
                ("tls_certificate", "tls_key"),
                "FINOPS_TLS_CERTIFICATE and FINOPS_TLS_KEY go together: set both or neither.",
            )
        if trouble := certificate_trouble(self.tls_certificate, self.tls_key):
            yield (
                ("tls_certificate", "tls_key"),
                f"FINOPS_TLS_CERTIFICATE and FINOPS_TLS_KEY cannot be served with ({trouble}): both are PEM files, the "
                "key without a password and belonging to the certificate.",
            )
        to_whom = bool(self.alert_emails or self.digest_emails)
        mail = (self.smtp_url is not None, self.mail_from is not None, to_whom)
        if any(mail) and not all(mail):
            yield (
                ("smtp_url", "mail_from", "alert_emails", "digest_emails"),
                "FINOPS_SMTP_URL, FINOPS_MAIL_FROM and FINOPS_ALERT_EMAILS or FINOPS_DIGEST_EMAILS go together: set "
                "all or none of them.",
            )
        yield from self._without_tls()

    def _without_tls(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """TLS has no silent exceptions: a plaintext address must be named in FINOPS_PLAINTEXT_HOSTS."""
        for name, address in (
            ("slack_api_url", self.slack_api_url),
            ("slack_authorize_url", self.slack_authorize_url),
            ("public_url", self.public_url),
            ("openai_base_url", self.openai_base_url),
        ):
            parts = urlsplit(address or "")
            if parts.scheme == "http" and parts.hostname not in (self.plaintext_hosts or frozenset()):
                variable_name = next(one.metadata["name"] for one in fields(self) if one.name == name)
                yield (
                    (name, "plaintext_hosts"),
                    f"{variable_name} uses http://, so secrets would travel in the open; use https://, or name "
                    f"{parts.hostname} in FINOPS_PLAINTEXT_HOSTS if that is meant.",
                )
        if self.tls_certificate is None and self.host not in LOOPBACK | (self.plaintext_hosts or frozenset()):
            yield (
                ("host", "tls_certificate", "tls_key", "plaintext_hosts"),
                f"FINOPS_HOST {self.host} would be served without TLS: set FINOPS_TLS_CERTIFICATE and FINOPS_TLS_KEY, "
                f"or name {self.host} in FINOPS_PLAINTEXT_HOSTS if a proxy in front of it speaks TLS.",
            )


def _keys(values: Mapping[str, Any], environ: Mapping[str, str], mistakes: list[str]) -> Secret | None:
    """The master keys, from the one place that has them; None, with its mistake, where they cannot be had."""
    told = {name: values[name] for name in _KEYS if values[name] is not None}
    if len(told) > 1:
        names = " and ".join(f"FINOPS_{name.upper()}" for name in told)
        mistakes.append(f"{names} hold the master keys: keep one of them.")
        return None
    if not told or "keys" in told:
        return told.get("keys")
    [(name, place)] = told.items()
    try:
        text = private_text(place) if name == "keys_file" else answer_of(place, environ)
        return key_ring(",".join(line.strip() for line in text.splitlines() if line.strip()))
    except Mistake as mistake:
        mistakes.append(f"FINOPS_{name.upper()} {mistake}.")
        return None


def _strangers(environ: Mapping[str, str], known: set[str]) -> Iterator[str]:
    """Variables that look like ours and are not: a misspelt setting is a setting nobody reads."""
    for name in sorted(environ):
        if reason := RETIRED.get(name):
            yield f"{name} is not used: {reason}."
        elif name.startswith("FINOPS_") and name not in known | NOT_OURS:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ".")


def _unusable_proxies(environ: Mapping[str, str]) -> Iterator[str]:
    """Proxies of a kind that our libraries do not speak, and fall over at the start; the text may hold a password."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        if (text := environ.get(name, "").strip()) and not text.lower().startswith(("http://", "https://")):
            yield (
                f"{name} should be an HTTP proxy such as http://proxy.example.com:3128, for no other kind (SOCKS) is "
                "spoken: name one, or start the bot without it."
            )


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` file: NAME=value lines, `#` comments, optional quotes; none when there is no file."""
    if not path.exists():
        return {}
    if too_open(path):
        raise SettingsError([f"{path} holds secrets and others can read it; run: chmod 600 {path}"])
    found: dict[str, str] = {}
    try:
        lines = private_text(path).splitlines()
    except Mistake as mistake:
        raise SettingsError([f".env {mistake}."]) from None
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            raise SettingsError([f"{path}, line {number}, is not NAME=value."])
        value = value.strip()
        quoted = re.fullmatch(r"""(["'])(.*?)\1(?:\s+#.*)?""", value)
        found[name.strip()] = quoted[2] if quoted else re.split(r"\s+#", value, maxsplit=1)[0].strip()
    return found
