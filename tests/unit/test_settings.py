"""Bad values stop the start, and the message has the name and an example. Unsafe values stop it if strangers
can come to the portal."""

import base64
import re
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

import config
from config import (
    EXAMPLES,
    ROOT,
    SECRET_SETTINGS,
    SHORTEST_KEY,
    SHORTEST_METRICS_TOKEN,
    BadSetting,
    Settings,
    weakness_of,
)

KEY = "vN2x-honest-7Qd0pJr4_key-Zt9LmW3cYbA"
OLD_KEY = "8c1f0e6b2d7a4935b0c8e1f7a2d46b93"
PRODUCTION = {
    "PORTAL_ENV": "production",
    "SECRET_KEY": KEY,
    "MAIL_SERVER": "smtp.example",
    "PUBLIC_URL": "https://mysapk.example",
    "INSTANCE_PATH": "/nonexistent",
}


def test_the_defaults_are_those_of_the_docs(tmp_path: Path) -> None:
    settings = Settings.from_env({"INSTANCE_PATH": str(tmp_path)})

    assert settings.public_url == "http://127.0.0.1:5000"
    assert settings.is_demo
    assert settings.has_demo_mailbox
    assert (settings.token_lifetime_minutes, settings.resend_cooldown_seconds) == (60, 60)
    assert (settings.session_idle_minutes, settings.session_absolute_hours) == (30, 12)
    assert settings.database_url.endswith("/instance/portal.db")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "５０００"),
        ("PORTAL_ENV", "prod"),
        ("PUBLIC_URL", "mysapk.example"),
        ("PUBLIC_URL", "https://mysapk.example/portal"),
        ("PUBLIC_URL", "https://user:x@mysapk.example"),
        ("PUBLIC_URL", "https://mysapk.example:notaport"),
        ("DATABASE_URL", "nonsense"),
        ("TRUSTED_PROXIES", "-1"),
        ("TOKEN_LIFETIME_MINUTES", "0"),
        ("PASSWORD_POLICY", "none"),
        ("CPNS_ACTIVATION", "ya"),
        ("ADDRESS_LIMITS", "maybe"),
        ("MAIL_USE_TLS", "perhaps"),
        ("MAIL_USERNAME", "portal"),
        ("MAIL_DEFAULT_SENDER", "junk"),
        ("MAIL_RETURN_PATH", "junk"),
        ("MAIL_RETURN_PATH", "bounce+x@mail.example"),
        ("MAIL_RETURN_PATH", "Portal <bounce@mail.example>"),
        ("MAIL_RETURN_PATH", f"{'b' * 23}@mail.example"),
        ("MAIL_RETURN_PATH", "bounce@localhost"),
        ("MAIL_RETURN_PATH", "bounce\r\nX: y@mail.example"),
        ("MAIL_DEFAULT_SENDER", "MySAPK\n<a@b.id>"),
        ("RATELIMIT_STORAGE_URI", "junk"),
        ("PUBLIC_URL", "http://[::1"),
        ("DATABASE_URL", "postgresql+psycopg://u:pw@h:xx/db"),
        ("DATABASE_URL", "oracle://u:pw@h/db"),
        ("DATABASE_URL", "sqlite:////dev/null/no/x.db"),
        ("INSTANCE_PATH", "/dev/null/x"),
        ("PORTAL_NAME", "two\nlines"),
        ("PUBLIC_URL", "http://localhost:80"),
        ("PUBLIC_URL", "https://localhost:443"),
        ("PUBLIC_URL", "https://localhost:0443"),
        ("PUBLIC_URL", "https://:password@localhost"),
        ("PUBLIC_URL", "http://localhost."),
        ("PUBLIC_URL", "http://münchen.example"),
        ("PUBLIC_URL", "http://local host"),
        ("PUBLIC_URL", "http://local\thost"),
        ("PUBLIC_URL", "http://*.example"),
        ("PUBLIC_URL", "http://a..example"),
        ("PUBLIC_URL", "http://127.1"),
        ("PUBLIC_URL", "http://0x7f.1"),
        ("PUBLIC_URL", "http://0.0.0.0:5000"),
        ("PUBLIC_URL", "http://localhost\\@mysapk.example"),
        ("DEMO_OPEN_TO_THE_WORLD", "perhaps"),
        ("METRICS_TOKEN", "two words"),
        ("PDM_URL", "http://pdm.example.go.id/"),
        ("PDM_URL", "javascript:alert(1)"),
        ("PDM_URL", "https://"),
        ("PDM_URL", "https://pdm.example.go.id:x/"),
        ("PDM_URL", "https://user:x@pdm.example.go.id/"),
        ("PDM_URL", 'https://pdm.example.go.id/"><script>'),
        ("PDM_URL", "https://pdm.example.go.id/a b"),
    ],
)
def test_a_bad_value_is_named_with_an_example(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=rf"(?s)^{name}:? .* Example: {name}="):
        Settings.from_env({"INSTANCE_PATH": str(tmp_path), "MAIL_SERVER": "smtp.example", name: value})


