"""What is said to somebody whose email address cannot be read, and how long an address may be."""

import pytest

from app.domain.email_address import EmailAddress, NotAnEmail, read_email

ONE = "Isi satu alamat email saja, dengan satu tanda @."
BLANKS = "Alamat email tidak memakai spasi. Hapus spasinya."
NAME = "Tulis alamat emailnya saja, tanpa nama dan tanpa tanda < >."
QUOTES = "Ada tanda kutip pada alamat email ini. Hapus tandanya."
DOTS = (
    "Ada titik yang berlebih pada alamat email ini. Hapus titik di awal, di dekat tanda @, atau yang "
    "berurutan."
)
NOT_TO_THE_END = (
    "Bagian sesudah tanda @ belum lengkap. Tulis sampai akhir, misalnya contoh.go.id atau gmail.com."
)
TOO_LONG = "Alamat email ini terlalu panjang. Periksa lagi, dan isi satu alamat email saja."
STRANGE = "Periksa lagi alamat email ini. Tulis seperti nama@contoh.go.id, tanpa tanda atau huruf khusus."


def ends_in(sign: str) -> str:
    return f"Alamat email ini diakhiri tanda {sign}. Hapus tanda itu."


def holds(sign: str) -> str:
    return (
        f"Ada {sign} pada alamat email ini, yang tidak dapat dipakai di situ. Hapus, atau ganti dengan huruf "
        "biasa."
    )


FAULTS = {
    "": "Isi email aktif Anda, misalnya nama@contoh.go.id.",
    "mailto:": "Isi email aktif Anda, misalnya nama@contoh.go.id.",
    "?!": "Tanda saja bukan alamat email. Isi email aktif Anda, misalnya nama@contoh.go.id.",
    "@": "Tanda saja bukan alamat email. Isi email aktif Anda, misalnya nama@contoh.go.id.",
    "budi": "Alamat email perlu tanda @, misalnya nama@contoh.go.id.",
    "budi@@contoh.go.id": "Ada dua tanda @ yang berurutan. Hapus salah satunya.",
    "a@b.id@c.id": ONE,
    "a@b.id, c@d.id": ONE,
    "a@b.id;c@d.id": ONE,
    "a@b.id a@": ONE,
    "budi@;x": ONE,
    "bu,di san@contoh.go.id": ONE,
    "budi santoso@contoh.go.id": BLANKS,
    "Xa b@contoh.go.id": BLANKS,
    "budi\t@contoh.go.id": BLANKS,
    "budi@contoh.go.id\r2": BLANKS,
    "budi\nsan@contoh.go.id": BLANKS,
    "bu..di santoso@contoh.go.id": BLANKS,
    "budi santoso@contoh": BLANKS,
    "Budi <budi@contoh.go.id>": NAME,
    "<budi@contoh.go.id": NAME,
    "budi@contoh.go.id>": NAME,
    '"budi"@contoh.go.id': QUOTES,
    "\u201cbudi@contoh.go.id": QUOTES,
    "budi@contoh.go.id\u201d": QUOTES,
    "\u2018budi@contoh.go.id": QUOTES,
    "budi@contoh.go.id\u2019": QUOTES,
    "`budi@contoh.go.id": QUOTES,
    "'budi@contoh.go.id": QUOTES,
    "budi@contoh.go.id'": QUOTES,
    "budi@contoh.go.id.": ends_in("titik"),
    "budi@contoh.go.id,": ends_in("koma"),
    "budi@contoh.go.id;": ends_in("titik koma"),
    "budi@contoh.go.id:": ends_in("titik dua"),
    "budi@contoh.go.id-": ends_in("hubung (-)"),
    "budi@contoh.go.id_": ends_in("garis bawah (_)"),
    "budi@contoh.go.id)": ends_in(")"),
    "budi@contoh.go.id\u2026": ends_in("\u2026"),
    "budi san@contoh.go.id.": ends_in("titik"),
    "budi san@contoh.go.id,": ends_in("koma"),
    "budi san@contoh.go.id:": ends_in("titik dua"),
    "budi san@contoh.go.id)": BLANKS,
    "@contoh.go.id": "Alamat email ini tidak lengkap: bagian sebelum tanda @ belum ada.",
    "budi@": "Alamat email ini tidak lengkap: bagian sesudah tanda @ belum ada.",
    "Xaver@contoh,go.id": "Ada koma sesudah tanda @. Ganti koma itu dengan titik, misalnya contoh.go.id.",
    "bu,di@contoh.go.id": "Ada koma sebelum tanda @. Periksa apakah seharusnya titik.",
    "budi@contoh..go.id": DOTS,
    ".budi@contoh.go.id": DOTS,
    "budi.@contoh.go.id": DOTS,
    "budi@.contoh.go.id": DOTS,
    "budi@contoh": NOT_TO_THE_END,
    "BUDI@CONTOH": NOT_TO_THE_END,
    "BUDI@CONTOH.GO.I": NOT_TO_THE_END,
    "budi@contoh.go.i": NOT_TO_THE_END,
    "budi@10.0.0.1": NOT_TO_THE_END,
    "bud\u00ef@contoh.go.id": holds("\u00ef"),
    "budi@cont\u00f6h.go.id": holds("\u00f6"),
    "BUDI(X)@contoh.go.id": holds("("),
    "budi@CONTOH\u00d6.GO.ID": holds("\u00d6"),
    "budi@contoh_a.go.id": holds("_"),
    "b(di@contoh_a.go.id": holds("("),
    "budi@contoh-.go.id": STRANGE,
    "bu\x01di@contoh.go.id": STRANGE,
    "budi@con\x7ftoh.go.id": STRANGE,
    "budi@contoh.go.id" + " " * 1000: "Alamat email terlalu panjang. Isi satu alamat email saja.",
}


