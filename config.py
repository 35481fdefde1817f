"""Every setting of the portal: read once from the environment or a `.env` file, checked at start, never changed."""

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
SECRET_SETTINGS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "MAIL_PASSWORD", "METRICS_TOKEN")


class BadSetting(Exception):
    """A setting that cannot be used. The message names it, says what is wrong and gives an example."""

    def __init__(self, name: str, problem: str, example: str) -> None:
        super().__init__(f"{name}: {problem}. Example: {name}={example}")


@dataclass(frozen=True)
class MailServer:
    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    use_tls: bool
    use_ssl: bool


@dataclass(frozen=True)
class AndroidApp:
    """The Play Store build that may show this portal as its own."""

    package_name: str
    fingerprints: tuple[str, ...]  # SHA-256 of its signing certificates, as AA:BB:...


@dataclass(frozen=True)
class Settings:
    """What the operator decides. Times in the unit that the name ends in."""

    env: str
    database_url: str = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)  # newest first; the others still open what they once signed
    public_url: str
    host: str
    port: int
    trusted_proxies: int
    mail_server: MailServer | None  # None: mails become files in mail_folder
    mail_sender: str
    ratelimit_storage_uri: str
    address_limits: bool
    token_lifetime_minutes: int
    resend_cooldown_seconds: int
    password_policy: str
    cpns_activation: str
    email_change_delay_hours: int
    session_idle_minutes: int
    session_absolute_hours: int
    metrics_token: str | None = field(repr=False)
    portal_name: str
    portal_operator: str
    android_app: AndroidApp | None  # None: there is no build in the Play Store
    instance: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; raises BadSetting at the first that cannot be used."""
        source = _Source(_with_env_file(os.environ) if environ is None else environ)
        instance = Path(source.text("INSTANCE_PATH", str(ROOT / "instance")))
        env = source.one_of("PORTAL_ENV", "demo", ("demo", "production", "test"))
        host = source.text("HOST", "127.0.0.1")
        port = source.number("PORT", 5000, 1, 65535)
        mail_server = _mail_server(source)
        address_limits = source.one_of("ADDRESS_LIMITS", "on", ("on", "off")) == "on"
        if env == "production":
            if mail_server is None:
                raise BadSetting("MAIL_SERVER", "must be set where PORTAL_ENV=production", "smtp.example.go.id")
            if not address_limits:
                raise BadSetting("ADDRESS_LIMITS", "cannot be off where PORTAL_ENV=production", "on")
        return cls(
            env=env,
            database_url=_database_url(source.text("DATABASE_URL", "sqlite:///instance/portal.db")),
            secret_keys=_secret_keys(source, env, instance),
            public_url=_public_url(source.text("PUBLIC_URL", f"http://{_in_url(host)}:{port}")),
            host=host,
            port=port,
            trusted_proxies=source.number("TRUSTED_PROXIES", 0, 0, 10),
            mail_server=mail_server,
            mail_sender=_mail_sender(source),
            ratelimit_storage_uri=_ratelimit_storage(source),
            address_limits=address_limits,
            token_lifetime_minutes=source.number("TOKEN_LIFETIME_MINUTES", 60, 1, 24 * 60),
            resend_cooldown_seconds=source.number("RESEND_COOLDOWN_SECONDS", 60, 0, 3600),
            password_policy=source.one_of("PASSWORD_POLICY", "mysapk2021", ("mysapk2021", "asn2025")),
            cpns_activation=source.one_of("CPNS_ACTIVATION", "admin", ("admin", "otomatis")),
            email_change_delay_hours=source.number("EMAIL_CHANGE_DELAY_HOURS", 24, 0, 14 * 24),
            session_idle_minutes=source.number("SESSION_IDLE_MINUTES", 30, 1, 24 * 60),
            session_absolute_hours=source.number("SESSION_ABSOLUTE_HOURS", 12, 1, 24 * 7),
            metrics_token=source.text("METRICS_TOKEN", "") or None,
            portal_name=source.line("PORTAL_NAME", "MySAPK"),
            portal_operator=source.line("PORTAL_OPERATOR", "Simulasi - bukan layanan resmi BKN"),
            android_app=_android_app(source),
            instance=instance,
        )

    @property
    def is_demo(self) -> bool:
        return self.env == "demo"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def has_demo_mailbox(self) -> bool:
        """Whether /kotak-surat shows what would otherwise be mailed."""
        return self.is_demo and self.mail_server is None

    @property
    def mail_folder(self) -> Path:
        return self.instance / "mail"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The values of a Host header that the portal answers to."""
        own = urlsplit(self.public_url).netloc
        if not self.is_demo:
            return frozenset({own})
        port = urlsplit(self.public_url).port
        suffix = f":{port}" if port else ""
        return frozenset({own, f"localhost{suffix}", f"127.0.0.1{suffix}"})