@pytest.mark.parametrize("missing", ["SECRET_KEY", "MAIL_SERVER"])
def test_production_does_not_start_without_its_own(missing: str) -> None:
    assert Settings.from_env(PRODUCTION).is_https

    with pytest.raises(BadSetting, match=f"^{missing}: "):
        Settings.from_env({name: value for name, value in PRODUCTION.items() if name != missing})


@pytest.mark.parametrize(("name", "value"), [("ADDRESS_LIMITS", "off"), ("SECRET_KEY", "short")])
def test_production_refuses_what_only_tests_may(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: "):
        Settings.from_env({**PRODUCTION, name: value})


def test_secrets_are_read_from_files_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a key from a file, long enough for production\n")
    environ = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}

    settings = Settings.from_env({**environ, "SECRET_KEY_FILE": str(file), "SECRET_KEY_FALLBACKS": OLD_KEY})

    assert settings.secret_keys == ("a key from a file, long enough for production", OLD_KEY)
    assert "a key from" not in repr(settings)
    with pytest.raises(BadSetting, match=r"^SECRET_KEY_FILE: cannot be read"):
        Settings.from_env({**environ, "SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_a_development_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first, second = (
        Settings.from_env({"INSTANCE_PATH": str(tmp_path / "new")}).secret_keys for _ in range(2)
    )

    assert first == second
    assert len(first[0]) >= 32
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o077 == 0


def test_only_the_demo_takes_localhost_and_127_for_one(tmp_path: Path) -> None:
    environ = {"INSTANCE_PATH": str(tmp_path), "PUBLIC_URL": "http://127.0.0.1:5000"}

    assert "localhost:5000" in Settings.from_env(environ).allowed_hosts
    assert Settings.from_env({**environ, "PORTAL_ENV": "test"}).allowed_hosts == {"127.0.0.1:5000"}


# -- where strangers come
MAIL_LOGIN = {"MAIL_USERNAME": "portal", "MAIL_PASSWORD": "surat-dari-portal"}
# Settings that would start, but let strangers in or keep everybody out: the settings, the name in the
# message, and a word of the reason.
UNSAFE = [
    ({"PUBLIC_URL": ""}, "PUBLIC_URL", "must be set"),
    ({"PUBLIC_URL": "http://mysapk.example"}, "PUBLIC_URL", "https"),
    ({"PUBLIC_URL": "https://mysapk.example:443"}, "PUBLIC_URL", ":443"),
    ({"PUBLIC_URL": "https://mysapk.example."}, "PUBLIC_URL", "dot"),
    ({"PUBLIC_URL": "", "HOST": "0.0.0.0"}, "PUBLIC_URL", "must be set"),
    ({"SECRET_KEY": ""}, "SECRET_KEY", "must be set"),
    ({"SECRET_KEY": "a"}, "SECRET_KEY", "32 characters"),
    ({"SECRET_KEY": "k" * 40}, "SECRET_KEY", "different characters"),
    ({"SECRET_KEY": "changeme" * 5}, "SECRET_KEY", "again and again"),
    ({"SECRET_KEY_FALLBACKS": "a"}, "SECRET_KEY_FALLBACKS", "32 characters"),
    ({"SECRET_KEY_FALLBACKS": f"{OLD_KEY},{'k' * 40}"}, "SECRET_KEY_FALLBACKS", "part 2"),
    ({"SECRET_KEY_FALLBACKS": KEY}, "SECRET_KEY_FALLBACKS", "not the one in SECRET_KEY"),
    ({"SECRET_KEY_FALLBACKS": f"{OLD_KEY},{OLD_KEY}"}, "SECRET_KEY_FALLBACKS", "each once"),
    ({"MAIL_SERVER": ""}, "MAIL_SERVER", "must be set"),
    (MAIL_LOGIN, "MAIL_USE_TLS", "in the clear"),
    ({"METRICS_TOKEN": "a"}, "METRICS_TOKEN", "16 characters"),
    ({"METRICS_TOKEN": "a" * 30}, "METRICS_TOKEN", "different characters"),
    ({"METRICS_TOKEN": KEY}, "METRICS_TOKEN", "a key of the portal"),
    ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG", "strangers"),
    ({"FLASK_DEBUG": "jawohl"}, "FLASK_DEBUG", "strangers"),
    ({"ADDRESS_LIMITS": "off"}, "ADDRESS_LIMITS", "cannot be off"),
    ({"EMAIL_CHANGE_DELAY_HOURS": "0"}, "EMAIL_CHANGE_DELAY_HOURS", "in time"),
    ({"RESEND_COOLDOWN_SECONDS": "0"}, "RESEND_COOLDOWN_SECONDS", "at least 10"),
    ({"SESSION_IDLE_MINUTES": "120", "SESSION_ABSOLUTE_HOURS": "2"}, "SESSION_IDLE_MINUTES", "ends nothing"),
    ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL", "in memory"),
    ({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL", "in memory"),
    ({"DEMO_OPEN_TO_THE_WORLD": "yes"}, "DEMO_OPEN_TO_THE_WORLD", "demo alone"),
    ({"MAIL_SEVER": "smtp.example"}, "MAIL_SEVER", "did you mean MAIL_SERVER"),
    ({"MAIL_SERVER_FILE": "/run/secrets/mail"}, "MAIL_SERVER_FILE", "only secrets are read from files"),
    ({"SECRET_KEY_FILE": "/run/secrets/key"}, "SECRET_KEY_FILE", "both set"),
]


@pytest.mark.parametrize(
    ("environ", "name", "reason"), UNSAFE, ids=lambda part: part if isinstance(part, str) else ""
)
def test_production_refuses_by_name_with_reason_and_example(
    environ: dict[str, str], name: str, reason: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_env({**PRODUCTION, **environ})

    told = [str(fault) for fault in refused.value.faults if fault.name == name]
    assert len(told) == 1, str(refused.value)
    assert reason in told[0], str(refused.value)
    example = re.search(r"\. Example: (\w+)=(.+)$", told[0])
    assert example
    assert example[1] in EXAMPLES | {f"{secret}_FILE": "" for secret in SECRET_SETTINGS}
    assert example[2]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_env(
            {
                "PORTAL_ENV": "production",
                "PORT": "x",
                "SECRET_KEY": "a",
                "FLASK_DEBUG": "1",
                "INSTANCE_PATH": "/x",
            }
        )

    assert {fault.name for fault in refused.value.faults} == {
        "PORT",
        "SECRET_KEY",
        "FLASK_DEBUG",
        "PUBLIC_URL",
        "MAIL_SERVER",
    }
    assert str(refused.value).splitlines() == [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize("value", [KEY, "p4ssw0rd-of-somebody"])
def test_what_is_wrong_is_told_without_the_secret(value: str) -> None:
    for name in (
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "MAIL_PASSWORD",
        "METRICS_TOKEN",
        "SECRET_KEYS",
        "MAIL_PASWORD",
    ):
        try:
            told = Settings.from_env({**PRODUCTION, name: value}).remarks
        except BadSetting as bad:
            told = (str(bad),)
        assert value not in "".join(told)
    with pytest.raises(BadSetting) as refused:
        Settings.from_env({**PRODUCTION, "PUBLIC_URL": f"https://admin:{value}@mysapk.example"})
    assert value not in str(refused.value)


def test_a_safe_production_starts() -> None:
    settings = Settings.from_env(
        {
            **PRODUCTION,
            **MAIL_LOGIN,
            "MAIL_USE_TLS": "true",
            "MAIL_DEFAULT_SENDER": "MySAPK <mysapk@nusajaya.example>",
            "PORTAL_OPERATOR": "BKPSDM Nusa Jaya",
            "SECRET_KEY_FALLBACKS": OLD_KEY,
            "METRICS_TOKEN": secrets.token_urlsafe(24),
            "DATABASE_URL": "postgresql+psycopg://portal@db/portal",
            "RATELIMIT_STORAGE_URI": "redis://redis:6379/0",
            "TRUSTED_PROXIES": "1",
            "HOST": "0.0.0.0",
            "FLASK_DEBUG": "0",
        }
    )

    assert settings.remarks == ()
    assert settings.allowed_hosts == {"mysapk.example"}
    assert not settings.has_demo_mailbox


def test_a_mail_server_on_this_machine_may_be_told_the_password_without_tls() -> None:
    for relay in ("localhost", "127.0.0.1", "::1"):
        assert Settings.from_env({**PRODUCTION, **MAIL_LOGIN, "MAIL_SERVER": relay}).mail_server


def test_what_is_only_unwise_is_remarked() -> None:
    remarks = Settings.from_env(
        {**PRODUCTION, "TOKEN_LIFETIME_MINUTES": "1440", "SESSION_IDLE_MINUTES": "300"}
    ).remarks

    assert {remark.split(":")[0] for remark in remarks} == {
        "DATABASE_URL", "RATELIMIT_STORAGE_URI", "TRUSTED_PROXIES", "MAIL_USE_TLS", "MAIL_DEFAULT_SENDER",
        "PORTAL_OPERATOR",
        "TOKEN_LIFETIME_MINUTES", "SESSION_IDLE_MINUTES",
    }  # fmt: skip


def test_the_public_url_is_what_browsers_put_into_the_host_header(tmp_path: Path) -> None:
    def hosts(url: str) -> frozenset[str]:
        return Settings.from_env({**PRODUCTION, "PUBLIC_URL": url}).allowed_hosts

    assert hosts("HTTPS://MySAPK.Example/") == {"mysapk.example"}
    assert (
        hosts("https://mysapk.example:08443")
        == hosts("https://mysapk.example:8443/")
        == {"mysapk.example:8443"}
    )
    assert hosts("https://mysapk.example:") == {"mysapk.example"}
    assert hosts("https://mysapk.example:80") == {"mysapk.example:80"}
    assert hosts("https://[0:0:0:0:0:0:0:1]:8443") == {"[::1]:8443"}
    assert hosts("https://xn--mnchen-3ya.example") == {"xn--mnchen-3ya.example"}
    assert Settings.from_env({"INSTANCE_PATH": str(tmp_path), "PORT": "80"}).public_url == "http://127.0.0.1"


# -- a demo is for this machine
@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:5000",
        "http://LOCALHOST",
        "http://127.0.0.1:5000",
        "http://127.8.9.1",
        "http://[::1]:1",
    ],
)
def test_a_demo_runs_on_this_machine(tmp_path: Path, url: str) -> None:
    assert Settings.from_env({"INSTANCE_PATH": str(tmp_path), "PUBLIC_URL": url}).has_demo_mailbox


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"PUBLIC_URL": "https://mysapk.contoh.go.id"}, "PORTAL_ENV"),
        ({"PUBLIC_URL": "https://mysapk.contoh.go.id", "PORTAL_ENV": "demo"}, "PORTAL_ENV"),
        ({"PUBLIC_URL": "https://mysapk.contoh.go.id", "MAIL_SERVER": "smtp.example"}, "PORTAL_ENV"),
        ({"PUBLIC_URL": "http://10.1.2.3:5000"}, "PORTAL_ENV"),
        ({"PUBLIC_URL": "http://127.0.0.1.nip.example"}, "PORTAL_ENV"),
        ({"PUBLIC_URL": "http://localhost.example"}, "PORTAL_ENV"),
        ({"HOST": "0.0.0.0"}, "HOST"),
        ({"HOST": "0.0.0.0", "PUBLIC_URL": "http://localhost:5000"}, "HOST"),
        ({"HOST": "::"}, "HOST"),
        ({"HOST": "10.1.2.3"}, "HOST"),
        ({"HOST": "portal.contoh.go.id"}, "HOST"),
        ({"TRUSTED_PROXIES": "1"}, "TRUSTED_PROXIES"),
    ],
)
def test_a_demo_that_others_could_reach_does_not_start(
    tmp_path: Path, environ: dict[str, str], name: str
) -> None:
    environ = {"INSTANCE_PATH": str(tmp_path), **environ}

    with pytest.raises(BadSetting) as refused:
        Settings.from_env(environ)

    told = next(str(fault) for fault in refused.value.faults if fault.name == name)
    assert "PORTAL_ENV=production" in told
    assert "DEMO_OPEN_TO_THE_WORLD=yes" in told
    assert "/kotak-surat" in told


