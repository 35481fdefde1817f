"""An admin has the people of an act on a list: pasted, or in the file of a letter. The page reads it, loses
nothing that was typed, and says nothing about people of other instansi."""

import re

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from app.models import BulkAct, BulkActRow
from app.runtime.db import engine, reading
from tests.cast import BUDI, CINTA, RAKA, RATNA, SARI, STRANGERS_NIP, WATI
from tests.flows.bulk.at_once import act_of, start, work
from tests.flows.bulk.listing import DECREE, LISTS, WHY, candidates, page_for, preview, send, workbook
from tests.visitor import Visitor, logged_in, words_of

NOT_HERE = "NIP ini tidak ada di daftar yang dapat Anda lihat"


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def acts(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(BulkAct)) or 0


def test_400_cpns_of_one_letter_are_one_file_one_preview_and_one_click(peopled: Flask, wati: Visitor) -> None:
    nips = candidates(peopled, 400)
    letter = workbook([
        ["LAMPIRAN KEPUTUSAN BUPATI"], ["No", "Nama", "NIP"], [1, 2, 3],
        *([place, f"Calon {place}", nip] for place, nip in enumerate(nips, 1)),
        ["", "Kepala BKPSDM, NIP 196501011990031009"],
    ])  # fmt: skip
    queue = wati.open("/admin/cpns")
    assert f'href="{page_for("setujui_cpns")}"' in queue.text

    refused = send(wati, "setujui_cpns", file=letter, **DECREE)
    page = wati.submit(refused, LISTS, without_faults=mark_on(refused.text)).location

    assert "Baris 404" in words_of(refused), "the signature is named, and not taken for a candidate"
    said = words_of(wati.open(page))
    assert "400 NIP dibaca dari daftar. 1 baris dilewati" in said
    assert "400 pegawai akan dibuka akunnya." in said
    assert "Nomor SK 813/1204/BKPSDM/2026" in said
    start(wati, page)
    work(peopled)
    assert act_of(peopled, page).result == {"selesai": 400}
    assert "400 pegawai dibuka akunnya." in words_of(wati.open(page))


