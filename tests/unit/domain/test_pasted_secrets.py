"""A token is read even if other text was pasted with it. A text without a token, or with two, counts as no
token."""

# one spelling in each row

import base64
import re
from time import thread_time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.masks import Masks
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.password_policy import has_blank_end
from app.domain.reset_secret import ALPHABET, LONGEST_INPUT, Code, Link, read_link, read_secret

CODE = Code("WDJBMJHT")
LINK = Link("a_bc-efghijklmno." + "Zx-_9" * 8 + "7_k")
SITE = "https://mysapk.example/konfirmasi-reset-password/"
URL = SITE + LINK.text
_IN_PROOFPOINT = (
    quote(URL, safe="/").replace("-", "%2D").replace("_", "%5F").replace("/", "_").replace("%", "-")
)
PROOFPOINT_2 = f"https://urldefense.proofpoint.com/v2/url?u={_IN_PROOFPOINT}&d=DwMFaQ&c=abc"
SAFELINKS = (
    f"https://apc01.safelinks.protection.outlook.com/?url={quote(URL, safe='')}"
    "&data=05%7C01%7Cbudi%40nusajaya.example"
)
MAIL = f"""Yth. Budi Santoso,

Token untuk Reset Password akun MySAPK dengan NIP 19900715 201505 1 002:

WDJB-MJHT

Salin token itu ke halaman Konfirmasi Reset Password, atau buka tautan ini (token terisi otomatis):

{URL}

Berlaku sampai 14.05 WIB / 15.05 WITA / 16.05 WIT, untuk satu kali pakai.
"""

