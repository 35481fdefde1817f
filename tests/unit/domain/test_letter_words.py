"""What an admin writes into a letter leads nowhere, however it is drawn; and what desks really write may
leave."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.letter_words import why_not_in_a_letter

WHAT_DESKS_WRITE = [
    "SK-12/2026",
    "813/1204/BKPSDM/2026",
    "813/1204/BKPSDM/2026, 1-7-2021",
    "821.2/1234/BKPSDM/2026",
    "800.1.3.2/1234/BKPSDM/2026",
    "100.3.3.2/123/2026",
    "SK 800/1234/2026",
    "KEP.12/BKPSDM",
    "Surat Sekda nomor 800/123",
    "Surat kepala dinas 12/2026",
    "SK No. 12/IV/2026",
    "Aktifkan akun sebelum 30-11-2026 pukul 16.00.",
    "Loket dibuka 08.00-15.00, dipandu Budi, S.Kom. dan Ani, M.Pd.\n\nTerima kasih.",
    "PDM tahap 2: 1/12/2026 sampai 31/12/2026, lantai 3 ruang 2.04.",
    "Masa 1/12/2026 - 31/12/2026.",
    "Surat Sekda nomor 800/1234/BKPSDM/2026 berlaku untuk semua PPPK dan CPNS.",
    "Apakah Sari, S.Pd., M.Si. benar? Atau S.Pd.I, A.Md.Keb, S.Kep.Ns, Sp.OG, Ph.D?",
    "Datang pukul 14.05. Jadi?",
    "a.n. Kepala, u.p. Sekretaris, d.a. loket 3, s.d. Jumat",
    "Tunjangan Rp1.500.000 dan Rp 15.000.000 belum dibayar",
    "Bawa:\n1. SK terakhir tahun 2026\n2. Kartu pegawai\n3. Foto 30-11-2026\n4. Map",
    "Tahun anggaran 2026/2027",
    "Datang ke loket 3, 08.00-15.00, atau lantai 2 (08.00-12.00).",
    "Sudah benar, S.Pd? Ya",
    "Golongan III.a ke III/b, s.d. IV.c",
    "Datang ke loket 3 membawa kartu pegawai",
    "Nama <b>beda</b> & 'NIP'",
    "Pegawai dan/atau atasan: bawa SK.",
    "• Bawa SK • Bawa KTP",
    "SK tanggal 2026-07-01",
    "Surat no.B/12/KP.01/2026",
    "-",
    "x",
]

WHAT_LEADS_SOMEWHERE = [
    "https://aktivasi.contoh.example", "HTTP://X", "www.contoh", "aktivasi-asn.contoh.id/masuk",
    "s.id/bkn-7301", "t.me/x", "t.co/x", "g.co/x", "a.b.id/x", "//t.me/x", "s.id", "103.21.4.5/masuk",
    "103.21.4.5", "103.21.4.5:8080/x", "портал.рф", "बीकेएन.भारत", "bkn。go。id",
    "ｂｉｔ．ｌｙ/a", "bit․ly", "bit·ly", "bit｡ly",
    "bkn[.]go[.]id", "bkn .id", "mailto:x", "tel:110", "helpdesk@contoh.example", "@helpdesk", "a＠contoh",
    "forms.gle/abcd", "linktr.ee/x", "is.gd/x", "goo.gl/x", "youtu.be/x", "evil.dev", "x.tk", "bkn.ru",
    "bkn.us",
    "bkn.vip", "bkn.cloud", "bkn.store", "bkn.asia", "xn--80ak6aa92e.com", "bkn.xn--p1ai", "bkn-go.id",
    "bkn.info/", "ＷＷＷ．x", "sꓸid/x", "CONTOH.COM/isi", "m.si/x", "s.id⁄x", "bkn.go.id.", "b\u00adkn.id",
    "bkn.\u200bid",
    "t.me\\x", "s.id?x", "Selesai hari ini.Besok tutup",
]  # fmt: skip

LONG_NUMBERS = [
    "0812-5550-0173", "0812 5550 0173", "198503122010012001", "12.345.678.90", "08.12 34.56 78.90",
    "08:12:33:44:55:66", "0812*3456*7890", "0812/3456/7890", "0812_3456_7890", "0812,3456,7890",
    "0812–3456–7890", "0812·3456·7890", "+62 812 3456 7890", "(0411) 555-0173", "０８１２３４５６７８９０",
    "٠٨١٢٣٤٥٦٧٨٩٠", "0812\n3456\n7890", "0️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣", "①②③④⑤⑥⑦⑧", "08.12-23.45 10.11", "08.12, 23.45, 10.11",
    "08-12-3456 78", "Rp0.812.345.678", "Rp812.345.678.901", "812.34/5678/901", "812.34-12.56",
]  # fmt: skip


@pytest.mark.parametrize("words", WHAT_DESKS_WRITE)
def test_what_desks_write_may_leave(words: str) -> None:
    assert why_not_in_a_letter(words) is None


@pytest.mark.parametrize("address", WHAT_LEADS_SOMEWHERE)
def test_an_address_in_any_dress_is_refused(address: str) -> None:
    for words in (address, f"Buka {address} sekarang", f"({address})", f"Masuk:\n{address}"):
        assert "tautan" in (why_not_in_a_letter(words) or ""), words


@pytest.mark.parametrize("number", LONG_NUMBERS)
def test_a_long_number_in_any_dress_is_refused(number: str) -> None:
    for words in (number, f"WA {number} ya"):
        assert "nomor panjang" in (why_not_in_a_letter(words) or ""), words


def test_a_token_is_refused() -> None:
    assert "mirip token" in (why_not_in_a_letter("Token Anda WDJB-MJHT") or "")


_letters = st.sampled_from("abcdefghijklmnopqrstuvwxyz")
_label = st.text(_letters, min_size=1, max_size=12)
_ending = st.text(_letters, min_size=2, max_size=10)
_host = st.builds(lambda labels, ending: ".".join([*labels, ending]), st.lists(_label, min_size=1), _ending)
_dot = st.sampled_from(".．｡。․·")


def _wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


@given(
    _host,
    _dot,
    st.sampled_from(["{}/x", "https://{}", "//{}/", "{}/a?b=c", "HTTP://{}/"]),
    st.sampled_from([str, _wide]),
)
def test_no_host_with_a_path_or_a_scheme_leaves(
    host: str, dot: str, dress: str, draw: Callable[[str], str]
) -> None:
    address = dress.format(host.replace(".", dot))

    refusal = why_not_in_a_letter(f"Buka {draw(address)} hari ini")

    assert "tautan" in (refusal or "")


@given(
    st.text("0123456789", min_size=9, max_size=15), st.sampled_from(["", " ", "*", "_", ",", "–", " - ", "·"])
)
def test_no_number_of_a_phone_leaves(digits: str, between: str) -> None:
    groups = [digits[place : place + 4] for place in range(0, len(digits), 4)]

    assert why_not_in_a_letter(f"WA 0{between.join(groups)} ya") is not None
