"""Every setting of the portal: read once from the environment or a `.env` file, checked at start, and never
changed.

A setting that is merely wrong stops every start. A setting that is unsafe stops the start where strangers can
come: in production, and in a demo that other machines could reach. All faults are reported at once, and
`mysapk check` reports them in the same words.
"""

import os
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
ENV_FILE = ROOT / ".env"
# Every setting, each with an example. A name that is not in this table is no setting.
EXAMPLES = {
    "PORTAL_ENV": "production",
    "DEMO_OPEN_TO_THE_WORLD": "yes",
    "DATABASE_URL": "postgresql+psycopg://user:password@host/portal",
    "SECRET_KEY": "",  # a new one each time, because an example in a book is no secret
    "SECRET_KEY_FALLBACKS": "",
    "PUBLIC_URL": "https://mysapk.example.go.id",
    "HOST": "127.0.0.1",
    "PORT": "5000",
    "TRUSTED_PROXIES": "1",
    "MAIL_SERVER": "smtp.example.go.id",
    "MAIL_PORT": "587",
    "MAIL_USERNAME": "portal",
    "MAIL_PASSWORD": "",
    "MAIL_USE_TLS": "true",
    "MAIL_USE_SSL": "false",
    "MAIL_EHLO_NAME": "mysapk.example.go.id",
    "MAIL_DEFAULT_SENDER": "MySAPK <no-reply@mysapk.example>",
    "MAIL_RETURN_PATH": "bounce@mail.example.go.id",
    "BOUNCE_IMAP_URL": "imaps://bounce@imap.example.go.id/INBOX",
    "BOUNCE_IMAP_PASSWORD": "",
    "RATELIMIT_STORAGE_URI": "redis://localhost:6379/0",
    "ADDRESS_LIMITS": "on",
    "ASKS_PER_ADDRESS_PER_HOUR": "600",
    "TOKEN_LIFETIME_MINUTES": "60",
    "RESEND_COOLDOWN_SECONDS": "60",
    "DRAIN_SECONDS": "10",
    "SESSION_IDLE_MINUTES": "30",
    "SESSION_ABSOLUTE_HOURS": "12",
    "PASSWORD_POLICY": "mysapk2021",
    "EMAIL_CHANGE_DELAY_HOURS": "24",
    "CPNS_ACTIVATION": "admin",
    "ANDROID_PACKAGE_NAME": "id.example.mysapk",
    "ANDROID_CERT_FINGERPRINTS": ":".join(["14", "6D", "E9", "83", "C5", "73", "06", "50"] * 4),
    "METRICS_TOKEN": "",
    "WORKER_METRICS_PORT": "9105",
    "PORTAL_NAME": "MySAPK",
    "PORTAL_OPERATOR": "Simulasi - bukan layanan resmi BKN",
    "INSTANCE_PATH": "instance",
    "FLASK_DEBUG": "0",  # Flask's own
}
SECRET_SETTINGS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "MAIL_PASSWORD",
    "BOUNCE_IMAP_PASSWORD",
    "METRICS_TOKEN",
)
SHORTEST_KEY = 32  # characters
SHORTEST_METRICS_TOKEN = 16


@dataclass(frozen=True)
class SettingFault:
    """A setting that cannot be used: its name, what is wrong, and an example. The example is of another
    setting if that one was meant."""

    name: str
    problem: str
    example: str
    meant: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}. Example: {self.meant or self.name}={self.example}"


class BadSetting(Exception):
    """Settings that cannot be used, one on each line."""

    def __init__(self, *faults: SettingFault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True)
class MailServer:
    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    use_tls: bool
    use_ssl: bool


@dataclass(frozen=True)
class BounceMailbox:
    """The mailbox from which the worker fetches what comes to the return path."""

    host: str
    port: int
    use_ssl: bool
    username: str
    password: str = field(repr=False)
    folder: str


@dataclass(frozen=True)
class AndroidApp:
    """The Play Store build that may show this portal as its own pages."""

    package_name: str
    fingerprints: tuple[str, ...]  # SHA-256 of its signing certificates, as AA:BB:...


