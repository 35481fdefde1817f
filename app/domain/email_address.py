"""An email address as people type it: trimmed and compared without ASCII case. Mistyped domains are
noticed."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher

# The form that mail servers of this field use in practice (RFC 5321 lengths; no quoted local parts, no
# address literals).
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_INVISIBLE = re.compile(r"[\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_MAIL_LINK = re.compile(r"mailto:\s*", re.IGNORECASE)

_MISTYPED_DOMAINS = {
    "gmial.com": "gmail.com", "gmai.com": "gmail.com", "gmal.com": "gmail.com", "gamil.com": "gmail.com",
    "gmail.co": "gmail.com", "gmail.con": "gmail.com", "gmail.co.id": "gmail.com", "gmail.id": "gmail.com",
    "gnail.com": "gmail.com", "gmaill.com": "gmail.com", "gmail.cm": "gmail.com", "gmail.comm": "gmail.com",
    "email.com": "gmail.com", "yaho.com": "yahoo.com", "yahoo.con": "yahoo.com", "yahooo.com": "yahoo.com",
    "yhoo.com": "yahoo.com", "yaho.co.id": "yahoo.co.id", "yahoo.co": "yahoo.com", "ymial.com": "ymail.com",
    "hotmial.com": "hotmail.com", "hotmai.com": "hotmail.com", "hotmail.con": "hotmail.com",
    "outlok.com": "outlook.com", "outlook.con": "outlook.com", "outllook.com": "outlook.com",
}  # fmt: skip


@dataclass(frozen=True)
class EmailAddress:
    """One deliverable address. `text` is what mail goes to, `key` what is compared and unique."""

    text: str

    @property
    def key(self) -> str:
        return self.text.lower()

    @property
    def masked(self) -> str:
        """Enough for its owner to recognise it: s***@g***.com."""
        local, domain = self.text.split("@")
        name, _, rest = domain.partition(".")
        return f"{local[0]}***@{name[0]}***.{rest}"

    @property
    def likely_meant(self) -> str | None:
        """The address with its domain spelled right, if the domain is a known typing mistake."""
        local, domain = self.key.split("@")
        meant = _MISTYPED_DOMAINS.get(domain)
        return f"{local}@{meant}" if meant else None

    @property
    def domain(self) -> str:
        return self.key.split("@")[1]

    @property
    def mailbox(self) -> str:
        """The mailbox where mails to this address end up, for counting and warning: the part after a plus
        does not count, and Google leaves out the dots. It is never compared with what is on record, and
        nothing is sent to it."""
        local, domain = self.key.split("@")
        name = local.split("+")[0] or local
        if domain in _GOOGLE:
            name, domain = name.replace(".", "") or name, "gmail.com"
        return f"{name}@{domain}"

    def resembles(self, known_domains: Collection[str]) -> str | None:
        """A domain that this one could be taken for: g0ogle.com for google.com, contoh-go.id for
        contoh.go.id."""
        if any(self.domain == known or self.domain.endswith(f".{known}") for known in known_domains):
            return None
        return next((known for known in sorted(known_domains) if _looks_like(self.domain, known)), None)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class NotAnEmail:
    """What is wrong with what was typed, as a sentence that says what to do."""

    sentence: str


USUAL_DOMAINS = frozenset(
    ("gmail.com", "yahoo.com", "yahoo.co.id", "ymail.com", "outlook.com", "hotmail.com", "icloud.com")
)
_GOOGLE = ("gmail.com", "googlemail.com")
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": "", ".": "", "_": ""})
_LETTER_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_NEARLY_ONE = 0.9  # of difflib's ratio: one letter in a domain of ten
_SHORTEST_NAME = 5  # a shorter name is part of too many others: "mail", "bkn"


def _looks_like(domain: str, known: str) -> bool:
    """One mistyped key, letters that look like others, or the known name in another place: nusajaya.com and
    nusajaya-mail.id for nusajaya.go.id, gmail.com.contoh.id for gmail.com."""
    seen, meant = _shape(domain), _shape(known)
    if (
        seen == meant
        or _is_one_slip(domain, known)
        or SequenceMatcher(None, domain, known).ratio() >= _NEARLY_ONE
    ):
        return True
    name = _name(known)
    return name == _name(domain) or (len(name) >= _SHORTEST_NAME and name in re.split("[.-]", domain))


def _shape(domain: str) -> str:
    for pair, letter in _LETTER_PAIRS:
        domain = domain.replace(pair, letter)
    return domain.translate(_ALIKE)


def _name(domain: str) -> str:
    """The name that people know: "nusajaya" of dinkes.nusajaya.go.id."""
    return max(domain.split(".")[:-1], key=len)


def _is_one_slip(typed: str, meant: str) -> bool:
    """One letter too many, too few, wrong, or swapped with its neighbour."""
    short, long = sorted((typed, meant), key=len)
    start = next(
        (at for at, (one, other) in enumerate(zip(short, long, strict=False)) if one != other), len(short)
    )
    rest, rest_of_long = short[start:], long[start:]
    if len(long) == len(short) + 1:
        return rest == rest_of_long[1:]
    is_turned = rest[:2] == rest_of_long[:2][::-1] and rest[2:] == rest_of_long[2:]
    return len(long) == len(short) and (rest[1:] == rest_of_long[1:] or is_turned)


def read_email(typed: str, called: str = "email aktif") -> EmailAddress | NotAnEmail:
    """Read one address. Everything that could break a mail header or reach a second recipient is refused. A
    link to write to the address (`mailto:`) is accepted, because it holds the whole address. `called`: the
    name of the field within a sentence."""
    if len(typed) > 4 * _LONGEST_ADDRESS:
        return NotAnEmail("Alamat email terlalu panjang. Isi satu alamat email saja.")
    text = _without_link(_INVISIBLE.sub("", typed).strip())
    if not text:
        return NotAnEmail(f"Isi {called} Anda, misalnya nama@contoh.go.id.")
    if not any(letter.isalnum() for letter in text):
        return NotAnEmail(f"Tanda saja bukan alamat email. Isi {called} Anda, misalnya nama@contoh.go.id.")
    if "@" not in text:
        return NotAnEmail("Alamat email perlu tanda @, misalnya nama@contoh.go.id.")
    if text.count("@") == 1 and (fault := _fault_of_one(text)):
        return NotAnEmail(fault)
    if "@@" in text:
        return NotAnEmail("Ada dua tanda @ yang berurutan. Hapus salah satunya.")
    if text.count("@") > 1 or any(separator in text for separator in ",;"):
        return NotAnEmail("Isi satu alamat email saja, dengan satu tanda @.")
    if any(space in text for space in " \t\r\n"):
        return NotAnEmail("Alamat email tidak memakai spasi. Hapus spasinya.")
    local = text.split("@")[0]
    if not _ADDRESS.fullmatch(text) or len(text) > _LONGEST_ADDRESS or len(local) > _LONGEST_LOCAL_PART:
        return NotAnEmail(_other_fault(text))
    return EmailAddress(text)


_SIGN = re.compile(r"[!-/:-?\[-`{-~\u2010-\u2027]")
_SIGNS = {
    ".": "titik",
    ",": "koma",
    ";": "titik koma",
    ":": "titik dua",
    "-": "hubung (-)",
    "_": "garis bawah (_)",
}


def _without_link(text: str) -> str:
    link = _MAIL_LINK.match(text)
    return text[link.end() :].strip() if link else text


def _fault_of_one(text: str) -> str | None:
    """Names a common mistake: something pasted together with the address, or mistyped in it. None if the
    problem is another one."""
    local, _, domain = text.partition("@")
    is_one_word = not any(space in text for space in " \t\r\n;")
    if "<" in text or ">" in text:
        return "Tulis alamat emailnya saja, tanpa nama dan tanpa tanda < >."
    if any(quote in text for quote in '"\u201c\u201d\u2018\u2019`') or (
        local.startswith("'") or domain.endswith("'")
    ):
        return "Ada tanda kutip pada alamat email ini. Hapus tandanya."
    if text.endswith((".", ",", ";", ":")) or (is_one_word and domain and _SIGN.fullmatch(text[-1])):
        return f"Alamat email ini diakhiri tanda {_SIGNS.get(text[-1], text[-1])}. Hapus tanda itu."
    if not local or not domain:
        return (
            f"Alamat email ini tidak lengkap: bagian {'sebelum' if not local else 'sesudah'} tanda @ "
            "belum ada."
        )
    if is_one_word and "," in domain:
        return "Ada koma sesudah tanda @. Ganti koma itu dengan titik, misalnya contoh.go.id."
    if is_one_word and "," in local:
        return "Ada koma sebelum tanda @. Periksa apakah seharusnya titik."
    if is_one_word and (".." in text or text.startswith(".") or ".@" in text or "@." in text):
        return (
            "Ada titik yang berlebih pada alamat email ini. Hapus titik di awal, di dekat tanda @, atau "
            "yang berurutan."
        )
    if is_one_word and re.fullmatch(r"[A-Za-z0-9-]+|[A-Za-z0-9.-]+\.(?:[A-Za-z]|[0-9]+)", domain):
        return (
            "Bagian sesudah tanda @ belum lengkap. Tulis sampai akhir, misalnya contoh.go.id atau gmail.com."
        )
    return None


def _other_fault(text: str) -> str:
    """The problem of a text that is one address in one piece and still not valid."""
    local, _, domain = text.partition("@")
    if len(text) > _LONGEST_ADDRESS or len(local) > _LONGEST_LOCAL_PART:
        return "Alamat email ini terlalu panjang. Periksa lagi, dan isi satu alamat email saja."
    strange = [
        *re.findall(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]", local),
        *re.findall(r"[^A-Za-z0-9.-]", domain),
    ]
    if strange and strange[0].isprintable():
        return (
            f"Ada {strange[0]} pada alamat email ini, yang tidak dapat dipakai di situ. Hapus, atau "
            "ganti dengan huruf biasa."
        )
    return "Periksa lagi alamat email ini. Tulis seperti nama@contoh.go.id, tanpa tanda atau huruf khusus."