def test_a_demo_may_be_open_to_the_world_when_somebody_says_so(tmp_path: Path) -> None:
    environ = {
        "INSTANCE_PATH": str(tmp_path),
        "DEMO_OPEN_TO_THE_WORLD": "yes",
        "HOST": "0.0.0.0",
        "TRUSTED_PROXIES": "1",
    }

    settings = Settings.from_env({**environ, "PUBLIC_URL": "https://demo.contoh.go.id"})

    assert settings.has_demo_mailbox
    assert "reads every mail" in settings.remarks[0]
    with pytest.raises(BadSetting, match=r"^PUBLIC_URL: "):
        # The default address is refused, because nobody can open http://0.0.0.0:5000
        Settings.from_env(environ)
    with pytest.raises(BadSetting, match=r"^FLASK_DEBUG: "):
        Settings.from_env({**environ, "PUBLIC_URL": "https://demo.contoh.go.id", "FLASK_DEBUG": "1"})


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"PUBLIC_URL": "https://mysapk.contoh.go.id"}, "PORTAL_ENV"),
        ({"HOST": "0.0.0.0", "PUBLIC_URL": "http://localhost"}, "HOST"),
        ({"DEMO_OPEN_TO_THE_WORLD": "yes"}, "DEMO_OPEN_TO_THE_WORLD"),
    ],
)
def test_the_leniency_of_tests_is_for_no_real_host(
    tmp_path: Path, environ: dict[str, str], name: str
) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: "):
        Settings.from_env({"INSTANCE_PATH": str(tmp_path), "PORTAL_ENV": "test", **environ})


