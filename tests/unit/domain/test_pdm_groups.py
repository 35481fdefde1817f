"""What each kind of civil servant is asked for at the PDM, and how ticks are kept."""

import pytest

from app.domain.categories import Category
from app.domain.pdm_groups import PdmGroup, as_bits, pdm_groups


def test_each_kind_is_asked_for_its_own_groups_and_cpns_for_those_of_pns() -> None:
    assert len(pdm_groups(Category.PNS)) == 12
    assert pdm_groups(Category.CPNS) == pdm_groups(Category.PNS)
    assert [group.label for group in pdm_groups(Category.PPPK)] == [
        "Data Personal", "Diklat", "Penghargaan", "Keluarga", "Organisasi"
    ]  # fmt: skip
    assert [group.label for group in pdm_groups(Category.PPT_NON_ASN)] == ["Data Personal"]


def test_a_tick_that_is_kept_means_the_same_group_for_ever() -> None:
    """The numbers are in the database: a new group is added at the end."""
    assert {group.value: group.bit for group in PdmGroup} == {
        "data-personal": 1, "riwayat-jabatan": 2, "pendidikan-diklat": 4, "skp": 8, "penghargaan": 16,
        "pangkat": 32, "keluarga": 64, "masa-kerja": 128, "pindah-instansi": 256, "cltn": 512,
        "cpns-pns": 1024, "organisasi": 2048, "diklat": 4096,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("named", "bits"), [([], 0), (["skp"], 8), (["skp", "skp"], 8), (["diklat", "<b>", ""], 0)]
)
def test_only_the_groups_of_the_own_kind_count(named: list[str], bits: int) -> None:
    assert as_bits(named, pdm_groups(Category.PNS)) == bits