def mark_on(page: str) -> str:
    found = re.search(r'name="without_faults" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def test_what_was_pasted_comes_back_with_every_fault_named(peopled: Flask, wati: Visitor) -> None:
    pasted = [SARI.nip, "131234567", "3201234567890123", "1,98609E+17", "Budi", SARI.nip]

    answer = send(wati, "nonaktifkan", pasted, **WHY)

    said = words_of(answer)
    assert answer.status_code == 422
    assert acts(peopled) == 0
    assert all(line in answer.text for line in pasted)
    assert WHY["reason"] in answer.text
    assert "Baris tanpa NIP yang dapat dibaca: 4" in said
    for line, sentence in (
        (2, "Ini tampaknya NIP lama (9 angka)"),
        (3, "Ini tampaknya NIK (16 angka pada KTP)"),
        (4, "NIP tersimpan sebagai angka"),
        (5, "Baris ini tidak berisi NIP"),
    ):
        assert re.search(rf"Baris {line}, .{{0,40}}: {re.escape(sentence)}", said), line


def test_a_tick_holds_only_for_the_faults_that_were_shown(wati: Visitor) -> None:
    refused = send(wati, "nonaktifkan", [SARI.nip, "131234567"], **WHY)

    mark = mark_on(refused.text)
    more = wati.submit(refused, LISTS, nips=f"{SARI.nip}\n131234567\n12", without_faults=mark)
    assert more.status_code == 422
    assert 'value="' + mark not in more.text

    another = wati.submit(refused, LISTS, nips=f"{SARI.nip}\n13123456", without_faults=mark)
    assert another.status_code == 422

    went_on = wati.submit(refused, LISTS, without_faults=mark)
    assert went_on.status_code == 303
    assert "1 NIP dibaca dari daftar. 1 baris dilewati" in words_of(wati.open(went_on.location))


def test_a_tick_for_the_lines_of_a_file_holds_once_they_stand_in_the_box(wati: Visitor) -> None:
    rows = f"Nama;NIP;Unit\nSari;{SARI.nip};A, B\nSiti Aminah;;A, B\n-;131234567, lama;C\n"
    refused = send(wati, "nonaktifkan", file=(rows.encode(), "daftar.csv"), **WHY)

    went_on = wati.submit(refused, LISTS, without_faults=mark_on(refused.text))

    assert went_on.status_code == 303
    assert "1 NIP dibaca dari daftar. 2 baris dilewati" in words_of(wati.open(went_on.location))


def test_what_a_file_held_stands_in_the_box_if_something_else_is_missing(wati: Visitor) -> None:
    refused = send(wati, "setujui_cpns", file=(f"nip\n{CINTA.nip}\n".encode(), "sk.csv"))
    assert refused.status_code == 422
    assert "Isi file sudah disalin ke kotak di bawah" in words_of(refused)

    answer = wati.submit(refused, LISTS, **DECREE)

    assert "1 pegawai akan dibuka akunnya." in words_of(wati.open(answer.location))


def test_somebody_who_stands_there_twice_is_counted_once(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "nonaktifkan", [SARI.nip, BUDI.nip, "19850312 201001 2 001"], **WHY)

    said = words_of(wati.open(page))
    assert "2 NIP dibaca dari daftar. 1 tertulis lagi, dan dihitung satu kali." in said
    assert act_of(peopled, page).total == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Tempel NIP di sini, satu per baris, atau pilih file."),
        ({"nips": "\n \n"}, "Tempel NIP di sini, satu per baris, atau pilih file."),
        ({"nips": SARI.nip, "file": (SARI.nip.encode(), "a.csv")}, "salah satu saja"),
        ({"file": (b"", "a.csv")}, "File ini kosong"),
        ({"file": ("Andr\u00e9".encode("latin-1"), "a.csv")}, "bukan UTF-8"),
        ({"file": (b"%PDF-1.7", "sk.pdf")}, "bukan tabel"),
        ({"file": (b"1" * (6 << 20), "a.csv")}, "lebih besar dari 5 MB"),
        ({"file": workbook([["NIP"], ["=A9"]])}, "Baru 1 angka yang terisi"),
        ({"nips": "\n".join(f"19900101202401{1 + n // 999}{n % 999 + 1:03}" for n in range(2001))},
         "berisi 2.001 NIP, padahal satu tindakan memuat paling banyak 2.000"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_with_what_to_do(
    peopled: Flask, wati: Visitor, fields: dict[str, str | tuple[bytes, str]], told: str
) -> None:
    answer = wati.submit(page_for("nonaktifkan"), LISTS, **WHY, **fields)

    assert answer.status_code == 422
    assert told in words_of(answer)
    assert acts(peopled) == 0


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("setujui_cpns", {"sk_number": "", "sk_date": "2021-07-01"}, "Isi nomor SK"),
        ("setujui_cpns", {"sk_number": "1", "sk_date": "2099-01-01"}, "Tanggal SK belum tiba"),
        ("tolak_cpns", {"reason": " "}, "Isi alasannya"),
        ("nonaktifkan", {"reason": ""}, "Isi alasannya"),
        ("akhiri_sesi", {"reason": ""}, "Isi alasannya"),
        ("mutasi", {"reason": "SK", "code": ""}, "Pilih instansi tujuan"),
        ("mutasi", {"reason": "SK", "code": "nowhere"}, "Instansi tujuan tidak dikenal"),
        ("pemberitahuan", {"notice": "Buka http://contoh.example"}, "tautan"),
        ("nonaktifkan", {"reason": "Daftar ulang di s.id/bkn-7301"}, "tautan"),
        ("akhiri_sesi", {"reason": "WA 08.12 34.56 78.90"}, "nomor panjang"),
        ("tolak_cpns", {"reason": "Kirim berkas ke forms.gle/abcd"}, "tautan"),
        ("mutasi", {"reason": "Masuk di портал.рф", "code": "3402"}, "tautan"),
        ("setujui_cpns", {"sk_number": "SK t.me/x", "sk_date": "2021-07-01"}, "tautan"),
    ],
)
def test_an_act_needs_its_terms_and_the_list_stays(
    peopled: Flask, wati: Visitor, kind: str, fields: dict[str, str], told: str
) -> None:
    answer = send(wati, kind, [SARI.nip], **fields)

    assert answer.status_code == 422
    assert told in words_of(answer)
    assert SARI.nip in answer.text
    assert acts(peopled) == 0


