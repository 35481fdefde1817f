"""Bad values stop the start, by name and with an example."""

from pathlib import Path

import pytest

from config import BadSetting, Settings

PRODUCTION = {
    "PORTAL_ENV": "production",
    "SECRET_KEY": "k" * 40,
    "MAIL_SERVER": "smtp.example",
    "PUBLIC_URL": "https://mysapk.example",
    "INSTANCE_PATH": "/nonexistent",
}


def test_the_defaults_are_those_of_the_readme(tmp_path: Path) -> None:
    settings = Settings.from_env({"INSTANCE_PATH": str(tmp_path)})

    assert settings.public_url == "http://127.0.0.1:5000" and settings.is_demo and settings.has_demo_mailbox
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
        ("MAIL_DEFAULT_SENDER", "MySAPK\n<a@b.id>"),
        ("RATELIMIT_STORAGE_URI", "junk"),
        ("PUBLIC_URL", "http://[::1"),
        ("DATABASE_URL", "postgresql+psycopg://u:pw@h:xx/db"),
        ("DATABASE_URL", "oracle://u:pw@h/db"),
        ("DATABASE_URL", "sqlite:////dev/null/no/x.db"),
        ("INSTANCE_PATH", "/dev/null/x"),
        ("PORTAL_NAME", "two\nlines"),
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

    settings = Settings.from_env({**environ, "SECRET_KEY_FILE": str(file), "SECRET_KEY_FALLBACKS": "old" * 12})

    assert settings.secret_keys == ("a key from a file, long enough for production", "old" * 12)
    assert "a key from" not in repr(settings)
    with pytest.raises(BadSetting, match=r"^SECRET_KEY_FILE: cannot be read"):
        Settings.from_env({**environ, "SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_a_development_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first, second = (Settings.from_env({"INSTANCE_PATH": str(tmp_path / "new")}).secret_keys for _ in range(2))

    assert first == second and len(first[0]) >= 32
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o077 == 0


def test_only_the_demo_takes_localhost_and_127_for_one(tmp_path: Path) -> None:
    environ = {"INSTANCE_PATH": str(tmp_path), "PUBLIC_URL": "http://127.0.0.1:5000"}

    assert "localhost:5000" in Settings.from_env(environ).allowed_hosts
    assert Settings.from_env({**environ, "PORTAL_ENV": "test"}).allowed_hosts == {"127.0.0.1:5000"}