@dataclass(frozen=True)
class Settings:
    """What the operator decides. The end of a name says the unit of a time."""

    env: str
    database_url: str = field(repr=False)
    # Newest first; the others still open what they once signed
    secret_keys: tuple[str, ...] = field(repr=False)
    public_url: str
    host: str
    port: int
    trusted_proxies: int
    mail_server: MailServer | None  # None: mails become files in mail_folder
    mail_sender: str
    ehlo_name: str  # the name with which the portal introduces itself to the mail server; always a name
    mail_return_path: str | None  # None: mails that bounce come back to mail_sender, and nobody reads them
    bounce_mailbox: BounceMailbox | None  # None: reports come by `mysapk bounce`, or not at all
    ratelimit_storage_uri: str
    address_limits: bool
    asks_per_address_per_hour: int
    token_lifetime_minutes: int
    resend_cooldown_seconds: int
    password_policy: str
    cpns_activation: str
    email_change_delay_hours: int
    drain_seconds: int
    session_idle_minutes: int
    session_absolute_hours: int
    metrics_token: str | None = field(repr=False)
    worker_metrics_port: int | None  # None: a worker without a web beside it tells its metrics to nobody
    portal_name: str
    portal_operator: str
    android_app: AndroidApp | None  # None: there is no build in the Play Store
    instance: Path
    demo_open_to_the_world: bool
    remarks: tuple[str, ...] = ()  # what the operator should look at, although the portal starts

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; raises BadSetting with all faults together."""
        source = _Source(os.environ, ENV_FILE) if environ is None else _Source(environ)
        instance = Path(source.text("INSTANCE_PATH", str(ROOT / "instance")))
        env = source.one_of("PORTAL_ENV", "demo", ("demo", "production", "test"))
        host, port = source.text("HOST", "127.0.0.1"), source.number("PORT", 5000, 1, 65535)
        settings = cls(
            env=env,
            database_url=_database_url(source),
            secret_keys=_secret_keys(source, env, instance),
            public_url=_public_url(source, host, port),
            host=host,
            port=port,
            trusted_proxies=source.number("TRUSTED_PROXIES", 0, 0, 10),
            mail_server=_mail_server(source),
            mail_sender=_mail_sender(source),
            ehlo_name=_ehlo_name(source, host, port),
            mail_return_path=_mail_return_path(source),
            bounce_mailbox=_bounce_mailbox(source),
            ratelimit_storage_uri=_ratelimit_storage(source),
            address_limits=source.one_of("ADDRESS_LIMITS", "on", ("on", "off")) == "on",
            asks_per_address_per_hour=source.number("ASKS_PER_ADDRESS_PER_HOUR", 600, 10, 100_000),
            token_lifetime_minutes=source.number("TOKEN_LIFETIME_MINUTES", 60, 1, 24 * 60),
            resend_cooldown_seconds=source.number("RESEND_COOLDOWN_SECONDS", 60, 0, 3600),
            password_policy=source.one_of("PASSWORD_POLICY", "mysapk2021", ("mysapk2021", "asn2025")),
            cpns_activation=source.one_of("CPNS_ACTIVATION", "admin", ("admin", "otomatis")),
            email_change_delay_hours=source.number("EMAIL_CHANGE_DELAY_HOURS", 24, 0, 14 * 24),
            drain_seconds=source.number("DRAIN_SECONDS", 3, 0, 300),
            session_idle_minutes=source.number("SESSION_IDLE_MINUTES", 30, 1, 24 * 60),
            session_absolute_hours=source.number("SESSION_ABSOLUTE_HOURS", 12, 1, 24 * 7),
            metrics_token=_metrics_token(source),
            worker_metrics_port=(
                source.number("WORKER_METRICS_PORT", 0, 1, 65535)
                if source.is_set("WORKER_METRICS_PORT")
                else None
            ),
            portal_name=source.line("PORTAL_NAME", "MySAPK"),
            portal_operator=source.line("PORTAL_OPERATOR", "Simulasi - bukan layanan resmi BKN"),
            android_app=_android_app(source),
            instance=instance,
            demo_open_to_the_world=source.yes("DEMO_OPEN_TO_THE_WORLD"),
        )
        _look_at_names(source, env)
        if "PORTAL_ENV" not in source.faults:
            _LOOK_AT_ENV[env](source, settings)
        if source.faults:
            raise BadSetting(*source.faults.values())
        return replace(settings, remarks=tuple(source.remarks))

    @property
    def is_demo(self) -> bool:
        return self.env == "demo"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def email_change_delay(self) -> timedelta:
        return timedelta(hours=self.email_change_delay_hours)

    @property
    def has_demo_mailbox(self) -> bool:
        """Whether /kotak-surat shows the mails, instead of a mail server sending them."""
        return self.is_demo and self.mail_server is None

    @property
    def is_behind_a_proxy(self) -> bool:
        """Whether another program stands before the portal, and the portal itself speaks plain http. Then
        every request seems to be local, and its address proves nothing."""
        return self.trusted_proxies > 0 or self.is_https

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
    """Environment variables with their checks. The `.env` file beside this file counts less than the real
    environment.

    A value that cannot be used is noted as a fault, and a harmless value replaces it until all settings are
    read.
    """

    def __init__(self, environ: Mapping[str, str], file: Path | None = None) -> None:
        self.in_file = dotenv_values(file) if file else {}
        from_file = {name: value for name, value in self.in_file.items() if value is not None}
        self.environ = {**from_file, **environ}
        self.faults: dict[str, SettingFault] = {}
        self.remarks: list[str] = []

    def fault(self, name: str, problem: str, example: str = "", meant: str = "") -> None:
        """Only the first fault of a setting is reported."""
        self.faults.setdefault(
            name, SettingFault(name, problem, example or _example_of(meant or name), meant)
        )

    def is_set(self, name: str) -> bool:
        return bool(
            self.environ.get(name, "").strip()
            or (name in SECRET_SETTINGS and self.environ.get(f"{name}_FILE"))
        )

    def text(self, name: str, default: str) -> str:
        assert name in EXAMPLES, (
            f"{name} is missing in EXAMPLES, so whoever sets it would be told that it is no setting"
        )
        value = self.environ.get(name, "").strip()
        if name in SECRET_SETTINGS and (path := self.environ.get(f"{name}_FILE")):
            if value:
                self.fault(
                    f"{name}_FILE",
                    f"and {name} are both set; only one of them can hold",
                    "/run/secrets/value",
                )
            return self._from_file(f"{name}_FILE", path) or default
        return value or default

    def _from_file(self, name: str, path: str) -> str:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as fault:
            self.fault(name, f"cannot be read ({fault})", "/run/secrets/value")
            return ""
        if not value or "\n" in value:
            self.fault(
                name, f"must name a file that holds one line, and {path} is not one", "/run/secrets/value"
            )
        return value

    def line(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if value.isprintable() and len(value) <= 100:
            return value
        self.fault(name, "must be one line of at most 100 printable characters", default)
        return default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
            return int(text)
        self.fault(name, f"must be a whole number from {least} to {most}, not {text!r}", str(default))
        return default

    def one_of(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.text(name, default)
        if text in choices:
            return text
        self.fault(name, f"must be one of {', '.join(choices)}, not {text!r}", default)
        return default

    def yes(self, name: str) -> bool:
        text = self.text(name, "false").lower()
        if text not in ("true", "1", "on", "yes", "false", "0", "off", "no"):
            self.fault(name, f"must be true or false, not {text!r}", "true")
        return text in ("true", "1", "on", "yes")


def _example_of(name: str) -> str:
    return EXAMPLES.get(name, "") or secrets.token_urlsafe(32)


# -- single settings
def is_loopback(host: str) -> bool:
    """Whether the name leads only to this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _public_url(source: _Source, host: str, port: int) -> str:
    """Scheme, host and port must be as a browser writes them into the Host header. Otherwise every request
    would be refused."""
    derived = _url("http", host, None if port == 80 else port)
    text = source.text("PUBLIC_URL", "")
    if not text:
        if host in ("0.0.0.0", "::"):  # noqa: S104  (only compared; the portal does not listen on it here)
            source.fault("PUBLIC_URL", f"must be set where HOST={host}, which no browser can open")
        return derived
    try:
        parts = urlsplit(text)
        problem = _problem_of_url(text, parts)
    except ValueError:
        problem = f"must be scheme and host without a path, not {text!r}"
    if problem:
        source.fault("PUBLIC_URL", problem)
        return derived
    return _url(parts.scheme, parts.hostname or "", parts.port)


