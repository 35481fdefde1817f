"""What an admin may write in their own words into a letter of the portal: a notice, a question, a reason, the
number of an SK.

The letter leaves under the portal's name, and its readers have learned to trust that. So these words lead
nowhere: no link, no address, no number that can be called or paid to, and nothing that looks like a token.
Each reader sees their letters drawn in another way, so the words are read as they look, and not as they are
stored.
"""

import re
import unicodedata

from app.domain.reset_secret import holds_secret

LONG_NUMBER = 8  # digits. The shortest phone numbers that somebody could be lured to have so many
_SHOWN = 40
_DRAWN_LIKE = {
    **dict.fromkeys(map(ord, "\u3002\u00b7\u2219\u22c5\u30fb\u2027\u06d4\u0701\u0702\ua4f8"), "."),
    **dict.fromkeys(map(ord, "\u2044\u2215\u29f8\u2571\\"), "/"),
}
_DOT_IN_BRACKETS = re.compile(r"[\[({]\s?\.\s?[\])}]")
_SCHEME = re.compile(
    r"\S*(?:://|@)\S*|(?<!\w)//\w\S*|\bwww\.\S*"
    r"|\b(?:mailto|tel|sms|smsto|https?|ftp|whatsapp|tg|skype|viber|javascript|intent|market):\S+",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"[\w-]+(?: ?\.[\w-]+)+(?P<path>\.?(?::\d+)?(?:/|[?#]\w)\S*)?")
_ENDING = re.compile(r"[^\W\d_]{2,}|xn--[\w-]+")
# Degrees: S.Pd, M.Pd.I, A.Md.Kep, Sp.PD, Ph.D
_DEGREE = re.compile(
    r"(?:a|b|d|dr|m|ns|ph|s|sp)(?:\.(?:"
    r"a|adm|ag|ak|akt|akun|an|and|ap|apt|ars|b|biomed|bs|ds|e|ec|ed|eng|epid|farm|fil|gizi|gz|h|hum|"
    r"hut|i|ikom|ip|jp|k|keb|ked|kep|kes|kg|kj|kk|km|kn|kom|lc|li|ling|m|ma|mar|mat|md|med|mm|n|ns|og|"
    r"or|ot|p|par|pd|pel|pi|pk|pnd|psi|pt|pwk|rad|s|sc|sd|si|sn|sos|ss|st|stat|stp|t|th|tht|tp|tr"
    r"))+"
)
_NO_LETTERS = re.compile(r"[^\W\d_]|(?P<run>(?:(?![^\W\d_])[\s\S])+)")
_HOUR = r"(?:[01]?\d|2[0-4])[.:][0-5]\d"
_DAY = r"(?:(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d|(?:19|20)\d\d-[01]\d-[0-3]\d)"
_YEAR = r"20[0-4]\d"
_TO = r"\s?[-\u2013\u2014]\s?"
# What offices write that has many digits. It stands alone: no other digits before the next letter
_HARMLESS = re.compile(
    rf"\D*(?:/{_YEAR}\D+|[1-9](?:[:,]\s?\(?|\s\())?(?:"
    rf"{_HOUR}(?:{_TO}{_HOUR})?|{_DAY}(?:{_TO}{_DAY})?|{_YEAR}\s?[-/\u2013]\s?{_YEAR}"
    rf"|[1-9]\d\d(?:\.\d{{1,2}}){{0,5}}/\d{{1,5}}/(?:{_YEAR})?"
    r"|(?<=Rp)\.?\s?[1-9]\d{0,2}(?:\.\d{3}){2}(?:,\d\d)?"
    r")[^\d]*"
)
# A number of a list: "2. Bawa SK"
_POINT = re.compile(r"(?m)^\s*\d{1,2}[.)]\s+(?=[^\W\d_])")
# The code of a matter before the number of a letter: 100.3.3.2/123. It is drawn like an address of a machine
_MATTER = re.compile(r"[1-9]00(?:\.\d{1,2})+")
_FOUR_NUMBERS = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)")


def why_not_in_a_letter(words: str) -> str | None:
    """The sentence that says what has to be written otherwise. None if the words may leave as they are."""
    drawn = _as_drawn(words)
    if found := _address_in(drawn):
        return (
            f"Tulis tanpa tautan, alamat situs, atau alamat email: {found[:_SHOWN]}. Bila itu bukan alamat, "
            "beri spasi sesudah titik."
        )
    if found := _long_number_in(drawn):
        return (
            f"Tulis tanpa nomor panjang, seperti nomor telepon atau NIP: {found[:_SHOWN]}. Bila itu tanggal, "
            "jam, atau nomor surat, beri kata di antaranya."
        )
    if holds_secret(words):
        return "Isi ini memuat sesuatu yang mirip token. Token hanya dikirim oleh portal sendiri."
    return None


def _as_drawn(words: str) -> str:
    """The text with every letter, digit, dot and slash in its plain form, and without accents or what nobody
    sees."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).translate(_DRAWN_LIKE))
    seen = "".join(
        letter for letter in plain if letter == "\n" or unicodedata.category(letter)[0] not in "CM"
    )
    return _DOT_IN_BRACKETS.sub(".", seen)


def _address_in(drawn: str) -> str | None:
    if found := _SCHEME.search(drawn):
        return found[0]
    return next((dotted[0] for dotted in _DOTTED.finditer(drawn) if _leads_somewhere(dotted)), None)


def _leads_somewhere(dotted: re.Match[str]) -> bool:
    """Whether words joined by dots name a machine. A mail program asks no list of the endings that exist: new
    ones come every year."""
    path = dotted["path"]
    name = dotted[0].removesuffix(path or "").replace(" .", ".")
    labels = name.lower().split(".")
    if all(_is_number(label) for label in labels):
        is_matter = path and _MATTER.fullmatch(name) and re.match(r"/\d{1,5}\b", path)
        return not is_matter and _FOUR_NUMBERS.fullmatch(name) is not None
    if path:
        return not _is_number(labels[-1]) and len(labels[-1]) > 1
    if _DEGREE.fullmatch(name.lower()):
        return False
    return _ENDING.fullmatch(labels[-1]) is not None


def _is_number(label: str) -> bool:
    return label.replace("-", "").isdecimal()


def _long_number_in(drawn: str) -> str | None:
    """A number with whatever signs between its digits. Letters end it."""
    text = _POINT.sub("x ", drawn)
    for found in _NO_LETTERS.finditer(text):
        run = found["run"]
        if run is None or sum(sign.isdigit() for sign in run) < LONG_NUMBER:
            continue
        if not _HARMLESS.fullmatch(text, found.start(), found.end()):
            return str(run.strip())
    return None
