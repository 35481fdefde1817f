"""What a new password must have, and what it must not be."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from app.domain.spoken_name import spoken_words

LONGEST_PASSWORD = 128  # checked before hashing, so that a long one cannot cause extra work

_KINDS = {
    "upper": re.compile(r"[A-Z]"),
    "lower": re.compile(r"[a-z]"),
    "digit": re.compile(r"[0-9]"),
    "symbol": re.compile(r"[^A-Za-z0-9\s]"),
}


@dataclass(frozen=True)
class Rule:
    """One line of the list below the password field. The page's script ticks `kind` while somebody types."""

    kind: str
    sentence: str
    minimum: int | None = None

    def is_met(self, password: str) -> bool:
        if self.minimum is not None:
            return len(password) >= self.minimum
        return bool(_KINDS[self.kind].search(password))


@dataclass(frozen=True)
class PasswordPolicy:
    """The rules of one year."""

    name: str
    rules: tuple[Rule, ...]


MYSAPK_2021 = PasswordPolicy(
    "mysapk2021",
    (
        Rule("length", "Minimal 6 karakter", 6),
        Rule("upper", "Ada huruf besar (A-Z)"),
        Rule("digit", "Ada angka (0-9)"),
    ),
)
# ASN Digital since 2025: twelve characters of four classes. This policy always holds for admins.
ASN_2025 = PasswordPolicy(
    "asn2025",
    (
        Rule("length", "Minimal 12 karakter", 12),
        Rule("upper", "Ada huruf besar (A-Z)"),
        Rule("lower", "Ada huruf kecil (a-z)"),
        Rule("digit", "Ada angka (0-9)"),
        Rule("symbol", "Ada tanda baca (misalnya ! atau ?)"),
    ),
)
_BY_NAME = {policy.name: policy for policy in (MYSAPK_2021, ASN_2025)}


@dataclass(frozen=True)
class Owner:
    """What a stranger knows about the person, and therefore tries first."""

    nip: str
    name: str
    birth_date: date | None
    email: str | None


def policy_named(setting: str, *, is_admin: bool) -> PasswordPolicy:
    """The policy for one person under the PASSWORD_POLICY setting."""
    return ASN_2025 if is_admin else _BY_NAME[setting]


def strict_rules() -> str:
    """What admins' passwords must have, on one line."""
    return ", ".join(_uncapitalised(rule.sentence) for rule in ASN_2025.rules)


def faults(password: str, policy: PasswordPolicy) -> list[str]:
    """What is wrong with a password, without knowing whose it is. Sentences; empty when the password may be
    hashed."""
    if not password:
        return ["Isi password baru Anda."]
    if len(password) > LONGEST_PASSWORD:
        return [f"Password terlalu panjang. Pakai paling banyak {LONGEST_PASSWORD} karakter."]
    if any(unicodedata.category(character) == "Cc" for character in password):
        return [
            "Password berisi karakter yang tidak terlihat. Ketik langsung di kolom ini, atau salin ulang "
            "tanpa baris baru."
        ]
    missing = [rule.sentence for rule in policy.rules if not rule.is_met(password)]
    if missing:
        return [
            f"Password belum memenuhi syarat: {', '.join(_uncapitalised(sentence) for sentence in missing)}."
        ]
    if _stem(password) in _common_stems():
        return [
            "Password ini termasuk yang paling sering dipakai orang, jadi mudah ditebak. Pilih yang lain."
        ]
    return []


def has_blank_end(password: str) -> bool:
    """Whether a blank, or another invisible character, stands at either end. People more often paste it by
    mistake than mean it."""
    return any(
        end.isspace() or unicodedata.category(end) in ("Cf", "Zs")
        for end in (password[:1], password[-1:])
        if end
    )


def personal_faults(password: str, owner: Owner) -> list[str]:
    """What is wrong with a password for its owner: it holds something about the person. Only the proven owner
    is told."""
    lowered = password.lower()
    only_digits = re.sub(r"[^0-9]", "", password)
    if owner.nip in only_digits:
        return ["Password tidak boleh berisi NIP Anda. Pilih yang lain."]
    if owner.birth_date and any(written in only_digits for written in _written_dates(owner.birth_date)):
        return ["Password tidak boleh berisi tanggal lahir Anda. Pilih yang lain."]
    said = "".join(spoken_words(password))
    if any(part in said for part in spoken_words(owner.name) if len(part) >= 4):
        return ["Password tidak boleh berisi nama Anda. Pilih yang lain."]
    if owner.email and len(local := owner.email.lower().split("@")[0]) >= 4 and local in lowered:
        return ["Password tidak boleh berisi alamat email Anda. Pilih yang lain."]
    return []


def _uncapitalised(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _written_dates(day: date) -> tuple[str, ...]:
    return (day.strftime("%Y%m%d"), day.strftime("%d%m%Y"), day.strftime("%d%m%y"))


_LOOK_ALIKES = str.maketrans("0134578@$!", "oieastbasi")


def _stem(password: str) -> str:
    """A password without what people add to satisfy rules: Indonesia2024! and Ind0nesia both become
    indonesia."""
    lowered = password.lower()
    trimmed = lowered.strip("0123456789!@#$%^&*()-_=+.,?/\\ ")
    return (trimmed or lowered).translate(_LOOK_ALIKES)


@cache
def _common_stems() -> frozenset[str]:
    """Stems of the passwords that are tried first, also Indonesian ones (common_passwords.txt beside this
    file)."""
    listed = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split()
    return frozenset(_stem(word) for word in listed)
