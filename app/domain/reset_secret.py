"""The token that people type: eight letters cut from a keyed hash, and its spellings."""

import base64
import re
import secrets
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels (no words), no Y; 20^8 = 25.6 thousand million codes
CODE_LENGTH = 8
_PAIRS = [first + second for second in ALPHABET for first in ALPHABET]
LONGEST_INPUT = 20_000  # characters: a whole mail, with what a program adds when it forwards
# 32 bytes; another last letter would be a second spelling of the same bytes
SIGNATURE = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_LINK = rf"[A-Za-z0-9_-]{{16}}\.{SIGNATURE}"
_MAILED = re.compile(rf"(?i:konfirmasi-reset-password)[/\\]{{1,3}}({_LINK})")
_BY_ITSELF = re.compile(rf"(?<![\w.%=/-])({_LINK})(?![\w-])")
# With the marks of a quoted mail, and those of quoted-printable
_LINE_BREAK = re.compile(r"=?\s++(?:[>|]\s*+)*+")
# For a field of one line that has removed the line breaks themselves
_LEFT_OF_BREAKS = str.maketrans("", "", "=>|")
_TIMES_WRAPPED = 5  # filters of several offices, one after the other
_PROOFPOINT = re.compile(r"(?<![A-Za-z])u=(https?-3A__[\w.~-]++)", re.ASCII)
_PROOFPOINT_SIGNS = str.maketrans("-_", "%/")
_BASE64_ADDRESS = re.compile(r"aHR0c[A-Za-z0-9+/_-]{60,}+")  # begins with "http"

_WORD = re.compile(r"[^\W_]+")
_BLANKS_AND_DASHES = re.compile(r"[\s-]++")
_SAID = re.compile(r"[:=]([^:=\n]*+)")
_BINDING_DASH = re.compile(r"[*`~]*+-[-*`~]*+")  # with the marks that make words bold
_SPELT_OUT = re.compile(r"(?<!\w)(?:[^\W_][\s-]++){7,}[^\W_](?!\w)")
# In a text without blanks that may be a code with its decoration; a longer text is something else
_MOST_LETTERS_AROUND = 30
_NARROW = {0xFF01 + place: 0x21 + place for place in range(94)}  # full-width letters and signs
_OUTSIDE = "\u00e9"  # stands for a letter outside ALPHABET, however it is drawn


@dataclass(frozen=True)
class Code:
    """Eight letters of ALPHABET, upper case."""

    letters: str

    @property
    def shown(self) -> str:
        """As the mail shows it: WDJB-MJHT."""
        return f"{self.letters[:4]}-{self.letters[4:]}"


@dataclass(frozen=True)
class Link:
    """What stands after the last slash of a mailed link: the request's reference, a dot, the signature."""

    text: str

    @property
    def reference(self) -> str:
        return self.text.split(".")[0]


def new_reference() -> str:
    """16 URL-safe characters, 96 random bits. They name a row outside without telling how many rows there
    are."""
    return secrets.token_urlsafe(12)


def new_row_key() -> bytes:
    """32 random bytes. Alone they open nothing."""
    return secrets.token_bytes(32)


