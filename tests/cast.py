"""The people of the tests. They are the people of the demo, so that people can try in the demo what the tests
check."""

from app.cli.demo import CAST, PASSWORD, Person


def _called(first_name: str) -> Person:
    return next(person for person in CAST if person.name.startswith(first_name))


SARI = _called("Sari")  # active for years
BUDI = _called("Budi")  # imported, never activated
JOKO = _called("Joko")  # the address on record is wrong
DEWI = _called("Dewi")  # PPPK
CINTA = _called("Cinta")  # CPNS, waits for the instansi
TONO = _called("Tono")  # deactivated
HADI = _called("Hadi")  # PPT Non ASN
LESTARI = _called("Lestari")  # no email on record
WATI = _called("Wati")  # admin of the same instansi
RAKA = _called("Raka")  # admin of another one
RATNA = _called("Ratna")  # pusat

STRANGERS_NIP = "197001011995011999"  # nobody has this NIP
NEW_PASSWORD = "Kuda-Laut7"


def email_of(person: Person) -> str:
    """The email of a person who has one on record."""
    assert person.email is not None
    return person.email


__all__ = [
    "BUDI",
    "CAST",
    "CINTA",
    "DEWI",
    "HADI",
    "JOKO",
    "LESTARI",
    "NEW_PASSWORD",
    "PASSWORD",
    "RAKA",
    "RATNA",
    "SARI",
    "STRANGERS_NIP",
    "TONO",
    "WATI",
    "Person",
    "email_of",
]