def _url(scheme: str, host: str, port: int | None) -> str:
    suffix = f":{port}" if port else ""
    return (
        f"{scheme}://[{IPv6Address(host).compressed}]{suffix}"
        if _is_ipv6(host)
        else f"{scheme}://{host.lower()}{suffix}"
    )


def _is_ipv6(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv6Address)
    except ValueError:
        return False


def _problem_of_url(text: str, parts: SplitResult) -> str | None:
    host = (parts.hostname or "").lower()
    if "@" in parts.netloc:
        return "must be scheme and host, without a user or password"
    extras = parts.path.strip("/") or parts.query or parts.fragment
    if (
        parts.scheme not in ("http", "https")
        or not host
        or parts.port == 0
        or extras
        or not text.isprintable()
    ):
        return f"must be scheme and host without a path, not {text!r}"
    if not host.isascii():
        return f"must have its host in ASCII letters, as browsers send it (xn--...), not {text!r}"
    if host.endswith("."):
        return (
            f"must not end its host in a dot, not {text!r}: browsers would send the dot along or not, "
            "as it was typed"
        )
    if parts.port == {"http": 80, "https": 443}[parts.scheme]:
        return (
            f"must leave out :{parts.port}, which browsers do not send, so that every request would be "
            "refused"
        )
    if not _is_host(host):
        return f"must have a host that browsers can open, not {host!r}"
    return None


