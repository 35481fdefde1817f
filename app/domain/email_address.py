"""An email address as people type it: trimmed, compared without ASCII case, mistyped domains noticed."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher

# The form that mail servers of this field use in practice (RFC 5321 lengths; no quoted local parts, no address literals).
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_INVISIBLE = re.compile(r"[\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

_MISTYPED_DOMAINS = {
    "gmial.com": "gmail.com", "gmai.com": "gmail.com", "gmal.com": "gmail.com", "gamil.com": "gmail.com",
    "gmail.co": "gmail.com", "gmail.con": "gmail.com", "gmail.co.id": "gmail.com", "gmail.id": "gmail.com",
    "gnail.com": "gmail.com", "gmaill.com": "gmail.com", "gmail.cm": "gmail.com", "gmail.comm": "gmail.com",
    "email.com": "gmail.com", "yaho.com": "yahoo.com", "yahoo.con": "yahoo.com", "yahooo.com": "yahoo.com",
    "yhoo.com": "yahoo.com", "yaho.co.id": "yahoo.co.id", "yahoo.co": "yahoo.com", "ymial.com": "ymail.com",
    "hotmial.com": "hotmail.com", "hotmai.com": "hotmail.com", "hotmail.con": "hotmail.com",
    "outlok.com": "outlook.com", "outlook.con": "outlook.com", "outllook.com": "outlook.com",
}  # fmt: skip

_SAME_DOMAINS = {"googlemail.com": "gmail.com"}
_DOTS_DO_NOT_MATTER = frozenset(("gmail.com",))


@dataclass(frozen=True)
class EmailAddress:
    """One deliverable address. `text` is what mail goes to, `key` what is compared and unique."""

    text: str

    @property
    def key(self) -> str:
        return self.text.lower()

    @property
    def mailbox(self) -> str:
        """What is counted: one mailbox under all of its spellings, which nobody needs a second account for. Never compared
        with what is on record, and nothing is sent to it."""
        local, domain = self.key.split("@")
        domain = _SAME_DOMAINS.get(domain, domain)
        name = local.partition("+")[0] or local
        return f"{name.replace('.', '') if domain in _DOTS_DO_NOT_MATTER else name}@{domain}"

    @property
    def masked(self) -> str:
        """Enough for its owner to know it again: s***@g***.com."""
        local, domain = self.text.split("@")
        name, _, rest = domain.partition(".")
        return f"{local[0]}***@{name[0]}***.{rest}"

    @property
    def likely_meant(self) -> str | None:
        """The address with its domain spelled right, where the domain is a known slip of the finger."""
        local, domain = self.key.split("@")
        meant = _MISTYPED_DOMAINS.get(domain)
        return f"{local}@{meant}" if meant else None

    def resembles(self, known_domains: Collection[str]) -> str | None:
        """A domain that this one could be taken for: g0ogle.com for google.com, contoh-go.id for contoh.go.id."""
        domain = self.key.split("@")[1]
        if domain in known_domains:
            return None
        return next((known for known in known_domains if _looks_like(domain, known)), None)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class NotAnEmail:
    """What is wrong with what was typed, as a sentence that says what to do."""

    sentence: str


USUAL_DOMAINS = frozenset(("gmail.com", "yahoo.com", "yahoo.co.id", "ymail.com", "outlook.com", "hotmail.com", "icloud.com"))
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": "", ".": "", "_": ""})
_NEARLY_ONE = 0.9  # of difflib's ratio: one letter in a domain of ten


def _looks_like(domain: str, known: str) -> bool:
    seen, meant = (one.replace("rn", "m").replace("vv", "w").translate(_ALIKE) for one in (domain, known))
    return seen == meant or SequenceMatcher(None, domain, known).ratio() >= _NEARLY_ONE


def read_email(typed: str) -> EmailAddress | NotAnEmail:
    """Read one address; everything that could break a mail header or reach a second recipient is refused."""
    if len(typed) > 4 * _LONGEST_ADDRESS:
        return NotAnEmail("Alamat email terlalu panjang. Isi satu alamat email saja.")
    text = _INVISIBLE.sub("", typed).strip()
    if not text:
        return NotAnEmail("Isi email aktif Anda, misalnya nama@contoh.go.id.")
    if "@" not in text:
        return NotAnEmail("Alamat email perlu tanda @, misalnya nama@contoh.go.id.")
    if text.count("@") > 1 or any(separator in text for separator in ",;"):
        return NotAnEmail("Isi satu alamat email saja, dengan satu tanda @.")
    if any(space in text for space in " \t\r\n"):
        return NotAnEmail("Alamat email tidak memakai spasi. Hapus spasinya.")
    local = text.split("@")[0]
    if not _ADDRESS.fullmatch(text) or len(text) > _LONGEST_ADDRESS or len(local) > _LONGEST_LOCAL_PART:
        return NotAnEmail("Periksa lagi alamat email ini. Tulis seperti nama@contoh.go.id, tanpa tanda atau huruf khusus.")
    return EmailAddress(text)
