"""Settings: all mistakes at once, one sentence each, and no secret in any of them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from bot import readers
from bot.settings import CHECKOUT, Settings, SettingsError, read_env_file
from storage.secrets import KeyRing

BOT_TOKEN = "xoxb-" + "1" * 12 + "-canary"
APP_TOKEN = "xapp-1-" + "A" * 10
KEYS = KeyRing.generate().to_text()
GOOD = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_APP_TOKEN": APP_TOKEN, "FINOPS_KEYS": KEYS}


def mistakes_of(**changes: str | None) -> list[str]:
    environ = {name: text for name, text in (GOOD | changes).items() if text is not None}
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return list(caught.value.mistakes)


def test_three_variables_are_enough_for_socket_mode():
    """A workspace without a public address needs two tokens and one master key."""
    settings = Settings.from_env(GOOD)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.reveal() == BOT_TOKEN
    assert settings.collect_cron == "0 9 * * *"
    assert settings.collect_timezone == "Asia/Seoul"
    assert settings.backfill_days == 180
    assert settings.reread_days == 8
    assert not settings.uses_oauth


def test_nothing_set_names_everything_that_is_missing_at_once():
    """An operator learns of all three missing things in one start, not in three."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({})
    assert len(caught.value.mistakes) == 3
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "FINOPS_KEYS"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("SLACK_BOT_TOKEN", "xox" + "p-123-abc", "holds a user token"),
        ("SLACK_BOT_TOKEN", APP_TOKEN, "holds an app-level token"),
        ("SLACK_BOT_TOKEN", "xoxb-", "should be the bot token"),
        ("SLACK_APP_TOKEN", BOT_TOKEN, "holds a bot token"),
        ("SLACK_SIGNING_SECRET", "not hexadecimal", "should be the signing secret"),
        ("SLACK_API_URL", "slack.com/api", "should be a web address"),
        ("SLACK_API_URL", "https://slack.com:notaport/", "should be a web address"),
        ("FINOPS_PUBLIC_URL", "https://finops.example.com/?from=mail", "should be a web address"),
        ("OPENAI_BASE_URL", "https://user:pass@api.openai.com/v1", "should not carry a user name"),
        ("DATABASE_URL", "mysql://db/finops", "should begin with sqlite:/// or postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@db:port/finops", "the database address cannot be read"),
        ("DATABASE_URL", "sqlite://", "SQLite needs a file"),
        ("FINOPS_COLLECT_CRON", "every morning", "five crontab fields"),
        ("FINOPS_COLLECT_CRON", "0 9 * * 1", "name weekdays"),
        ("FINOPS_COLLECT_CRON", "0 9 31 2 *", "never comes"),
        ("FINOPS_COLLECT_TIMEZONE", "Asia/Soul", "should be a time zone"),
        ("FINOPS_BACKFILL_DAYS", "half a year", "whole number from 1 to 1200"),
        ("FINOPS_BACKFILL_DAYS", "0", "whole number from 1 to 1200"),
        ("PORT", "65536", "whole number from 0 to 65535"),
        ("FINOPS_LOCALE", "korean", "one of ko, en, ja"),
        ("FINOPS_ADMINS", "이지훈", "Slack member ids"),
        ("FINOPS_KEYS", "k1:dG9vIHNob3J0", "has 9 bytes"),
        ("FINOPS_KEYS", "no-colon", "there is no colon"),
        ("FINOPS_PLAINTEXT_HOSTS", "http://127.0.0.1/", "host names without scheme"),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("FINOPS_TLS_CERTIFICATE", "/nowhere/cert.pem", "names a file that is not there"),
    ],
)
def test_each_wrong_value_gets_its_own_sentence(name: str, text: str, said: str):
    """A mistake names its variable first, says what it should be, and ends with a full stop."""
    sentence = next(m for m in mistakes_of(**{name: text}) if m.startswith(name))
    assert said in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SLACK_BOT_TOKEN": None, "SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET go together"),
        ({"SLACK_CLIENT_SECRET": "x"}, "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET go together"),
        ({"SLACK_APP_TOKEN": None}, "SLACK_APP_TOKEN (Socket Mode, no public URL) or SLACK_SIGNING_SECRET"),
        ({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x"}, "keep one of the two"),
        ({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x"}, "FINOPS_PUBLIC_URL is missing"),
        ({"OPENAI_BASE_URL": "http://proxy.internal/v1"}, "name proxy.internal in FINOPS_PLAINTEXT_HOSTS"),
        ({"SLACK_API_URL": "http://127.0.0.1:9/api/"}, "name 127.0.0.1 in FINOPS_PLAINTEXT_HOSTS"),
        ({"FINOPS_HOST": "0.0.0.0"}, "would be served without TLS"),
        ({"FINOPS_ADMIN": "U1"}, "FINOPS_ADMIN is not a setting; did you mean FINOPS_ADMINS?"),
        ({"SLACK_VERIFICATION_TOKEN": "x"}, "SLACK_VERIFICATION_TOKEN is not used"),
        ({"ALL_PROXY": "socks5://127.0.0.1:1080"}, "ALL_PROXY should be an HTTP proxy"),
        ({"https_proxy": "proxy.internal:3128"}, "https_proxy should be an HTTP proxy such as http://"),
    ],
)
def test_settings_that_disagree_are_told_together(changes: dict[str, str | None], said: str):
    """Pairs, alternatives and misspelt names are checked across variables."""
    assert any(said in sentence for sentence in mistakes_of(**changes))


def test_no_mistake_repeats_a_secret():
    """What is wrong is said without the value: these sentences end up in logs and tickets."""
    wrong = {
        "SLACK_BOT_TOKEN": "xox" + "p-canary-in-the-wrong-place",
        "SLACK_APP_TOKEN": "canary-without-prefix",
        "SLACK_SIGNING_SECRET": "canary secret",
        "SLACK_CLIENT_SECRET": "canary-client",
        "FINOPS_KEYS": "k1:canary!",
        "DATABASE_URL": "mysql://me:canary@db/x",
        "HTTPS_PROXY": "socks5://me:canary@proxy.internal:1080",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(wrong)
    assert "canary" not in str(caught.value)


def test_plaintext_is_allowed_only_where_it_is_named():
    """The exception to TLS is explicit, per host."""
    settings = Settings.from_env(
        GOOD
        | {
            "SLACK_API_URL": "http://127.0.0.1:9000/api/",
            "OPENAI_BASE_URL": "http://127.0.0.1:9001/v1",
            "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
        }
    )
    assert settings.plaintext_hosts == {"127.0.0.1"}


def test_an_empty_variable_counts_as_unset():
    """`.env.example` is full of empty lines; copying it must not break anything."""
    assert Settings.from_env(GOOD | {"SLACK_SIGNING_SECRET": "", "PORT": " "}).port == 3000


@pytest.mark.parametrize("name", ["FINOPS_KEYS_FILE", "FINOPS_PRICES"])
@pytest.mark.parametrize("text", ["/" + "x" * 300, "~nobody-of-that-name/file"])
def test_a_file_that_cannot_even_be_looked_for_is_said_in_a_sentence(name: str, text: str):
    """As one in a folder that is closed to the bot, which is closed to no test that root runs."""
    assert any(
        said.startswith(f"{name} names a file that cannot be looked for (") for said in mistakes_of(**{name: text})
    )


def test_a_file_is_the_same_one_wherever_an_operator_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`run.py run doctor` in another folder looked at another, new and empty database than the bot's."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env(GOOD | {"DATABASE_URL": "sqlite:///finops.db", "FINOPS_PRICES": "LICENSE"})
    assert settings.database_url.reveal() == f"sqlite:///{CHECKOUT / 'finops.db'}"
    assert settings.prices == CHECKOUT / "LICENSE"
    elsewhere = Settings.from_env(GOOD | {"DATABASE_URL": f"sqlite:///{tmp_path / 'finops.db'}"})
    assert elsewhere.database_url.reveal() == f"sqlite:///{tmp_path / 'finops.db'}"


def test_where_we_serve_is_told_as_an_address_that_can_be_called():
    """Applications are told it where nobody named another; the newer kind of address stands in brackets."""
    assert Settings.from_env(GOOD | {"FINOPS_HOST": "::1"}).own_address == "http://[::1]:3000"
    assert Settings.from_env(GOOD | {"PORT": "80"}).own_address == "http://127.0.0.1:80"


def test_the_keys_may_lie_in_a_private_file(tmp_path: Path):
    """One key per line, the first seals; a file others can read is refused with the command that mends it."""
    file = tmp_path / "keys"
    file.write_text(f"{KeyRing.generate('new').to_text()}\n{KeyRing.generate('old').to_text()}\n")
    file.chmod(0o600)
    settings = Settings.from_env(GOOD | {"FINOPS_KEYS": "", "FINOPS_KEYS_FILE": str(file)})
    assert KeyRing.from_text(settings.ring_text.reveal()).primary_id == "new"
    file.chmod(0o644)
    assert any("chmod 600" in m for m in mistakes_of(FINOPS_KEYS=None, FINOPS_KEYS_FILE=str(file)))


def printing(text: str) -> str:
    """A command that prints `text`, as somebody would write it down."""
    return shlex.join([sys.executable, "-c", f"import sys; sys.stdout.write({text!r})"])


def test_a_key_management_service_may_hand_over_the_keys():
    """Its command is split as a shell would, sees our environment, and prints what the file would hold."""
    rings = [KeyRing.generate(name).to_text() for name in ("new", "old")]
    settings = Settings.from_env(GOOD | {"FINOPS_KEYS": "", "FINOPS_KEYS_COMMAND": printing("\n".join(rings) + "\n")})
    assert KeyRing.from_text(settings.ring_text.reveal()).primary_id == "new"
    asking = shlex.join([sys.executable, "-c", "import os; print(os.environ['WHERE_KEYS_ARE'])"])
    settings = Settings.from_env(GOOD | {"FINOPS_KEYS": "", "FINOPS_KEYS_COMMAND": asking, "WHERE_KEYS_ARE": rings[1]})
    assert KeyRing.from_text(settings.ring_text.reveal()).primary_id == "old"


FAILING = shlex.join([sys.executable, "-c", "import sys; print('canary'); sys.exit(3)"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("no-such-program --now", "cannot be run (No such file or directory: no-such-program)"),
        (FAILING, "ended with 3; run it by hand to see why"),
        (printing("k1:canary!"), "cannot be used"),
        (printing(""), "cannot be used"),
        (
            shlex.join([sys.executable, "-c", "import os; os.write(1, b'\\xff\\xfe')"]),
            "wrote something that is no text",
        ),
        ("sh -c 'open", "cannot be split into words: a quote is open"),
    ],
)
def test_a_service_that_does_not_hand_them_over_is_told_without_what_it_printed(words: str, said: str):
    """Once: that keys are missing would be no second mistake."""
    [sentence] = mistakes_of(FINOPS_KEYS=None, FINOPS_KEYS_COMMAND=words)
    assert sentence.startswith("FINOPS_KEYS_COMMAND ")
    assert said in sentence
    assert "canary" not in sentence


def test_a_service_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    """It may be waiting for somebody to type."""
    monkeypatch.setattr(readers, "_COMMAND_SECONDS", 0.2)
    waiting = shlex.join([sys.executable, "-c", "import signal; signal.pause()"])
    [sentence] = mistakes_of(FINOPS_KEYS=None, FINOPS_KEYS_COMMAND=waiting)
    assert "did not end within" in sentence


def test_the_keys_stand_in_one_place(tmp_path: Path):
    """Which of two would win is nothing to guess."""
    file = tmp_path / "keys"
    file.write_text(KEYS)
    file.chmod(0o600)
    [sentence] = mistakes_of(FINOPS_KEYS_FILE=str(file), FINOPS_KEYS_COMMAND="true")
    assert (
        sentence == "FINOPS_KEYS and FINOPS_KEYS_FILE and FINOPS_KEYS_COMMAND hold the master keys: keep one of them."
    )


def test_a_settings_object_never_shows_a_secret():
    """Somebody will print it one day."""
    settings = Settings.from_env(GOOD | {"DATABASE_URL": "postgresql://me:canary@db/x"})
    assert "canary" not in repr(settings)
    assert KEYS not in repr(settings)


def test_reading_settings_logs_nothing(caplog: pytest.LogCaptureFixture):
    """They say how to log: a line before that would be none of JSON, and told again when the database is opened."""
    Settings.from_env(GOOD | {"DATABASE_URL": "postgresql://me:canary@db/x?sslmode=disable"})
    assert caplog.records == []


def test_env_file_is_read_as_people_write_it(tmp_path: Path):
    """Comments, quotes, `export` and blank lines are understood; a value may hold an equals sign."""
    file = tmp_path / ".env"
    file.write_text(
        "# the bot\nexport A=1\n\nB='two # not a comment'\nC=\"three\" \nD=four # a comment\nE=k1:abc==\nF=\n"
        "G=\"five # not one\" # but this is, and \"quotes\" in it\nH='it''s'\n"
    )
    file.chmod(0o600)
    assert read_env_file(file) == {
        "A": "1", "B": "two # not a comment", "C": "three", "D": "four", "E": "k1:abc==", "F": "",
        "G": "five # not one", "H": "it''s",
    }  # fmt: skip


def test_env_file_with_a_broken_line_or_open_to_others_is_refused(tmp_path: Path):
    """The line is named, its content is not."""
    file = tmp_path / ".env"
    assert read_env_file(file) == {}
    file.write_text("A=1\ncanary without equals\n")
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="line 2") as caught:
        read_env_file(file)
    assert "canary" not in str(caught.value)
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_env_file(file)


def test_files_that_hold_something_else_are_told_with_everything_else(tmp_path: Path):
    """A certificate that is none, a key file that is no text: sentences, not tracebacks."""
    (tmp_path / "cert.pem").write_text("not a certificate")
    for name in ("key.pem", "keys.txt"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00")
        (tmp_path / name).chmod(0o600)
    told = mistakes_of(
        FINOPS_TLS_CERTIFICATE=str(tmp_path / "cert.pem"),
        FINOPS_TLS_KEY=str(tmp_path / "key.pem"),
        FINOPS_KEYS=None,
        FINOPS_KEYS_FILE=str(tmp_path / "keys.txt"),
        PORT="many",
    )
    assert sum("cannot be served with" in sentence for sentence in told) == 1
    assert sum("cannot be read as text" in sentence for sentence in told) == 1
    assert len(told) == 3


def test_a_file_of_secrets_that_is_somebody_elses_is_told_in_the_systems_words(tmp_path: Path):
    """A key mounted into a container belongs to whoever made it; a folder stands for it: root may read all files."""
    with pytest.raises(readers.Mistake, match=r"which cannot be read \(Is a directory\)"):
        readers.private_text(tmp_path)