def test_the_acts_on_a_list_are_offered_and_an_unknown_one_is_not_done(peopled: Flask, wati: Visitor) -> None:
    offered = wati.open(LISTS)
    for kind in ("kirim_token", "setujui_cpns", "tolak_cpns", "nonaktifkan", "mutasi", "akhiri_sesi"):
        assert page_for(kind) in offered.text
        assert wati.open(page_for(kind)).status_code == 200

    sent = wati.post_with_token(page_for("mutasi"), LISTS, tindakan="hapus", nips=SARI.nip)

    assert sent.location == LISTS
    assert "Pilih dahulu tindakannya" in words_of(wati.open(LISTS))
    assert acts(peopled) == 0


def test_whole_rows_of_a_spreadsheet_can_be_pasted(peopled: Flask, wati: Visitor) -> None:
    nips = candidates(peopled, 2000)
    rows = [
        f"{place}\tCalon {place}\t{nip}\t{'Dinas Pendidikan dan Kebudayaan ' * 8}"
        for place, nip in enumerate(nips)
    ]

    page = preview(wati, "setujui_cpns", ["No\tNama\tNIP\tUnit", *rows], **DECREE)

    assert act_of(peopled, page).expected == {"selesai": 2000}


# -- people of other instansi


def test_people_of_another_instansi_are_like_nobody(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "nonaktifkan", [RAKA.nip, STRANGERS_NIP, SARI.nip], **WHY)

    shown = wati.open(page)
    said = words_of(shown)
    assert said.count(f"Dilewati. {NOT_HERE}") >= 2
    assert RAKA.name not in said
    rows = {row.typed: (row.person_id, row.desk, row.expected) for row in rows_of(peopled, page)}
    assert rows[grouped(RAKA.nip)] == rows[grouped(STRANGERS_NIP)] == (None, None, "tidak_ada")
    assert "pegawai akan dinonaktifkan akunnya, 2 dilewati" in said


def test_both_cost_the_same_statements(peopled: Flask, wati: Visitor) -> None:
    def statements(nip: str) -> list[str]:
        wanted: list[str] = []
        listened = engine()

        def note(_1: object, _2: object, statement: str, *_rest: object) -> None:
            wanted.append(statement)

        event.listen(listened, "before_cursor_execute", note)
        try:
            preview(wati, "nonaktifkan", [nip, SARI.nip], **WHY)
        finally:
            event.remove(listened, "before_cursor_execute", note)
        return wanted

    with peopled.app_context():
        statements(SARI.nip)
        assert statements(RAKA.nip) == statements(STRANGERS_NIP)


def test_a_list_of_strangers_alone_can_be_read_and_not_started(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "nonaktifkan", [RAKA.nip, STRANGERS_NIP], **WHY)

    said = words_of(wati.open(page))
    assert "Tidak ada pegawai yang dapat dikerjakan dari pilihan ini." in said
    assert f'action="{page}/jalankan"' not in wati.open(page).text
    wati.post_with_token(page, f"{page}/jalankan")
    work(peopled)
    assert act_of(peopled, page).started_at is None


def test_pusat_reaches_everybody_and_nobody_is_on_their_own_list(peopled: Flask) -> None:
    ratna = logged_in(peopled, RATNA)

    page = preview(ratna, "nonaktifkan", [RATNA.nip, WATI.nip, SARI.nip, BUDI.nip], **WHY)

    said = words_of(ratna.open(page))
    assert "2 pegawai akan dinonaktifkan akunnya, 2 dilewati." in said
    assert said.count("Dilewati. Memegang mandat admin") >= 2


def test_another_admin_does_not_see_a_preview(peopled: Flask, wati: Visitor) -> None:
    page = preview(wati, "nonaktifkan", [SARI.nip], **WHY)

    assert logged_in(peopled, RAKA).open(page).status_code == 404
    assert logged_in(peopled, RATNA).open(page).status_code == 404


def rows_of(app: Flask, page: str) -> list[BulkActRow]:
    with app.app_context(), reading() as session:
        found = select(BulkActRow).where(BulkActRow.bulk_act_id == int(page.rpartition("/")[2]))
        return list(session.scalars(found.order_by(BulkActRow.position)))


def grouped(nip: str) -> str:
    return f"{nip[:8]} {nip[8:14]} {nip[14]} {nip[15:]}"
