"""One word per thing on every page and in every letter, and a name of its own for each page. The words of the
screen are chosen in docs/glossary.md."""

import re
from collections import Counter

import pytest

from tests.words_seen import ROOT, words_seen

INSTEAD = {
    r"\blagi (?:\S+ ){1,4}(?:detik|menit|jam) lagi": "Tunggu sekitar ... menit, lalu coba lagi",
    r"\bNIP baru terisi": "Baru ... angka yang terisi",
    r"\bketik tampaknya salah ketik": "Alamat email ini mungkin salah ketik",
    r"\btampaknya salah ketik": "mungkin salah ketik",
    r"(?i)\bbisa dipakai lagi dalam": "Anda dapat ... dalam",
    r"(?i)\bkeadaan(?:nya)?\b": "status",
    r"(?i)\bkiriman\b": "isian, file atau email",
    r"(?i)\bperkara(?:nya)?\b": "sengketa",
    r"(?i)\balamat internet\b": "alamat IP (sebagian)",
    r"(?i)\b(?:menolak|mengizinkan|menghapus|semua) cookie\b": "kuki",
    r"(?i)\bpenyamaran\b": "mode Samaran (Incognito)",
    r"(?i)\bpaling sedikit\b": "minimal",
    r"(?i)\bsekurang-kurangnya\b": "minimal",
    r"(?i)\bpassword belum memenuhi aturan\b|\baturan password\b": "syarat password",
    r"(?i)\b(?:bila|menit) tidak dipakai\b": "bila tidak ada aktivitas, tanpa aktivitas",
    r"(?i)\bterlalu lama terbuka\b": "kedaluwarsa",
    r"(?i)\blewat masa berlakunya\b|\blebih lama dari masa berlakunya\b": "masa berlakunya sudah habis",
    r"(?i)\b(?:terisi|terbuka|diperbarui|berakhir|selesai|dibatalkan) sendiri\b": "... otomatis",
    r"(?i)\bdengan sendirinya\b": "otomatis",
    r"(?i)\bkebanjiran\b": "penuh",
    r"\b1 x 24 jam\b": "dalam 24 jam",
    r"^(?:Hubungi|Yang memutuskan|Diputuskan|Dijawab|Berlaku mulai|Alasannya)$": "a noun as a label",
    r"\bAlasannya:": "Alasan:",
    r"(?i)\btidak dibaca bila dibalas\b": "Balasan tidak akan dibaca",
    r"(?i)\bdapat dimasuki\b": "dapat digunakan",
    r"(?i)\bjuga (?:bila ia|kepada orang yang) mengaku\b": "termasuk yang mengaku",
    r"(?i)\bmerasa berhak\b": "seharusnya memiliki akses",
    r"(?i)\btidak seorang pun (?:melihat|memutuskan|mengatur|mengubah)\b": "Admin tidak dapat ...",
    r"\b(?:[Jj]ika|[Kk]alau|[Aa]pabila)\b": "bila",
    r"(?i)\bberkas\b": "file",
    r"(?i)\bhelpdesk\b(?!@)": "kontak bantuan",
    r"(?i)\bpapan ketik\b": "keyboard",
    r"(?i)\btetikus\b": "mouse",
    r"(?i)\bponsel\b": "HP",
    r"\(screenshot\)": "tangkapan layar",
    r"(?i)\bsilahkan\b": "silakan",
}
PUBLIC = (
    "login/login", "reset/forgot_password", "reset/confirmation", "correction/ask",
    "information/help", "information/cookies", "information/accessibility", "information/status",
)  # fmt: skip
_BLOCK = r"\{%% block %s %%\}(.*?)\{%% endblock %%\}"


@pytest.fixture(scope="module")
def seen() -> list[tuple[str, str]]:
    return list(words_seen())


def test_nobody_reads_a_word_that_has_a_better_one(seen: list[tuple[str, str]]) -> None:
    found = [
        f"{file}: {hit[0]!r}, better {better!r}"
        for file, text in seen
        for pattern, better in INSTEAD.items()
        if (hit := re.search(pattern, text))
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "Sesi berakhir pukul … bila tidak ada aktivitas.",
        "Anda dapat mengirim ulang dalam {n} detik",
        "NIP atau password tidak cocok",
        "Diputuskan oleh",
    ],
)
def test_the_sentences_of_today_are_no_false_alarm(text: str) -> None:
    assert not [pattern for pattern in INSTEAD if re.search(pattern, text)]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("templates/layouts/_session_end.html", "bila tidak ada aktivitas"),  # after a tag
        ("templates/components/_forms.html", "Anda dapat mengirim ulang dalam {n} detik"),  # an attribute
        (
            "templates/reset/confirmation.html",
            "Salin dari email, lalu tempel di sini.",
        ),  # a text in an expression
        ("templates/emails/token/body.txt", "termasuk yang mengaku petugas"),
        ("app/domain/nip.py", "Baru … angka yang terisi."),
        ("static/js/portal/countdown.js", "Anda dapat mengirim ulang dalam {n} detik"),
        ("deploy/nginx/pages/terlalu-besar.html", "Isian atau file terlalu besar"),
        ("docs/panduan-pegawai.md", "termasuk orang yang mengaku petugas"),
    ],
)
def test_the_walk_comes_by_each_kind_of_text(seen: list[tuple[str, str]], file: str, text: str) -> None:
    assert any(where == file and text in words for where, words in seen)


def test_each_page_has_a_title_and_a_heading_of_its_own() -> None:
    pages = _pages()
    titles = {name: re.findall(_BLOCK % "title", source) for name, source in pages.items()}
    headings = {name: re.findall(r"<h1[^>]*>(.*?)</h1>", source, re.S) for name, source in pages.items()}

    assert not [name for name, found in titles.items() if len(found) != 1 or not found[0].strip()]
    assert not [name for name, found in headings.items() if not found or not all(map(str.strip, found))]
    assert _twice(found[0] for found in titles.values()) == []
    assert _twice(heading for found in headings.values() for heading in set(found)) == []


def test_a_long_word_of_a_heading_can_be_divided_on_a_small_phone() -> None:
    """With letters twice as large, a word of ten letters does not fit on 360 px. A browser breaks it anywhere
    and without a hyphen, unless the word says where, because browsers do not know Indonesian syllables."""
    headings = {name: re.findall(r"<h1[^>]*>(.*?)</h1>", source, re.S) for name, source in _pages().items()}

    undivided = [
        f"{name}: {word}"
        for name, found in headings.items()
        for heading in found
        for word in re.findall(r"[a-z]{10,}", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", heading), re.I)
    ]
    assert undivided == []


def test_a_title_has_no_soft_hyphen() -> None:
    assert not [
        name for name, source in _pages().items() if "&shy;" in "".join(re.findall(_BLOCK % "title", source))
    ]


def test_each_page_for_everybody_says_in_a_line_what_it_is_for() -> None:
    described = [re.findall(_BLOCK % "description", _pages()[f"{name}.html"]) for name in PUBLIC]

    assert not [name for name, found in zip(PUBLIC, described, strict=True) if len(found) != 1]
    assert _twice(found[0] for found in described) == []
    assert not [found[0] for found in described if not 40 <= len(found[0]) <= 155]


def _pages() -> dict[str, str]:
    """The templates that are pages, with their source."""
    folder = ROOT / "templates"
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in folder.rglob("*.html")
        if file.relative_to(folder).parts[0] not in ("components", "emails", "layouts")
        and not file.name.startswith("_")
    }


def _twice(all_of_them: object) -> list[str]:
    return [one for one, times in Counter(all_of_them).items() if times > 1]  # type: ignore[call-overload]
