"""An office writes in its own words, and its letter leads nowhere."""

import pytest

from app.domain.notice import LONGEST_NOTICE, NotANotice, Notice, read_notice


@pytest.mark.parametrize(
    "typed",
    [
        "Aktifkan akun sebelum 30-11-2026 pukul 16.00.",
        "Loket dibuka 08.00-15.00, dipandu Budi, S.Kom. dan Ani, M.Pd.\n\nTerima kasih.",
        "PDM tahap 2: 1/12/2026 sampai 31/12/2026, lantai 3 ruang 2.04.",
        "Surat Sekda nomor 800/1234/BKPSDM/2026 berlaku untuk semua PPPK dan CPNS.",
    ],
)
def test_what_offices_write_is_taken_as_it_is(typed: str) -> None:
    assert read_notice(typed) == Notice(typed)


@pytest.mark.parametrize(
    ("typed", "because"),
    [
        ("", "Tulis isi"),
        ("   \n  ", "Tulis isi"),
        ("Buka https://aktivasi.contoh.example sekarang", "tautan"),
        ("Buka HTTP://X", "tautan"),
        ("Buka www.contoh", "tautan"),
        ("Masuk di aktivasi-asn.contoh.id/masuk", "tautan"),
        ("Kirim ke helpdesk@contoh.example", "tautan"),
        ("Tanya @helpdesk", "tautan"),
        ("Selesai hari ini.Besok tutup", "beri spasi sesudah titik"),
        ("WA 0812-5550-0173", "nomor panjang"),
        ("WA 0812 5550 0173", "nomor panjang"),
        ("NIP 198503122010012001", "nomor panjang"),
        ("Transfer ke 12.345.678.90", "nomor panjang"),
        ("Token Anda WDJB-MJHT", "mirip token"),
        ("WDJB MJHT dan XKCD-WRTQ", "mirip token"),
        ("a" * (LONGEST_NOTICE + 1), "terlalu panjang"),
    ],
)
def test_what_leads_somewhere_is_refused(typed: str, because: str) -> None:
    read = read_notice(typed)

    assert isinstance(read, NotANotice)
    assert because in read.sentence


def test_invisible_letters_hide_nothing() -> None:
    read = read_notice("Buka www\u200b.contoh.id")

    assert isinstance(read, NotANotice)
    assert "www.contoh.id" in read.sentence