# -- secrets
@pytest.mark.parametrize(
    ("make", "shortest"),
    [
        (lambda: secrets.token_hex(16), SHORTEST_KEY),
        (lambda: secrets.token_hex(32), SHORTEST_KEY),
        (lambda: secrets.token_urlsafe(32), SHORTEST_KEY),
        (lambda: base64.b64encode(secrets.token_bytes(32)).decode(), SHORTEST_KEY),
        (lambda: uuid.uuid4().hex, SHORTEST_KEY),
        (lambda: str(uuid.uuid4()), SHORTEST_KEY),
        (lambda: secrets.token_urlsafe(12), SHORTEST_METRICS_TOKEN),
    ],
)
def test_ten_thousand_honest_secrets_are_taken(make: Callable[[], str], shortest: int) -> None:
    assert [secret for secret in (make() for _ in range(10_000)) if weakness_of(secret, shortest)] == []


@pytest.mark.parametrize(
    "secret",
    [
        "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "oldoldoldoldoldoldoldoldoldoldoldold",
        "changeme-changeme-changeme-changeme",
        "0123456789abcdef0123456789abcdef", "abcdefghijklmnopqrstuvwxyz0123456789",
        "qwertyuiopasdfghjklzxcvbnm123456",
        "Passw0rd!Passw0rd!Passw0rd!Passw0rd?", "REPLACE_ME_WITH_A_RANDOM_32_CHAR_KEY",
        "ganti-ini-dengan-kunci-rahasia-anda",
        "your-secret-key-here-please-change-it", "mysapk-production-secret-key-2026!!",
        "00000000-0000-0000-0000-000000000000",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", "a key for tests only, of no "
            "use elsewhere",
    ],
)  # fmt: skip
def test_a_secret_that_can_be_guessed_is_not_one(secret: str) -> None:
    assert weakness_of(secret, SHORTEST_KEY)


