"""Invented people, as many as a measurement needs, and the files that bring them."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

PASSWORD = "Kopi-Tubruk-2021"
NEW_PASSWORD = "Kuda-Laut7"
_A_DAY = 900  # people with the same birthday
_HEADER = "nip,nama,email,kategori,kode_instansi,unit_kerja"


def nip_of(person: int) -> str:
    born = date(1970, 1, 1) + timedelta(days=person // _A_DAY)
    return f"{born:%Y%m%d}{born.year + 25}{born:%m}{1 + person % 2}{1 + person % _A_DAY:03d}"


def email_of(person: int) -> str:
    return f"p{person}@contoh.example"


def write_instansi(folder: Path) -> Path:
    file = folder / "instansi.csv"
    file.write_text("kode,nama,kontak\n1,Instansi Contoh,loket 1\n")
    return file


def write_staff(folder: Path, people: Iterable[int], password_hash: str = "") -> Path:
    """A file that `mysapk import-pegawai` takes."""
    file = folder / "pegawai.csv"
    more_header, more = (",password_hash", f',"{password_hash}"') if password_hash else ("", "")
    with file.open("w") as out:
        print(f"{_HEADER}{more_header}", file=out)
        for person in people:
            name = f"Orang Contoh {person}"
            print(f"{nip_of(person)},{name},{email_of(person)},PNS,1,Unit{more}", file=out)
    return file