CODES = [
    "*WDJB-MJHT*", "**WDJB-MJHT**", "**WDJB**-**MJHT**", "`WDJB-MJHT`", "_WDJB-MJHT_", "~WDJB-MJHT~",
    "> WDJB-MJHT",
    "WDJB-MJHT.", "WDJB-MJHT,", "WDJB-MJHT;", "'WDJB-MJHT'", '"WDJB-MJHT"', "\u201cWDJB-MJHT\u201d",
    "«WDJB-MJHT»",
    "(WDJB-MJHT)", "[WDJB-MJHT]", "<WDJB-MJHT>", "<b>WDJB-MJHT</b>", "Token: WDJB-MJHT", "Token:WDJB-MJHT",
    "token=wdjb-mjht",
    "Token Anda WDJB-MJHT ya", "token saya wdjb-mjht, terima kasih", "WDJBMJHT itu token saya",
    "Token WDJB MJHT",
    "Token CPNS: WDJB-MJHT", "PPPK WDJB-MJHT", "WDJB-MJHT WDJB-MJHT", "Token: W D J B - M J H T",
    "Token\nWDJB-\nMJHT\nya",
    "\uff37\uff24\uff2a\uff22\uff0d\uff2d\uff2a\uff28\uff34", "WDJB\u2013MJHT", "WDJB \u2014 MJHT",
    "WDJB\u2212MJHT",
    "WDJB\u00adMJHT", "WDJB_MJHT", "W D J B M J H T", "W\u200bD\u200bJ\u200bB\u2060MJHT", "\ufeffWDJB-MJHT",
    "\u202eWDJB-MJHT\u202c",
    "\U0001f511 WDJB-MJHT \u2714\ufe0f", "WDJB\u3000MJHT", "WDJB\r\nMJHT", "wdjb-MJHT", "- WDJB-MJHT",
    "1. WDJB-MJHT",
    "WDJB-MJHTWDJB-MJHT", "wdjbmjhtwdjbmjht", "token: wdjb mjht", "Token = Wdjb Mjht\nBerlaku 60 menit",
    "Token: W.D.J.B.M.J.H.T",
    "Token-WDJBMJHT", "https://apc01.safelinks.example/s/AbCdEf WDJB-MJHT", "budi@nusajaya.example WDJB-MJHT",
]  # fmt: skip
LINKS = [
    URL, f"{URL}.", f"{URL},", f"<{URL}>", f'"{URL}"', f"({URL})", f"*{URL}*", f"_{URL}_", f"[token]({URL})",
    f"{URL}/",
    f"{URL}?utm_source=mail", f"{URL}&utm_medium=email", f"{URL}#bagian", f"{URL}%20", f"{URL}<{URL}>",
    f'<a href="{URL}">buka</a>',
    f"{URL}Berlaku sampai pukul dua", f"tautan: {URL} ya", LINK.text, f" {LINK.text}\n", SAFELINKS,
    PROOFPOINT_2,
    f"https://urldefense.com/v3/__{URL}__;!!AbC-dEf!x$",
    f"https://www.google.com/url?q={quote(URL, safe='')}&sa=D&source=editors",
    f"https://linkprotect.cudasvc.com/url?a={quote(URL, safe='')}&c=E,1,abc&typo=1",
    f"https://secure-web.cisco.com/1abcDEF/{quote(URL, safe='')}",
    ""
    f"https://eu-west-1.protection.sophos.com?d=mysapk.example&u={base64.b64encode(URL.encode()).decode()}&i=NjA=",
    f"https://apc01.safelinks.protection.outlook.com/?url={quote(PROOFPOINT_2, safe='')}&data=05",
    f"https://apc01.safelinks.protection.outlook.com/?url={quote(SAFELINKS, safe='')}&data=05",
    MAIL, MAIL.replace("\n", "\r\n"), "\n".join(f"> {line}" for line in MAIL.splitlines()),
    MAIL.replace("\n", " "),
    MAIL.replace(URL, SAFELINKS),
]  # fmt: skip
NONE = [
    "", " ", "WDJB-MJH", "WDJB-MJHTT", "WDJBMJHTB", "AEIO-UYAE", "WDJB-MJH7", "WDJB-MJHT atau BCDF-GHJK",
    "WDJB-MJHT BCDF-GHJK",
    "BCDFGHJK WDJBMJHT", "WDJB-MJHT-BCDF", "WDJBMJHT-BCDF", "ini WDJB-MJHTBCDF-GHJK ya",
    "token: wdjb mjht atau bcdf ghjk", "token: wdjb mjht\nToken: bcdf-ghjk", "CPNS PPPK WDJB-MJHT",
    "skrg bgmn tokennya", "Token CPNS dan PPPK belum datang",
    "\u24cc DJB-MJHT", "W\u0301DJB-MJHT", "\u1e82DJB-MJHT", "\u212adJB-MJHT", "\U0001d416DJB-MJHT",
    "\u0412DJB-MJHT",
    f"{URL} {SITE}{'q' * 16}.{'s' * 43}", URL[:-1], URL[:-1] + "l",
    "https://protect-us.mimecast.com/s/AbCdEfGhIj?domain=mysapk.example",
    "https://mysapk.example/konfirmasi-reset-password", "WDJB-MJHT" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("typed", CODES)
def test_a_code_is_read_out_of_what_stands_around_it(typed: str) -> None:
    assert read_secret(typed) == CODE


@pytest.mark.parametrize("typed", LINKS)
def test_a_link_is_read_out_of_what_was_made_of_it(typed: str) -> None:
    assert read_secret(typed) == LINK


@pytest.mark.parametrize("typed", NONE)
def test_nothing_is_guessed(typed: str) -> None:
    assert read_secret(typed) is None


@given(st.text(alphabet=ALPHABET, min_size=8, max_size=8), st.data())
def test_any_decoration_of_a_code_reads_back_as_it(letters: str, data: st.DataObject) -> None:
    between = data.draw(
        st.sampled_from(["", "-", " ", "\n", "\u2011", "\u2014", "\u2212", "_", " - ", "\u00ad", "\u200b"])
    )
    around = st.text(alphabet=" .,:;!?*_`~'\"()[]<>{}|#\u201c\u201d\u2019\n\u200b\ufe0f\u2705", max_size=8)
    words = st.sampled_from(["", "Token Anda ", "token: ", "Kode\n", "ini tokennya, ", "Yth. Budi, "])
    written = (
        data.draw(st.sampled_from([letters, letters.lower()])) if between in ("-", "\u2011") else letters
    )
    decorated = written[:4] + between + written[4:]

    assert read_secret(data.draw(around) + decorated + data.draw(around)) == Code(letters)
    assert read_secret(f"{data.draw(words)}{decorated} ya") == Code(letters)


@given(
    st.integers(1, len(URL) - 1),
    st.sampled_from(["\n", "\r\n", "=\n", "=\r\n", "\n> ", "\n>> ", " ", "\n\t", "= "]),
    st.data(),
)
def test_a_link_broken_anywhere_reads_back_as_it(place: int, broken_by: str, data: st.DataObject) -> None:
    behind = data.draw(
        st.sampled_from(["", ".", "\n\nBerlaku sampai", "\n> -- \n> MySAPK", "?utm_source=mail", ">"])
    )

    assert read_secret(URL[:place] + broken_by + URL[place:] + behind) == LINK


@given(
    st.text(
        alphabet=st.characters(exclude_characters=ALPHABET + ALPHABET.lower(), max_codepoint=0x2FF),
        max_size=300,
    )
)
def test_a_text_without_our_letters_is_none(text: str) -> None:
    assert read_secret(text) is None


@given(
    st.lists(
        st.sampled_from(
            [
                "token",
                "saya",
                "belum",
                "datang",
                "tolong",
                "kirim",
                "ulang",
                "ke",
                "email",
                "ya",
                "bpk",
                "ibu",
                "skrg",
                "bgmn",
                "BKN",
            ]
        ),
        max_size=30,
    )
)
def test_words_are_no_token(words: list[str]) -> None:
    # Otherwise the text is only what is in the field
    if not re.fullmatch(r"(.{8})\1*", "".join(words)):
        assert read_secret(" ".join(words)) is None


@pytest.mark.parametrize(
    "piece",
    [
        "%25",
        "a ",
        "- ",
        "=\n",
        "B",
        "u=https-3A__",
        "aHR0c",
        "konfirmasi-reset-password/",
        "> ",
        "WDJB-",
        "\u00e9",
        "\uff37",
        "_",
        "(",
        "\t",
    ],
)
def test_no_text_makes_the_reading_expensive(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        return min(_timed(text) for _ in range(3))

    assert seconds(LONGEST_INPUT) < 40 * seconds(LONGEST_INPUT // 10) + 0.05, (
        "ten times the text, not a hundred times the work"
    )


def _timed(text: str) -> float:
    started = thread_time()
    read_secret(text)
    return thread_time() - started


@pytest.mark.parametrize(
    "behind",
    [
        "",
        ".",
        ">",
        ")",
        '"',
        " ",
        "&utm_source=mail",
        "/",
        "=\nBerlaku",
        "Berlaku",
        "x",
        "\n",
        "\u00a0",
        "*",
        "_",
        "'",
        ",",
        "%20",
    ],
)
def test_an_opened_address_holds_its_link_whatever_follows(behind: str) -> None:
    assert read_link(LINK.text + behind) == LINK


def test_a_letter_too_few_spoils_an_opened_link() -> None:
    assert read_link(LINK.text[:-1]) is None
    assert read_link(LINK.text[1:]) is None


@pytest.mark.parametrize(
    "around",
    ["{}", "{}.", "<{}>", '"{}"', "{}%3E", "{}=%0A", "{}&utm_source=mail", "{}/", "%3C{}%3E", "{}%20x"],
)
def test_a_link_stays_out_of_the_log_whatever_stands_around_it(around: str) -> None:
    masks = Masks(["/konfirmasi-reset-password/"])
    for whole in (
        LINK.text,
        LINK.text[:30] + "=%0A" + LINK.text[30:],
        LINK.text[:40] + "%20" + LINK.text[40:],
    ):
        line = masks.masked(f"GET /konfirmasi-reset-password/{around.format(whole)} HTTP/1.1")

        assert whole[:12] not in line, line
        assert whole[-12:] not in line, line


@pytest.mark.parametrize(
    "written",
    [
        "NIP. 19860926 201505 1 001",
        "NIP: 198609262015051001",
        "nip 198609262015051001",
        "NIP.198609262015051001",
    ],
)
def test_the_word_nip_may_come_along(written: str) -> None:
    assert read_nip(written) == Nip("198609262015051001")
    assert isinstance(read_nip("NIPPOS 198609262015051001"), NotANip)
    assert isinstance(read_nip("NIP"), NotANip)


@pytest.mark.parametrize(("password", "has_one"), [
    (" Kuda-Laut7", True), ("Kuda-Laut7 ", True), ("Kuda-Laut7\u00a0", True), ("\u200bKuda-Laut7", True),
    ("\u3000Kuda7", True),
    ("Kuda Laut 7", False), ("", False), ("K", False),
])  # fmt: skip
def test_a_blank_at_an_end_is_seen(password: str, *, has_one: bool) -> None:
    assert has_blank_end(password) is has_one