def test_a_file_and_a_value_for_one_secret_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "two").write_text(f"{KEY}\n{OLD_KEY}\n")
    for name in SECRET_SETTINGS:
        for file, words in (("two", "both set"), ("empty", "one line"), ("two", "one line")):
            environ = {
                "INSTANCE_PATH": str(tmp_path),
                "MAIL_SERVER": "localhost",
                f"{name}_FILE": str(tmp_path / file),
            }
            with pytest.raises(BadSetting, match=rf"{name}_FILE: .*{words}.*Example: {name}_FILE="):
                Settings.from_env(environ | ({name: KEY} if words == "both set" else {}))


_BOUNCES = {"MAIL_RETURN_PATH": "bounce@mail.example", "BOUNCE_IMAP_PASSWORD": "x"}


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("imaps://bounce@imap.example", ("imap.example", 993, True, "bounce", "INBOX")),
        ("imaps://bounce%40mail.example@imap.example:9993/Pantulan%20surat",
         ("imap.example", 9993, True, "bounce@mail.example", "Pantulan surat")),
        ("imaps://bounce@mail.example@imap.example/INBOX/x", ("imap.example", 993, True,
        "bounce@mail.example", "INBOX/x")),
        ("imap://bounce@127.0.0.1", ("127.0.0.1", 143, False, "bounce", "INBOX")),
    ],
)  # fmt: skip
def test_the_mailbox_of_bounces_is_read_from_its_url(
    tmp_path: Path, url: str, read: tuple[object, ...]
) -> None:
    where = Settings.from_env(
        {"INSTANCE_PATH": str(tmp_path), **_BOUNCES, "BOUNCE_IMAP_URL": url}
    ).bounce_mailbox

    assert where
    assert (where.host, where.port, where.use_ssl, where.username, where.folder) == read
    assert "password" not in repr(where)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"BOUNCE_IMAP_URL": "imap://bounce@imap.example"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "imaps://bounce:x@imap.example"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "imaps://imap.example"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "imaps://b@imap.example:0"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "imaps://b@imap.example:x"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "imaps://b%0d%0aX@imap.example"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "https://b@imap.example"}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": ""}, "BOUNCE_IMAP_URL"),
        ({"BOUNCE_IMAP_URL": "imaps://b@imap.example", "MAIL_RETURN_PATH": ""}, "MAIL_RETURN_PATH"),
        ({"BOUNCE_IMAP_URL": "imaps://b@imap.example", "BOUNCE_IMAP_PASSWORD": ""}, "BOUNCE_IMAP_PASSWORD"),
        ({"BOUNCE_IMAP_URL": "imaps://b@imap.example", "BOUNCE_IMAP_PASSWORD": "é"}, "BOUNCE_IMAP_PASSWORD"),
    ],
)
def test_a_mailbox_that_cannot_be_read_stops_the_start(
    tmp_path: Path, environ: dict[str, str], name: str
) -> None:
    with pytest.raises(BadSetting, match=rf"(?m)^{name}: .* Example: {name}="):
        Settings.from_env({"INSTANCE_PATH": str(tmp_path), **_BOUNCES, **environ})


