"""The groups of data that the Pemutakhiran Data Mandiri asks for, and what to have at hand for each."""

from collections.abc import Collection

from app.domain.categories import Category
from app.domain.labelled import Labelled


class PdmGroup(Labelled):
    """One group of data. Each has its bit in `User.prepared`, by its place here: a new group is added at the
    end."""

    PERSONAL = "data-personal", "Data Personal"
    POSITIONS = "riwayat-jabatan", "Riwayat Jabatan"
    EDUCATION = "pendidikan-diklat", "Pendidikan dan Diklat"
    GOALS = "skp", "SKP (2 tahun terakhir)"
    AWARDS = "penghargaan", "Penghargaan"
    RANKS = "pangkat", "Pangkat/Golongan"
    FAMILY = "keluarga", "Keluarga"
    SERVICE = "masa-kerja", "Peninjauan Masa Kerja"
    MOVES = "pindah-instansi", "Pindah Instansi"
    LEAVE = "cltn", "CLTN"
    APPOINTMENT = "cpns-pns", "CPNS/PNS"
    ORGANISATIONS = "organisasi", "Organisasi"
    TRAINING = "diklat", "Diklat"

    @property
    def documents(self) -> str:
        """Documents that hold these data. What an instansi accepts as proof is for that instansi to say."""
        return _DOCUMENTS[self]

    @property
    def bit(self) -> int:
        return _BITS[self]


_BITS = {group: 1 << place for place, group in enumerate(PdmGroup)}
# For ranks, positions, education, service and appointment: the list that the press printed in 2021. For the
# others: what people usually have.
_DOCUMENTS = {
    PdmGroup.PERSONAL: "KTP dan kartu keluarga, untuk dicocokkan",
    PdmGroup.POSITIONS: "SK jabatan, surat pelantikan bila ada",
    PdmGroup.EDUCATION: "Ijazah, transkrip nilai, sertifikat diklat",
    PdmGroup.GOALS: "Penilaian SKP 2 tahun terakhir",
    PdmGroup.AWARDS: "Piagam atau keputusan penghargaan",
    PdmGroup.RANKS: "SK kenaikan pangkat",
    PdmGroup.FAMILY: "Kartu keluarga, buku atau akta nikah, akta kelahiran anak",
    PdmGroup.SERVICE: "SK peninjauan masa kerja, bila pernah",
    PdmGroup.MOVES: "SK pindah instansi, bila pernah",
    PdmGroup.LEAVE: "SK cuti di luar tanggungan negara, bila pernah",
    PdmGroup.APPOINTMENT: "SK CPNS, SK PNS",
    PdmGroup.ORGANISATIONS: "Kartu anggota atau keputusan pengurus, bila ada",
    PdmGroup.TRAINING: "Sertifikat diklat",
}
# Guides to the PDM of 2021 list these groups. No list was found for PPT Non ASN, so theirs has only the
# personal data.
_OF_PPPK = (
    PdmGroup.PERSONAL,
    PdmGroup.TRAINING,
    PdmGroup.AWARDS,
    PdmGroup.FAMILY,
    PdmGroup.ORGANISATIONS,
)
_OF_PNS = tuple(group for group in PdmGroup if group is not PdmGroup.TRAINING)


def pdm_groups(category: Category) -> tuple[PdmGroup, ...]:
    """The groups of data that a person is asked for. CPNS fill in the list of PNS once their account is
    open."""
    match category:
        case Category.PPPK:
            return _OF_PPPK
        case Category.PPT_NON_ASN:
            return (PdmGroup.PERSONAL,)
        case Category.PNS | Category.CPNS:
            return _OF_PNS


def as_bits(names: Collection[str], groups: Collection[PdmGroup]) -> int:
    """Those of the groups that are named, as one number. Other names mean nothing."""
    return sum(group.bit for group in groups if group.value in names)