@pytest.mark.parametrize(("typed", "said"), FAULTS.items(), ids=lambda text: text[:40])
def test_a_fault_of_an_address_is_said_with_what_to_do(typed: str, said: str) -> None:
    assert read_email(typed) == NotAnEmail(said)


READ = {
    " budi@contoh.go.id" + " " * 998: "budi@contoh.go.id",  # four times the longest address
    "bu\u200bdi@contoh.go.id\u00a0": "budi@contoh.go.id",
    "mailto:budi@contoh.go.id": "budi@contoh.go.id",
    "MAILTO: budi@contoh.go.id ": "budi@contoh.go.id",
    "o'budi@contoh.go.id": "o'budi@contoh.go.id",
    "Xaver_-@X.id": "Xaver_-@X.id",
}


@pytest.mark.parametrize(("typed", "read"), READ.items(), ids=lambda text: text[:40])
def test_an_address_is_read_out_of_what_surrounds_it(typed: str, read: str) -> None:
    assert read_email(typed) == EmailAddress(read)


def of_length(local: int, whole: int) -> str:
    rest = whole - local - len("@") - len(".id")
    return "x" * local + "@" + ".".join(["y" * 59] * (rest // 60) + ["y" * (rest % 60)]) + ".id"


@pytest.mark.parametrize(("local", "whole"), [(64, 254), (64, 100), (1, 254)])
def test_an_address_may_be_as_long_as_mail_servers_take_it(local: int, whole: int) -> None:
    address = of_length(local, whole)

    assert len(address) == whole
    assert read_email(address) == EmailAddress(address)


@pytest.mark.parametrize(("local", "whole"), [(65, 100), (64, 255)])
def test_a_longer_one_is_refused_for_that(local: int, whole: int) -> None:
    assert read_email(of_length(local, whole)) == NotAnEmail(TOO_LONG)


def test_in_the_longest_address_another_fault_is_named() -> None:
    longest = of_length(64, 254)

    assert read_email(f"({longest[1:]}") == NotAnEmail(holds("("))


# -- domains that could be taken for others
ALIKE = {
    ("bkm.go.id", "bkn.go.id"): True,  # another letter
    ("vkn.go.id", "bkn.go.id"): True,
    ("bnk.go.id", "bkn.go.id"): True,  # two letters in the other order
    ("kbn.go.id", "bkn.go.id"): True,
    ("bxy.go.id", "bkn.go.id"): False,
    ("nbk.go.id", "bkn.go.id"): False,
    ("bnk.go.ib", "bkn.go.id"): False,
    ("tx.co", "t.co"): True,  # a letter more
    ("at.co", "t.co"): True,
    ("txx.co", "t.co"): False,
    ("t.co", "tx.co"): True,  # a letter less
    ("t.co", "txx.co"): False,
    ("pertamian-kofa.go.id", "pertanian-kota.go.id"): True,  # two wrong letters of twenty
    ("pertamian-kofa.go.ib", "pertanian-kota.go.id"): False,
    ("agama.com", "agama.riau.go.id"): True,  # the name, elsewhere
    ("riau.com", "agama.riau.go.id"): False,
    ("nusajaya.com", "dinkes.nusajaya.go.id"): True,
}


@pytest.mark.parametrize(("domain", "known", "is_alike"), [(*pair, alike) for pair, alike in ALIKE.items()])
def test_a_domain_is_alike_by_one_slip_or_by_its_name(domain: str, known: str, *, is_alike: bool) -> None:
    assert EmailAddress(f"budi@{domain}").resembles({known}) == (known if is_alike else None)