# -- names that are no settings
MISTYPED = {
    "MAIL_SEVER": "MAIL_SERVER", "mail_server": "MAIL_SERVER", "MAILSERVER": "MAIL_SERVER",
    "EMAIL_SERVER": "MAIL_SERVER",
    "MAIL_TLS": "MAIL_USE_TLS", "MAIL_USE_STARTTLS": "MAIL_USE_TLS", "MAIL_USER": "MAIL_USERNAME",
    "MAIL_PASS": "MAIL_PASSWORD",
    "MAIL_SENDER": "MAIL_DEFAULT_SENDER", "MAIL_PASSWORD_FIEL": "MAIL_PASSWORD_FILE",
    "TOKEN_LIFETIME_MINUTE": "TOKEN_LIFETIME_MINUTES",
    "TOKEN_LIFETIME_SECONDS": "TOKEN_LIFETIME_MINUTES", "SECRET_KEYS": "SECRET_KEY",
    "SECERT_KEY": "SECRET_KEY",
    "SECRET_KEY_FALLBACK": "SECRET_KEY_FALLBACKS", "PORTAL_SECRET_KEY": "SECRET_KEY",
    "FLASK_SECRET_KEY": "SECRET_KEY",
    "RATELIMIT_STORAGE_URL": "RATELIMIT_STORAGE_URI", "RATE_LIMIT_STORAGE_URI": "RATELIMIT_STORAGE_URI",
    "PORTAL_NAMES": "PORTAL_NAME", "PROTAL_ENV": "PORTAL_ENV", "PORTAL_PUBLIC_URL": "PUBLIC_URL",
    "PUBLIC_URI": "PUBLIC_URL",
    "TRUSTED_PROXY": "TRUSTED_PROXIES", "SESSION_IDLE": "SESSION_IDLE_MINUTES",
    "SESSION_TIMEOUT_MINUTES": "SESSION_IDLE_MINUTES",
    "EMAIL_CHANGE_DELAY_DAYS": "EMAIL_CHANGE_DELAY_HOURS", "DATABASE_URI": "DATABASE_URL",
    "METRIC_TOKEN": "METRICS_TOKEN",
    "PORTAL_ENV_FILE": "PORTAL_ENV", "PORTAL_PORT": "PORT", "DEMO_OPEN": "DEMO_OPEN_TO_THE_WORLD",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "meant"), MISTYPED.items())
