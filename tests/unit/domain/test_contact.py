"""How an instansi is reached: numbers as offices write them, and what a tap on them opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contact import Contact, kept_chat_number, kept_email, kept_phone
from app.domain.phone_number import NotAPhone, PhoneNumber, read_chat_number, read_phone_number


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("021-555-0173", "+62215550173"),
        ("(021) 555 0173", "+62215550173"),
        ("+62 21 555 0173", "+62215550173"),
        ("+62 (0)21 555 0173", "+62215550173"),
        ("+62021 5550173", "+62215550173"),
        ("0812-3456-7890", "+6281234567890"),
        ("0812.3456.7890", "+6281234567890"),
        ("+62 812 3456 7890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
        ("0411\u2013555\u00a0017", "+62411555017"),
        ("(0411) 555017 ext. 12", "+62411555017"),
        ("0411-555017 pes 12", "+62411555017"),
        ("tel:0411555017", "+62411555017"),
        ("1500123", "1500123"),
        ("14045", "14045"),
    ],
)
def test_a_number_is_read_as_offices_write_it(written: str, target: str) -> None:
    read = read_phone_number(written)

    assert isinstance(read, PhoneNumber)
    assert (read.target, read.link) == (target, f"tel:{target}")


@pytest.mark.parametrize(
    "written",
    [
        "", "-", "0", "loket 3", "555017", "0411-555017 / 555018", "0411555017, 0411555018",
        "+60 3 1234 5678",
        "00 62 411 555017", "0411", "0411-555017-555018-12", "0" * 12, "08123456789012", "0411555017;x=1",
        "javascript:alert(1)", "0411555017?body=x", "\u0660\u0664\u0661\u0661555017",
        "0411-555017     x",
    ],
)  # fmt: skip
def test_what_cannot_be_dialled_is_refused_with_a_sentence(written: str) -> None:
    read = read_phone_number(written)

    assert isinstance(read, NotAPhone)
    assert read.sentence.endswith(".")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("0812-3456-7890", "https://wa.me/6281234567890"),
        ("+62 812 3456 7890", "https://wa.me/6281234567890"),
        ("https://wa.me/6281234567890", "https://wa.me/6281234567890"),
        ("wa.me/+6281234567890/", "https://wa.me/6281234567890"),
        ("021-555-0173", "https://wa.me/62215550173"),
    ],
)
def test_a_chat_opens_at_the_digits_with_the_country(written: str, address: str) -> None:
    read = read_chat_number(written)

    assert isinstance(read, PhoneNumber)
    assert read.chat == address


@pytest.mark.parametrize(
    "written", ["1500123", "0411-555017 ext. 12", "wa.me/abc", "https://wa.me.evil.id/62812345678"]
)
def test_what_has_no_chat_is_refused(written: str) -> None:
    assert isinstance(read_chat_number(written), NotAPhone)


@given(st.text(max_size=60))
def test_whatever_is_kept_is_read_alike_again_and_its_link_holds_digits_alone(typed: str) -> None:
    for kept, read in ((kept_phone, read_phone_number), (kept_chat_number, read_chat_number)):
        if isinstance(first := kept(typed), str):
            again = read(first)
            assert isinstance(again, PhoneNumber)
            assert again.target.removeprefix("+").isdecimal()
            assert again.target.isascii()
            assert len(first) <= 40


def test_a_contact_says_each_way_once_and_what_can_be_tapped() -> None:
    contact = Contact(
        phone="(0411) 555017 pes. 12", whatsapp="0812-3456-7890", email="bantuan+asn@nusajaya.example",
        place="BKPSDM, loket 3", hours="Senin-Jumat 08.00-15.00", words="Bawa SK terakhir",
    )  # fmt: skip

    assert [(way.label, way.target) for way in contact.ways] == [
        ("Telepon", "tel:+62411555017"),
        ("WhatsApp", "https://wa.me/6281234567890"),
        ("Email", "mailto:bantuan+asn@nusajaya.example"),
    ]
    assert contact.lines == (
        "Telepon: (0411) 555017 pes. 12",
        "WhatsApp: 0812-3456-7890",
        "Email: bantuan+asn@nusajaya.example",
        "Loket: BKPSDM, loket 3",
        "Jam layanan: Senin-Jumat 08.00-15.00",
        "Keterangan: Bawa SK terakhir",
    )


def test_a_contact_of_before_is_its_words_alone() -> None:
    words = "BKPSDM loket 3, telepon 021-555-0173"

    assert Contact(words=words).lines == (f"Kontak: {words}",)
    assert Contact(words=words).helps
    assert not Contact(hours="Senin").helps


def test_what_was_written_past_the_portal_is_shown_without_a_link() -> None:
    strange = Contact(phone="javascript:alert(1)", whatsapp="//evil.example", email="a@b.id?cc=c@d.id,x")

    assert [way.target for way in strange.ways] == [None, None, None]


def test_marks_in_an_address_do_not_add_to_the_mail() -> None:
    assert isinstance(kept_email("a?cc=b@contoh.go.id"), str)
    assert [way.target for way in Contact(email="a?cc=b@contoh.go.id").ways] == [
        "mailto:a%3Fcc%3Db@contoh.go.id"
    ]