class _Source:
    """Environment variables with their checks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        if name in SECRET_SETTINGS and (path := self._environ.get(f"{name}_FILE")):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as fault:
                raise BadSetting(f"{name}_FILE", f"cannot be read ({fault})", "/run/secrets/value") from fault
        return self._environ.get(name, "").strip() or default

    def line(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not value.isprintable() or len(value) > 100:
            raise BadSetting(name, "must be one line of at most 100 printable characters", default)
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise BadSetting(name, f"must be a whole number from {least} to {most}, not {text!r}", str(default))

    def one_of(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.text(name, default)
        if text in choices:
            return text
        raise BadSetting(name, f"must be one of {', '.join(choices)}, not {text!r}", default)

    def yes(self, name: str) -> bool:
        text = self.text(name, "false").lower()
        if text in ("true", "1", "on", "yes", "false", "0", "off", "no"):
            return text in ("true", "1", "on", "yes")
        raise BadSetting(name, f"must be true or false, not {text!r}", "true")


def _with_env_file(environ: Mapping[str, str]) -> dict[str, str]:
    """The `.env` file beside this one, overridden by the real environment."""
    from_file = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
    return {**from_file, **environ}


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _public_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        extras = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not extras
    except ValueError:
        usable = False
    if not usable or not text.isascii():
        raise BadSetting("PUBLIC_URL", f"must be scheme and host without a path, not {text!r}", "https://mysapk.example.go.id")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _database_url(text: str) -> str:
    """SQLAlchemy's URL; a relative SQLite path counts from the project's root, wherever the command is started."""
    try:
        url = make_url(text)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError, ValueError) as error:
        raise BadSetting(
            "DATABASE_URL", "is not a URL that SQLAlchemy can open here", "postgresql+psycopg://user:password@host/portal"
        ) from error
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = ROOT / url.database
        _make_folder(file.parent, "DATABASE_URL", "sqlite:///instance/portal.db")
        url = url.set(database=str(file))
    return url.render_as_string(hide_password=False)


def _secret_keys(source: _Source, env: str, instance: Path) -> tuple[str, ...]:
    key = source.text("SECRET_KEY", "")
    if not key and env == "production":
        raise BadSetting("SECRET_KEY", "must be set where PORTAL_ENV=production", secrets.token_urlsafe(32))
    if env == "production" and len(key) < 32:
        raise BadSetting("SECRET_KEY", "must have at least 32 characters", secrets.token_urlsafe(32))
    old_keys = [old.strip() for old in source.text("SECRET_KEY_FALLBACKS", "").split(",") if old.strip()]
    return (key or _development_key(instance), *old_keys)


def _development_key(instance: Path) -> str:
    """A key of this checkout's own, made at the first start. Two processes that start at once agree on one."""
    _make_folder(instance, "INSTANCE_PATH", "instance")
    path = instance / "secret_key"
    candidate = path.with_suffix(f".{os.getpid()}")
    if not path.exists():
        candidate.touch(mode=0o600)
        candidate.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(candidate, path)
        candidate.unlink()
    return path.read_text().strip()


def _make_folder(folder: Path, setting: str, example: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise BadSetting(setting, f"needs the folder {folder}, which cannot be made ({fault.strerror})", example) from fault


def _mail_sender(source: _Source) -> str:
    example = "MySAPK <no-reply@mysapk.example>"
    text = source.line("MAIL_DEFAULT_SENDER", example)
    if "@" not in parseaddr(text)[1].strip("@"):
        raise BadSetting("MAIL_DEFAULT_SENDER", f"must be an address, with or without a name, not {text!r}", example)
    return text


def _ratelimit_storage(source: _Source) -> str:
    text = source.text("RATELIMIT_STORAGE_URI", "memory://")
    if not text.startswith(("memory://", "redis://", "rediss://", "redis+")):
        raise BadSetting("RATELIMIT_STORAGE_URI", "must be memory:// or redis://...", "redis://localhost:6379/0")
    return text


def _android_app(source: _Source) -> AndroidApp | None:
    """Both settings or neither: one alone would look as if the app were vouched for."""
    package, listed = source.text("ANDROID_PACKAGE_NAME", ""), source.text("ANDROID_CERT_FINGERPRINTS", "")
    if not package and not listed:
        return None
    if not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", package, re.ASCII):
        problem = f"must be a package name, not {package!r}" if package else "must be set with ANDROID_CERT_FINGERPRINTS"
        raise BadSetting("ANDROID_PACKAGE_NAME", problem, "id.example.mysapk")
    example = ":".join(["14", "6D", "E9", "83", "C5", "73", "06", "50"] * 4)
    fingerprints = tuple(one.strip().upper() for one in listed.split(",") if one.strip())
    if not fingerprints:
        raise BadSetting("ANDROID_CERT_FINGERPRINTS", "must be set with ANDROID_PACKAGE_NAME", example)
    for one in fingerprints:
        if not re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", one):
            problem = f"must be SHA-256 fingerprints (32 pairs of hex digits each), comma separated, not {one!r}"
            raise BadSetting("ANDROID_CERT_FINGERPRINTS", problem, example)
    return AndroidApp(package, fingerprints)


def _mail_server(source: _Source) -> MailServer | None:
    host = source.text("MAIL_SERVER", "")
    if not host:
        return None
    use_tls, use_ssl = source.yes("MAIL_USE_TLS"), source.yes("MAIL_USE_SSL")
    if use_tls and use_ssl:
        raise BadSetting("MAIL_USE_TLS", "and MAIL_USE_SSL cannot both be true", "false")
    username, password = source.text("MAIL_USERNAME", "") or None, source.text("MAIL_PASSWORD", "") or None
    if (username is None) != (password is None):
        raise BadSetting("MAIL_USERNAME", "and MAIL_PASSWORD must be set together", "portal")
    return MailServer(
        host=host,
        port=source.number("MAIL_PORT", 465 if use_ssl else 587 if use_tls else 25, 1, 65535),
        username=username,
        password=password,
        use_tls=use_tls,
        use_ssl=use_ssl,
    )