def _is_host(host: str) -> bool:
    labels = host.split(".")
    if ":" in host or re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):  # browsers take these for addresses
        try:
            return "%" not in host and not ip_address(host).is_unspecified
        except ValueError:
            return False
    return len(host) <= 253 and all(
        re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels
    )


def _database_url(source: _Source) -> str:
    """SQLAlchemy's URL; a relative SQLite path starts at the project's root, in whichever folder the command
    is started."""
    text = source.text("DATABASE_URL", "sqlite:///instance/portal.db")
    try:
        url = make_url(text)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError, ValueError):
        source.fault("DATABASE_URL", "is not a URL that SQLAlchemy can open here")
        return "sqlite://"
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = ROOT / url.database
        _make_folder(source, file.parent, "DATABASE_URL", "sqlite:///instance/portal.db")
        url = url.set(database=str(file))
    return url.render_as_string(hide_password=False)


def _secret_keys(source: _Source, env: str, instance: Path) -> tuple[str, ...]:
    """The key and its fallbacks. A demo makes its own key. In production, the operator sets one that nobody
    can guess."""
    key = source.text("SECRET_KEY", "")
    old_keys = [old.strip() for old in source.text("SECRET_KEY_FALLBACKS", "").split(",") if old.strip()]
    if env == "production":
        if not key:
            source.fault("SECRET_KEY", "must be set where PORTAL_ENV=production")
            return ("-", *old_keys)
        if weakness := weakness_of(key, SHORTEST_KEY):
            source.fault(
                "SECRET_KEY", f"{weakness}: whoever guesses it can sign links that open every account"
            )
        for number, old in enumerate(old_keys, start=1):
            if weakness := weakness_of(old, SHORTEST_KEY):
                problem = (
                    f"{weakness} in its part {number} (parts end at commas): what it signs opens "
                    "accounts as well"
                )
                source.fault("SECRET_KEY_FALLBACKS", problem)
        if key in old_keys or len(set(old_keys)) < len(old_keys):
            source.fault(
                "SECRET_KEY_FALLBACKS", "must hold former keys, each once, and not the one in SECRET_KEY"
            )
    return (key or _development_key(source, instance), *old_keys)


# What people put in the place of a secret, and secrets that stand in well-known books.
_NO_SECRETS = re.compile(
    r"change[ _-]?(me|this|it)|replace[ "
    r"_-]?(me|this)|insecure|secret|password|passphrase|example|contoh|default|mysapk|portal"
    r"|production|development|ganti[ "
    r"_-]?(ini|saya)|rahasia|qwerty\w*|asdfgh\w*|letmein|placeholder|your|django|flask"
    r"|key|token|random|string|super|here|please|with|char"
    r"|a key for tests only.*"  # of this repository
    r"|192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"  # Flask's quick start
    r"|09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"  # FastAPI's tutorial
    # Hashes of the empty text
    r"|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855|d41d8cd98f00b204e9800998ecf8427e"
    # Hashes of "password"
    r"|5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8|5f4dcc3b5aa765d61d8327deb882cf99",
    re.IGNORECASE,
)
_FEWEST_DIFFERENT = 6  # characters; a secret drawn from 16 hex digits has more