def test_a_mistyped_name_is_refused_in_production_and_remarked_elsewhere(
    tmp_path: Path, typed: str, meant: str
) -> None:
    with pytest.raises(BadSetting, match=rf"^{typed}: is no setting.*{meant}.* Example: {meant}="):
        Settings.from_env({**PRODUCTION, typed: "1"})

    (remark,) = Settings.from_env({"INSTANCE_PATH": str(tmp_path), typed: "1"}).remarks
    assert remark.startswith(f"{typed}: is no setting")
    assert meant in remark


def test_every_slip_of_one_letter_is_noticed() -> None:
    for name in EXAMPLES.keys() - {"HOST", "PORT"}:
        slips = {
            name[:place] + letter + name[place + 1 :]
            for place in range(len(name))
            for letter in ("", "X", name[place] * 2)
        }
        slips |= {
            name[:place] + name[place + 1] + name[place] + name[place + 2 :] for place in range(len(name) - 1)
        }
        for slip in slips - EXAMPLES.keys():
            assert config.setting_meant_by(slip), slip


@pytest.mark.parametrize(
    "name", ["PORTAL_FOO", "MAIL_FROM", "MAIL_HOST", "CPNS_APPROVAL", "TRUSTED_PROXIES_COUNT", "MYSAPK_X"]
)
def test_a_name_that_begins_like_ours_is_remarked(name: str) -> None:
    assert [
        remark
        for remark in Settings.from_env({**PRODUCTION, name: "1"}).remarks
        if remark.startswith(f"{name}: ")
    ]


