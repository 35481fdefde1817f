"""A test fills in a form as a person does: what is in it stays, and what it does not have cannot be given."""

import pytest

from tests.forms import form_in

PAGE = """
<form class="filter" method="get" action="/orang#daftar"><input name="cari" value="Budi &amp; Sari"></form>
<form method="post" novalidate>
  <input type="hidden" name="csrf_token" value="t0ken"><input name="nip">
  <input name="lama" value="x" disabled>
  <input type="checkbox" name="acknowledged" value="a" checked>
  <input type="checkbox" name="acknowledged" value="b">
  <input type="radio" name="way" value="1"><input type="radio" name="way" value="2" checked>
  <select name="category"><option value="PNS">PNS<option value="CPNS" selected>CPNS</option></select>
  <select name="instansi"><option value="">-</option><option value="7301">7301</option></select>
  <textarea name="reason">
Surat &lt;1&gt;</textarea>
  <input type="file" name="attachment"><button name="bentuk" value="csv">Kirim</button>
  <button formaction="/tolak">Tolak</button>
</form>
<form method="post" action="/tolak"><input name="because"></form>
"""


def test_a_form_holds_what_stands_in_it_before_anybody_types() -> None:
    form = form_in(PAGE, "/ubah?hal=2", "/ubah", set())

    assert form.values == {
        "csrf_token": ["t0ken"],
        "nip": [""],
        "acknowledged": ["a"],
        "way": ["2"],
        "category": ["CPNS"],
        "instansi": [""],
        "reason": ["Surat <1>"],
    }
    assert (form.method, form.is_multipart) == ("post", False)
    assert form_in(PAGE, "/ubah", "/orang", {"cari"}).values == {"cari": ["Budi & Sari"]}


def test_what_is_pressed_or_handed_over_can_be_named_too() -> None:
    form_in(PAGE, "/ubah", "/ubah", {"bentuk", "attachment", "acknowledged"})


def test_of_several_forms_that_go_there_the_one_with_these_names_is_meant() -> None:
    assert form_in(PAGE, "/ubah", "/tolak", {"nip"}).values["nip"] == [""]
    assert form_in(PAGE, "/ubah", "/tolak", {"because"}).values == {"because": [""]}


@pytest.mark.parametrize("name", ["email", "lama"])
def test_a_name_that_the_form_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(AssertionError, match=rf"has no \['{name}'\]; it has .*'nip'"):
        form_in(PAGE, "/ubah", "/ubah", {"nip", name})


def test_a_form_that_the_page_does_not_have_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"no form on /ubah goes to /hapus; there are .*/tolak"):
        form_in(PAGE, "/ubah", "/hapus", set())