def weakness_of(secret: str, shortest: int) -> str | None:
    """Why a stranger could guess the secret, in words that continue a sentence after its name; None when it
    looks random."""
    own = _NO_SECRETS.sub("", secret)  # what a stranger still has to guess
    if len(secret) < shortest:
        return f"must have at least {shortest} characters"
    if len(set(secret)) < _FEWEST_DIFFERENT:
        return f"must have more than {len(set(secret))} different characters"
    parts = [secret[n : n + 4] for n in range(len(secret) - 3)]
    if len(set(parts)) < len(parts) * 0.7:
        return "must not be one part again and again"
    neighbours = sum(abs(ord(one) - ord(other)) <= 1 for one, other in pairwise(secret))
    if neighbours > len(secret) * 0.7:
        return "must not go through the alphabet or the digits"
    if own != secret and (len(own) < shortest * 2 // 3 or len(set(own)) < _FEWEST_DIFFERENT):
        return "must be random, not words that many use for a secret"
    return None


def _development_key(source: _Source, instance: Path) -> str:
    """A key only for this checkout, made at the first start. Two processes that start at the same time get
    the same key."""
    if not _make_folder(source, instance, "INSTANCE_PATH", "instance"):
        return "-"
    path = instance / "secret_key"
    candidate = path.with_suffix(f".{os.getpid()}")
    if not path.exists():
        candidate.touch(mode=0o600)
        candidate.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(candidate, path)
        candidate.unlink()
    return path.read_text().strip()


def _make_folder(source: _Source, folder: Path, setting: str, example: str) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        source.fault(setting, f"needs the folder {folder}, which cannot be made ({fault.strerror})", example)
        return False
    return True


def _metrics_token(source: _Source) -> str | None:
    token = source.text("METRICS_TOKEN", "")
    if not token.isascii() or not token.isprintable() or " " in token:
        source.fault(
            "METRICS_TOKEN", "must be printable ASCII characters without spaces, or no header could carry it"
        )
    return token or None


def _mail_sender(source: _Source) -> str:
    example = EXAMPLES["MAIL_DEFAULT_SENDER"]
    text = source.line("MAIL_DEFAULT_SENDER", example)
    if "@" not in parseaddr(text)[1].strip("@"):
        source.fault("MAIL_DEFAULT_SENDER", f"must be an address, with or without a name, not {text!r}")
    return text


def _ehlo_name(source: _Source, host: str, port: int) -> str:
    """The public host. Mail servers want a name here and refuse an address, so if the host is an address, the
    sender's domain is used."""
    name = source.text("MAIL_EHLO_NAME", "").lower()
    if name and is_name(name):
        return name
    if name:
        source.fault(
            "MAIL_EHLO_NAME", f"must be the name of a host, which mail servers can look up, not {name!r}"
        )
    text = source.text("PUBLIC_URL", "") or _url("http", host, port)
    with suppress(ValueError):  # a fault in it is reported where it is read
        public = (urlsplit(text).hostname or "").lower()
        if is_name(public):
            return public
    domain = (
        parseaddr(source.text("MAIL_DEFAULT_SENDER", EXAMPLES["MAIL_DEFAULT_SENDER"]))[1]
        .rpartition("@")[2]
        .lower()
    )
    return domain if is_name(domain) else "localhost"


def is_name(host: str) -> bool:
    """Whether it is a host's name, and not an address in any spelling."""
    return (
        _is_host(host)
        and host.isascii()
        and bool(re.search("[a-z]", host.rpartition(".")[2]))
        and ":" not in host
    )


def _ratelimit_storage(source: _Source) -> str:
    text = source.text("RATELIMIT_STORAGE_URI", "memory://")
    if not text.startswith(("memory://", "redis://", "rediss://", "redis+")):
        source.fault("RATELIMIT_STORAGE_URI", "must be memory:// or redis://...")
    return text


def _android_app(source: _Source) -> AndroidApp | None:
    """Both settings or neither: with only one, it would look as if the portal confirmed the app."""
    package, listed = source.text("ANDROID_PACKAGE_NAME", ""), source.text("ANDROID_CERT_FINGERPRINTS", "")
    if not package and not listed:
        return None
    if not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", package, re.ASCII):
        problem = (
            f"must be a package name, not {package!r}"
            if package
            else "must be set with ANDROID_CERT_FINGERPRINTS"
        )
        source.fault("ANDROID_PACKAGE_NAME", problem)
    fingerprints = tuple(one.strip().upper() for one in listed.split(",") if one.strip())
    if not fingerprints:
        source.fault("ANDROID_CERT_FINGERPRINTS", "must be set with ANDROID_PACKAGE_NAME")
    for one in fingerprints:
        if not re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", one):
            problem = (
                f"must be SHA-256 fingerprints (32 pairs of hex digits each), comma separated, not {one!r}"
            )
            source.fault("ANDROID_CERT_FINGERPRINTS", problem)
    return AndroidApp(package, fingerprints)


def _mail_server(source: _Source) -> MailServer | None:
    host = source.text("MAIL_SERVER", "")
    if not host:
        return None
    use_tls, use_ssl = source.yes("MAIL_USE_TLS"), source.yes("MAIL_USE_SSL")
    if use_tls and use_ssl:
        source.fault("MAIL_USE_TLS", "and MAIL_USE_SSL cannot both be true", "false")
    username, password = source.text("MAIL_USERNAME", "") or None, source.text("MAIL_PASSWORD", "") or None
    if (username is None) != (password is None):
        source.fault("MAIL_USERNAME", "and MAIL_PASSWORD must be set together")
    return MailServer(
        host=host,
        port=source.number("MAIL_PORT", 465 if use_ssl else 587 if use_tls else 25, 1, 65535),
        username=username,
        password=password,
        use_tls=use_tls,
        use_ssl=use_ssl,
    )


LONGEST_RETURN_BOX = 22  # of 64 characters before the @; the rest is the mark of one mail
_RETURN_PATH = re.compile(
    rf"[a-z0-9](?:[a-z0-9._-]{{0,{LONGEST_RETURN_BOX - 2}}}[a-z0-9])?"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
)


def _mail_return_path(source: _Source) -> str | None:
    address = source.text("MAIL_RETURN_PATH", "").lower()
    if address and not _RETURN_PATH.fullmatch(address):
        rule = f"with at most {LONGEST_RETURN_BOX} letters, digits, dots or dashes before the @"
        source.fault("MAIL_RETURN_PATH", f"must be a plain address {rule}, not {address!r}")
    return address or None


def _bounce_mailbox(source: _Source) -> BounceMailbox | None:
    url, password = source.text("BOUNCE_IMAP_URL", ""), source.text("BOUNCE_IMAP_PASSWORD", "")
    if not url:
        if password:
            source.fault("BOUNCE_IMAP_URL", "must be set with BOUNCE_IMAP_PASSWORD")
        return None
    if not source.is_set("MAIL_RETURN_PATH"):
        source.fault("MAIL_RETURN_PATH", "must be set with BOUNCE_IMAP_URL, or nothing comes to that mailbox")
    if not password:
        source.fault("BOUNCE_IMAP_PASSWORD", "must be set with BOUNCE_IMAP_URL")
    if not password.isascii() or not password.isprintable():
        source.fault(
            "BOUNCE_IMAP_PASSWORD", "must be printable ASCII characters, which is what IMAP can carry"
        )
    try:
        parts = urlsplit(url)
        host, port, user, folder = (
            parts.hostname,
            parts.port,
            unquote(parts.username or ""),
            unquote(parts.path[1:]) or "INBOX",
        )
    except ValueError:
        source.fault("BOUNCE_IMAP_URL", "must be imaps://user@host/folder")
        return None
    if parts.password is not None:
        source.fault("BOUNCE_IMAP_URL", "must not hold a password: that belongs into BOUNCE_IMAP_PASSWORD")
    elif (
        parts.scheme not in ("imap", "imaps")
        or not host
        or not user
        or parts.query
        or parts.fragment
        or port == 0
    ):
        source.fault("BOUNCE_IMAP_URL", "must be imaps://user@host/folder")
    elif not (user + folder + host).isascii() or not (user + folder + host).isprintable():
        source.fault("BOUNCE_IMAP_URL", "must be printable ASCII characters")
    elif parts.scheme == "imap" and not is_loopback(host):
        source.fault(
            "BOUNCE_IMAP_URL",
            "must be imaps, except on this machine: password and mails would travel in the clear",
        )
    use_ssl = parts.scheme == "imaps"
    return BounceMailbox(host or "", port or (993 if use_ssl else 143), use_ssl, user, password, folder)


# -- safe by default
def _look_at_demo(source: _Source, settings: Settings) -> None:
    """A demo has accounts with a known password and shows all mails. It is for this machine only, unless the
    operator says something else."""
    if settings.demo_open_to_the_world:
        _refuse_debugging(source)
        source.remarks.append(
            "DEMO_OPEN_TO_THE_WORLD: whoever reaches this portal reads every mail, tokens included"
        )
        return
    way_out = (
        "as a demo, the portal shows every mail with its token at /kotak-surat and has accounts with a "
        "known password; set PORTAL_ENV=production, or DEMO_OPEN_TO_THE_WORLD=yes where the whole world may "
        "read its mail"
    )
    public_host = urlsplit(settings.public_url).hostname or ""
    if source.is_set("PUBLIC_URL") and not is_loopback(public_host):
        source.fault(
            "PORTAL_ENV",
            f"must not be demo, as it is when unset, where PUBLIC_URL names {public_host!r}: {way_out}",
        )
    if not is_loopback(settings.host):
        source.fault("HOST", f"must not let other machines in, as {settings.host} does: {way_out}")
    if settings.trusted_proxies:
        source.fault("TRUSTED_PROXIES", f"must be 0, or others come in through a proxy: {way_out}", "0")


def _look_at_test(source: _Source, settings: Settings) -> None:
    """Tests leave out what production requires, so a real host must not be served like that (RFC 6761 names
    the others)."""
    host = urlsplit(settings.public_url).hostname or ""
    if not is_loopback(host) and not re.search(r"(^|\.)(test|example|invalid|localhost)$", host):
        problem = (
            f"must not be test where PUBLIC_URL names {host!r}: weak keys and plain http would be "
            "let through there"
        )
        source.fault("PORTAL_ENV", problem)
    if not is_loopback(settings.host):
        source.fault(
            "HOST", "must not let other machines in where PORTAL_ENV=test, which lets weak keys through"
        )
    if settings.demo_open_to_the_world:
        source.fault("DEMO_OPEN_TO_THE_WORLD", "is for PORTAL_ENV=demo alone", "no")


def _look_at_production(source: _Source, settings: Settings) -> None:
    """Settings with which the portal would start, but would let strangers in or keep everybody out."""
    where = "where PORTAL_ENV=production"
    if settings.demo_open_to_the_world:
        source.fault("DEMO_OPEN_TO_THE_WORLD", "is for PORTAL_ENV=demo alone", "no")
    if not source.is_set("PUBLIC_URL"):
        source.fault("PUBLIC_URL", f"must be set {where}: it is the host of every link in a mail")
    elif not settings.is_https:
        source.fault("PUBLIC_URL", f"must be https {where}: passwords and cookies would travel in the clear")
    if settings.mail_server is None:
        source.fault("MAIL_SERVER", f"must be set {where}")
    elif not (
        settings.mail_server.use_tls or settings.mail_server.use_ssl or is_loopback(settings.mail_server.host)
    ):
        if settings.mail_server.password:
            problem = (
                f"or MAIL_USE_SSL must be true {where} and MAIL_PASSWORD is set: it would travel in the clear"
            )
            source.fault("MAIL_USE_TLS", problem)
        source.remarks.append(
            "MAIL_USE_TLS: is not true, so mails with their tokens travel in the clear to the mail server"
        )
    if not settings.address_limits:
        source.fault("ADDRESS_LIMITS", f"cannot be off {where}", "on")
    if token := settings.metrics_token:
        if weakness := weakness_of(token, SHORTEST_METRICS_TOKEN):
            source.fault("METRICS_TOKEN", f"{weakness}: whoever guesses it reads /metrics")
        if token in settings.secret_keys:
            source.fault(
                "METRICS_TOKEN", "must not be a key of the portal: what collects figures would hold it"
            )
    if settings.email_change_delay_hours == 0:
        source.fault(
            "EMAIL_CHANGE_DELAY_HOURS",
            f"cannot be 0 {where}: nobody could stop a change of their address in time",
        )
    if settings.resend_cooldown_seconds < 10:
        source.fault("RESEND_COOLDOWN_SECONDS", f"must be at least 10 {where}")
    if settings.session_idle_minutes >= settings.session_absolute_hours * 60:
        source.fault(
            "SESSION_IDLE_MINUTES", f"must be less than SESSION_ABSOLUTE_HOURS {where}, or it ends nothing"
        )
    if settings.database_url.startswith("sqlite") and make_url(settings.database_url).database in (
        None,
        "",
        ":memory:",
    ):
        source.fault("DATABASE_URL", f"cannot be kept in memory {where}: all is lost at the next start")
    _refuse_debugging(source)
    source.remarks += _remarks_on_production(source, settings)


def _refuse_debugging(source: _Source) -> None:
    """Flask reads FLASK_DEBUG itself, and takes every value except these for yes."""
    if source.environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no"):
        source.fault("FLASK_DEBUG", "must not be on where strangers come: accidents would be told in full")


def _remarks_on_production(source: _Source, settings: Settings) -> Iterator[str]:
    if settings.database_url.startswith("sqlite"):
        yield (
            "DATABASE_URL: is SQLite, which one machine can use and which writes one act after the "
            "other; PostgreSQL is meant"
        )
    if settings.ratelimit_storage_uri.startswith("memory:"):
        yield "RATELIMIT_STORAGE_URI: is memory://, so each web process counts client addresses for itself"
    if settings.is_https and not settings.trusted_proxies:
        yield (
            "TRUSTED_PROXIES: is 0, so everybody who comes through the proxy that ends TLS counts as one "
            "client address"
        )
    if is_loopback(urlsplit(settings.public_url).hostname or ""):
        yield "PUBLIC_URL: names this machine, so the links in mails open on no other"
    for name, why in (
        ("MAIL_DEFAULT_SENDER", "is not set, so mails come from an address that nobody has"),
        ("PORTAL_OPERATOR", "is not set, so every page and mail says that this is a simulation"),
    ):
        if not source.is_set(name):
            yield f"{name}: {why}"
    for name, value, usual, unit in (
        ("TOKEN_LIFETIME_MINUTES", settings.token_lifetime_minutes, 180, "minutes"),
        ("SESSION_IDLE_MINUTES", settings.session_idle_minutes, 60, "minutes"),
        ("SESSION_ABSOLUTE_HOURS", settings.session_absolute_hours, 24, "hours"),
    ):
        if value > usual:
            yield (
                f"{name}: {value} {unit} is long; what lies in a lost mailbox or an open browser works "
                "all that time"
            )


_LOOK_AT_ENV = {"demo": _look_at_demo, "test": _look_at_test, "production": _look_at_production}


# -- names that are no settings
_NAMES = (*EXAMPLES, *(f"{name}_FILE" for name in SECRET_SETTINGS))
_ONLY_OURS = ("PORTAL_", "MYSAPK_", "MAIL_", "RATELIMIT_", "CPNS_", "RESEND_")
# What Kubernetes and Docker put into every process for each service beside it. Such a service may be named
# `portal` or `mail` too.
_OF_A_SERVICE = re.compile(r".+_SERVICE_(HOST|PORT(_.+)?)|.+_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")


def _look_at_names(source: _Source, env: str) -> None:
    """A mistyped name sets nothing, and nothing else reports it. The `.env` file is ours, so every name in it
    counts. Others fill the environment too, so only names that look like one of ours count there."""
    for name, value in source.environ.items():
        if name in _NAMES or (not value and name not in source.in_file) or _is_of_a_service(name, value):
            continue
        meant = setting_meant_by(name)
        here = f" (in {ENV_FILE.name})" if name in source.in_file else ""
        if name.removesuffix("_FILE") in EXAMPLES and name.endswith("_FILE") and meant:
            problem = f"is no setting{here}: only secrets are read from files, {meant} is written as it is"
        elif meant:
            problem = f"is no setting{here}; did you mean {meant}?"
        elif here:
            problem = f"is no setting{here}, where nothing else may stand"
        elif any(name.startswith(start) for start in (*_ONLY_OURS, *_EXTENDED)):
            problem = "is no setting, but its name begins like one"
        else:
            continue
        if env == "production" and (meant or here):
            source.fault(name, problem.rstrip("?"), meant=meant or "PORTAL_ENV")
        else:
            source.remarks.append(f"{name}: {problem}")
    for name in source.in_file:
        if name not in source.environ:
            source.fault(name, f"has no value (in {ENV_FILE.name}); write NAME=value on one line")


def _is_of_a_service(name: str, value: str) -> bool:
    return bool(_OF_A_SERVICE.fullmatch(name)) or (
        name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )


# HOST and PORT are words that many programs use.
_DISTINCT = tuple(name for name in _NAMES if name not in ("HOST", "PORT"))
_EXTENDED = tuple(
    f"{name}_" for name in EXAMPLES if name not in ("HOST", "PORT", "DATABASE_URL", "FLASK_DEBUG")
)


def setting_meant_by(name: str) -> str | None:
    """The setting that somebody meant who wrote this name; None if the name looks like none of ours."""
    typed = re.sub(r"\W", "_", name).upper()
    for prefix in ("PORTAL_", "MYSAPK_", "FLASK_"):
        rest = typed.removeprefix(prefix)
        if rest != typed and rest in (_NAMES if prefix != "FLASK_" else _DISTINCT):
            return rest
    if typed in _DISTINCT or typed.removesuffix("_FILE") in _DISTINCT:
        return typed if typed in _DISTINCT else typed.removesuffix("_FILE")
    for ours in EXAMPLES:
        if _is_shortened(typed, ours):
            return ours
    near = [
        (_edits(typed, ours), ours)
        for ours in _DISTINCT
        if _may_be_near(typed, ours) and not _is_another(typed, ours)
    ]
    edits, ours = min(near, default=(3, ""))
    return ours if edits <= 2 else None


def _is_another(typed: str, ours: str) -> bool:
    """Whether a short word is in the place of a different word of ours: MAIL_HOST is not MAIL_PORT with two
    typing mistakes."""
    mine, theirs = ours.split("_"), typed.split("_")
    pairs = zip(mine, theirs, strict=False)
    return len(mine) == len(theirs) and any(
        _edits(one, other) > (1 if len(one) < 6 else 2) for one, other in pairs
    )


def _is_shortened(typed: str, ours: str) -> bool:
    """The words of our name with some left out, cut short, in the singular, or, if there are three or more,
    with one exchanged for another."""
    mine, theirs = ours.split("_"), typed.split("_")
    # First, because most names of an environment begin like none of ours
    if _singular(mine[0]) != _singular(theirs[0]) or len(theirs) < 2 or ours.startswith("ANDROID_"):
        return False
    mine, theirs = [_singular(word) for word in mine], [_singular(word) for word in theirs]
    rest = iter(mine)
    if all(any(own == word or (len(word) >= 4 and own.startswith(word)) for own in rest) for word in theirs):
        return True
    same = sum(one == other for one, other in zip(mine, theirs, strict=False))
    return len(mine) == len(theirs) >= 3 and same == len(mine) - 1


def _singular(word: str) -> str:
    if word.endswith("IES"):
        return word[:-3] + "Y"
    return word if word.endswith("SS") else word.removesuffix("S")


def _may_be_near(typed: str, ours: str) -> bool:
    """Saves counting the edits for names that are far apart: each edit changes the letters of a word by two
    at most."""
    if abs(len(typed) - len(ours)) > 2:
        return False
    letters, own = Counter(typed), Counter(ours)
    return (letters - own).total() + (own - letters).total() <= 4


def _edits(one: str, other: str) -> int:
    """How many letters were left out, added, exchanged, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        last, row = row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]