# Names that shells, systemd, containers, CI and libraries set
USUAL = (Path(__file__).parent / "usual_environment.txt").read_text().split()


def test_what_usual_environments_hold_is_no_mistake(tmp_path: Path) -> None:
    links = {
        f"{service}_PORT": "tcp://10.0.0.7:5000"
        for service in ("PORTAL", "MYSAPK", "MAIL_SERVER", "PORTAL_DB", "METRICS", "EMAIL")
    }
    usual = {**dict.fromkeys(USUAL, "1"), **links}

    assert Settings.from_env({**PRODUCTION, **usual}).remarks == Settings.from_env(PRODUCTION).remarks
    assert Settings.from_env({"INSTANCE_PATH": str(tmp_path), **usual}).remarks == ()
    assert Settings.from_env({**PRODUCTION, "MAIL_SEVER": ""}), "what is empty sets nothing anyway"


def _with_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, **environ: str) -> Settings:
    for name in [*EXAMPLES, *(f"{name}_FILE" for name in SECRET_SETTINGS)]:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"INSTANCE_PATH": str(tmp_path), **environ}.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / ".env"
    file.write_text(text)
    monkeypatch.setattr(config, "ENV_FILE", file)
    return Settings.from_env()


def test_in_the_env_file_every_unknown_name_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "PORTAL_NAME=MySAPK Contoh\nSMTP_HOST=smtp.example\nHOSTS=x\n"

    settings = _with_env_file(tmp_path, monkeypatch, lines)

    assert settings.portal_name == "MySAPK Contoh"
    assert [remark for remark in settings.remarks if "(in .env)" in remark] == list(settings.remarks)
    assert len(settings.remarks) == 2
    with pytest.raises(BadSetting) as refused:
        _with_env_file(tmp_path, monkeypatch, lines, **PRODUCTION)
    assert [fault.name for fault in refused.value.faults] == ["SMTP_HOST", "HOSTS"]
    with pytest.raises(BadSetting, match=r"^PORTAL_NAME: has no value \(in \.env\)"):
        _with_env_file(tmp_path, monkeypatch, "PORTAL_NAME\n")


def test_the_environment_overrides_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        _with_env_file(
            tmp_path, monkeypatch, "PORT=5001\nTRUSTED_PROXIES\n", PORT="5002", TRUSTED_PROXIES="0"
        ).port
        == 5002
    )


def test_the_example_and_the_docs_hold_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text()
    table = (ROOT / "docs" / "operation.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]

    assert set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)) == EXAMPLES.keys() - {"FLASK_DEBUG"}
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == EXAMPLES.keys() - {"FLASK_DEBUG"}


def test_the_example_of_an_env_file_starts_once_its_secrets_are_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / ".env.example").read_text()
    with pytest.raises(BadSetting, match=r"^SECRET_KEY: "):
        _with_env_file(tmp_path, monkeypatch, lines)

    filled = lines.replace("\nSECRET_KEY=\n", f"\nSECRET_KEY={KEY}\n").replace(
        "\nMAIL_PASSWORD=\n", "\nMAIL_PASSWORD=x\n"
    )
    assert _with_env_file(tmp_path, monkeypatch, filled).env == "production"
