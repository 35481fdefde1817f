"""The kinds of civil servants: how files write them, and how each begins."""

import pytest

from app.domain.categories import Activation, Category, initial_activation, read_category

SPELLINGS = {
    "PNS": Category.PNS,
    " pns ": Category.PNS,
    "P.N.S.": Category.PNS,
    "Pegawai Negeri Sipil (PNS)": Category.PNS,
    "CPNS": Category.CPNS,
    "Calon PNS": Category.CPNS,
    "calon pegawai negeri sipil": Category.CPNS,
    "P3K": Category.PPPK,
    "PPPK Paruh Waktu": Category.PPPK,
    "PPPK\u2013PW": Category.PPPK,
    "PPT_NON_ASN": Category.PPT_NON_ASN,
    "PPT Non ASN": Category.PPT_NON_ASN,
    "ppt-non/asn": Category.PPT_NON_ASN,
    "honorer": None,
    "": None,
}


@pytest.mark.parametrize(("typed", "category"), SPELLINGS.items())
def test_a_category_is_read_in_the_spellings_of_files(typed: str, category: Category | None) -> None:
    assert read_category(typed) is category


@pytest.mark.parametrize("category", list(Category))
def test_cpns_alone_wait_for_their_instansi(category: Category) -> None:
    waits = category is Category.CPNS

    assert initial_activation(category) is (
        Activation.WAITING_APPROVAL if waits else Activation.NOT_ACTIVATED
    )