def code_from(digest: bytes) -> Code:
    """Cut the code from a keyed hash of 32 bytes. The bias of the division is below 2^-200."""
    number = int.from_bytes(digest, "big") % len(ALPHABET) ** CODE_LENGTH
    letters = ""
    for _ in range(CODE_LENGTH // 2):
        number, pair = divmod(number, len(_PAIRS))
        letters += _PAIRS[pair]
    return Code(letters)


def read_link(behind: str) -> Link | None:
    """The link in an opened address, read from what stands after its last slash. Signs and lines that follow
    are left out."""
    found = link_at_the_beginning(behind, _LINK)
    return Link(found) if found else None


def link_at_the_beginning(behind: str, link: str) -> str | None:
    """The part that fits the pattern `link`, in what stands after the last slash of an address. The length of
    the link says where it ends, so letters may follow at once: some mail programs remove the blank before the
    next word."""
    whole = on_one_line(behind[:LONGEST_INPUT])
    pattern = rf"[^A-Za-z0-9_-]*({link})"
    found = re.match(pattern, whole) or re.match(pattern, whole.translate(_LEFT_OF_BREAKS))
    return found[1] if found else None


def read_secret(typed: str) -> Code | Link | None:
    """Read what was typed or pasted as a token: the code, the mailed link, or a text that holds one of them.

    None when the text can be neither, or holds two that differ. Nothing is guessed: a letter outside the
    alphabet makes it no code. If there is a link, the link is taken and not the code beside it: both name the
    same reset request, and a link proves itself.
    """
    if len(typed) > LONGEST_INPUT:
        return None
    text = _seen(typed)
    if links := _links(text):
        return Link(links.pop()) if len(links) == 1 else None
    words = _with_plain_dashes(text)
    if code := _alone(words):
        return Code(code)
    codes = _codes_among_words(words)
    return Code(codes.pop()) if len(codes) == 1 else None


def holds_secret(text: str) -> bool:
    """Whether people could take something in this text for a token, however many such things there are."""
    seen = _seen(text)
    words = _with_plain_dashes(seen)
    return bool(_links(seen) or _alone(words) or _codes_among_words(words))


def on_one_line(text: str) -> str:
    """The text with its lines put together again, and without blanks: as a link was before a mail program
    broke it."""
    return _LINE_BREAK.sub("", text)


def _seen(typed: str) -> str:
    """The text without invisible characters, and with full-width letters as usual ones."""
    return "".join(
        letter for letter in typed.translate(_NARROW) if letter.isascii() or not _is_unseen(letter)
    )


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or "\ufe00" <= letter <= "\ufe0f" or letter == "\u034f"


def _with_plain_dashes(text: str) -> str:
    """Every dash and underscore as `-`. Letters with accents, in rings or in bold count as letters, but never
    as letters of ALPHABET."""
    return "".join(letter if letter.isascii() else _drawn_plainly(letter) for letter in text).replace(
        "_", "-"
    )


def _drawn_plainly(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Pd" or letter in "\u2212\u2043\u02d7":
        return "-"
    is_letter = kind[0] in "LMN" or any(one.isalnum() for one in unicodedata.normalize("NFKC", letter))
    return _OUTSIDE if is_letter else letter


def _links(text: str) -> set[str]:
    """The links in a text: in the text as it stands, with its lines put together, and inside what mail
    filters make of a link."""
    found: set[str] = set()
    for whole in (text, on_one_line(text)):
        for _ in range(_TIMES_WRAPPED):
            found.update(_MAILED.findall(whole), _MAILED.findall(whole.translate(_LEFT_OF_BREAKS)))
            if whole is text:
                found.update(_BY_ITSELF.findall(whole))
            inside = _unwrapped(whole)
            if inside == whole:
                break
            whole = inside
    return found


def _unwrapped(text: str) -> str:
    """The text with one layer less of what mail filters put around a link: the original stands inside
    percent-encoded (Outlook, Google, Barracuda, Cisco), in Proofpoint's own spelling of that, or in Base64
    (Sophos)."""
    text = unquote(_PROOFPOINT.sub(lambda found: found[1].translate(_PROOFPOINT_SIGNS), text))
    return _BASE64_ADDRESS.sub(lambda found: _from_base64(found[0]), text)


def _from_base64(text: str) -> str:
    whole = text[: len(text) - (len(text) % 4 == 1)].translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("ascii")
    except ValueError:
        return text


def _alone(text: str) -> str | None:
    """The code, if the text consists of it and of nothing else. It may stand there several times, because
    some people press Paste twice."""
    letters = "".join(_WORD.findall(text))
    code = letters[:CODE_LENGTH].upper()
    return code if _is_code(code) and letters.upper() == code * (len(letters) // CODE_LENGTH) else None


def _is_code(letters: str) -> bool:
    return len(letters) == CODE_LENGTH and letters.isascii() and set(letters.upper()) <= set(ALPHABET)


def _codes_among_words(text: str) -> set[str]:
    """Codes between other words, as in `Token: WDJB-MJHT`: a word of eight letters, two halves, or eight
    single letters.

    If only blanks separate the letters, they must be in capitals, as mailed: `skrg bgmn` is how people write
    two other words. But if it is all that stands after a colon, it was meant as a code: `token: wdjb mjht`. A
    half that a dash joins to its other half does not also belong to another neighbour: `PPPK WDJB-MJHT`.
    """
    text = _without_addresses(text)
    words = list(_WORD.finditer(text))
    gaps = [text[one.end() : other.start()] for one, other in pairwise(words)]
    bound = {index for index, gap in enumerate(gaps) if _BINDING_DASH.fullmatch(gap)}
    found = {code for said in _SAID.findall(text) if (code := _alone(said))}
    halves = {index for index, word in enumerate(words) if _is_code(word[0] * 2)}
    beside = {index + 1 for index in bound & halves} | {index - 1 for index in halves if index - 1 in bound}
    found |= {
        word[0].upper() for index, word in enumerate(words) if _is_code(word[0]) and index not in beside
    }
    for index, gap in enumerate(gaps):
        half, letters = words[index][0], words[index][0] + words[index + 1][0]
        is_loose = (
            letters.isupper() and not bound & {index - 1, index + 1} and _BLANKS_AND_DASHES.fullmatch(gap)
        )
        if len(half) == CODE_LENGTH // 2 and _is_code(letters) and (index in bound or is_loose):
            found.add(letters.upper())
    spelt = (_BLANKS_AND_DASHES.sub("", run[0]) for run in _SPELT_OUT.finditer(text))
    return found | {letters for letters in spelt if letters.isupper() and _is_code(letters)}


def _without_addresses(text: str) -> str:
    """The text without parts of links, and without other long strings that have no blanks: these are no
    words."""
    return "".join("|" if _is_no_word(part) else part for part in re.split(r"(\s+)", text))


def _is_no_word(part: str) -> bool:
    return (
        "://" in part
        or "@" in part.strip("@")
        or sum(letter.isalnum() for letter in part) > _MOST_LETTERS_AROUND
    )
