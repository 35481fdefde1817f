"""Which kind of civil servant a person is, and where their account stands."""

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


def initial_activation(category: Category) -> Activation:
    """CPNS wait for their instansi; everyone else activates with the first login."""
    return Activation.WAITING_APPROVAL if category is Category.CPNS else Activation.NOT_ACTIVATED
