"""Which kind of civil servant a person is, and what the portal asks of each kind at the Pemutakhiran Data
Mandiri."""

import re

from app.domain.labelled import Labelled


class Category(Labelled):
    PNS = "PNS", "PNS"
    PPPK = "PPPK", "PPPK"
    CPNS = "CPNS", "CPNS"
    PPT_NON_ASN = "PPT_NON_ASN", "PPT Non ASN"


# As files of today write them. A person who works part of the time is a PPPK to the portal: the same groups
# of data, the same way in.
_SPELLINGS = {category.value.replace("_", ""): category for category in Category} | {
    **dict.fromkeys(("PEGAWAINEGERISIPIL", "PEGAWAINEGERISIPILPNS"), Category.PNS),
    **dict.fromkeys(("CALONPEGAWAINEGERISIPIL", "CALONPEGAWAINEGERISIPILCPNS", "CALONPNS"), Category.CPNS),
    **{
        f"{name}{time}": Category.PPPK
        for name in (
            "PPPK",
            "P3K",
            "PEGAWAIPEMERINTAHDENGANPERJANJIANKERJA",
            "PEGAWAIPEMERINTAHDENGANPERJANJIANKERJAPPPK",
        )
        for time in ("", "PARUHWAKTU", "PENUHWAKTU", "PW")
    },
}


def read_category(typed: str) -> Category | None:
    """Upper or lower case, with any blanks, dots and dashes between the letters."""
    return _SPELLINGS.get(re.sub(r"[\s_.()/\u2010-\u2015-]+", "", typed).upper())


class Activation(Labelled):
    """Where an account stands on its way to use."""

    NOT_ACTIVATED = "not_activated", "Belum diaktifkan"
    WAITING_APPROVAL = "waiting_approval", "Menunggu persetujuan instansi"
    ACTIVE = "active", "Aktif"
    DEACTIVATED = "deactivated", "Dinonaktifkan"

    @property
    def is_active(self) -> bool:
        return self is Activation.ACTIVE


# Guides to the PDM of 2021 list these groups. No list was found for PPT Non ASN, so theirs has only the
# personal data.
_PDM_GROUPS = {
    Category.PNS: (
        "Data Personal", "Riwayat Jabatan", "Pendidikan dan Diklat", "SKP (2 tahun terakhir)", "Penghargaan",
        "Pangkat/Golongan", "Keluarga", "Peninjauan Masa Kerja", "Pindah Instansi", "CLTN", "CPNS/PNS",
        "Organisasi",
    ),
    Category.PPPK: ("Data Personal", "Diklat", "Penghargaan", "Keluarga", "Organisasi"),
    Category.PPT_NON_ASN: ("Data Personal",),
}  # fmt: skip


def pdm_groups(category: Category) -> tuple[str, ...]:
    """The groups of data that a person is asked for. CPNS fill in the list of PNS once their account is
    open."""
    return _PDM_GROUPS.get(category, _PDM_GROUPS[Category.PNS])


def initial_activation(category: Category) -> Activation:
    """CPNS wait for their instansi; everyone else activates with the first login."""
    return Activation.WAITING_APPROVAL if category is Category.CPNS else Activation.NOT_ACTIVATED
