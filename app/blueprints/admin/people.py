"""/admin/pegawai: an admin finds people, page by page, and takes the list along as a file."""

from collections import Counter

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.email_address import EmailAddress
from app.flows.people.find_people import (
    MOST_EXPORTED,
    PeopleFilter,
    PeoplePage,
    all_found,
    export_people,
    find_people,
    stuck_since,
)
from app.models.stuck import Stuck
from app.models.user import User
from app.runtime.db import reading, unit_of_work
from app.web import exports, kept_form
from app.web.admins import authority, desk_act, password_confirmed
from app.web.paging import an_id, digits, moment, read_cursor, word, written
from app.web.people_search import PeopleForm, Search, read_search

blueprint = Blueprint("people", __name__, url_prefix="/pegawai")

_HEADER = ["NIP", "Nama", "Kategori", "Kode instansi", "Unit kerja", "Status", "Email", "Macet sejak"]
# The keys of the indexes of `find_people`. Over all instansi, the index of stuck people is in the order of
# instansi
_KEYS_OF_STUCK = {f"macet-{stuck}": (digits if stuck is Stuck.NO_EMAIL else moment, an_id) for stuck in Stuck}
_KEYS_OF = {"nip": (digits,), "nama": (word, an_id), **_KEYS_OF_STUCK}
_KEYS_OVER_ALL = _KEYS_OF | {index: (an_id, *keys) for index, keys in _KEYS_OF_STUCK.items()}
_CUT = f"Daftar ini terpotong: paling banyak {MOST_EXPORTED} baris. Persempit pencarian, lalu ekspor lagi."


@blueprint.get("")
def page() -> ResponseReturnValue:
    with reading() as db:
        search = read_search(db, PeopleForm(request.args))
        if search.wanted is None:
            return _page(search, PeoplePage([], None), 422)
        after = read_cursor(request.args.get("lanjut", ""), _KEYS_OF, _KEYS_OVER_ALL)
        return _page(search, find_people(db, authority(), search.wanted, after))


def _export_again() -> ResponseReturnValue:
    """The list with the same filters: its buttons are the form of the export."""
    flash(kept_form.why(), "info")
    with reading() as db:
        search = read_search(db, PeopleForm(request.form))
        return _page(
            search,
            find_people(db, authority(), search.wanted, None) if search.wanted else PeoplePage([], None),
        )


@blueprint.post("/ekspor")
@kept_form.keeps_form(_export_again)
@password_confirmed
def export() -> ResponseReturnValue:
    """The same people as a file. The email addresses stay masked, because a list is passed on easily."""
    with reading() as db:
        search = read_search(db, PeopleForm(request.form))
        if search.wanted is None:
            return _page(search, PeoplePage([], None), 422)
        counts: Counter[int] = Counter()
        rows = []
        for person in all_found(db, authority(), search.wanted):
            counts.update([person.instansi_id] if person else [])
            rows.append(_row(person, search.wanted))
    file_kind = exports.kind_asked_for()
    with unit_of_work() as db:
        export_people(db, search.wanted, counts, file_kind, desk_act())
    return exports.as_file(file_kind, "pegawai", _HEADER, rows)


def _page(search: Search, found: PeoplePage, status: int = 200) -> Response:
    asked = search.asked
    page = render_template(
        "admin/people/find.html",
        form=search.form,
        has_errors=bool(search.form.errors),
        asked=asked,
        units=search.units,
        found=found,
        masked_email=masked_email,
        stuck=search.wanted.stuck if search.wanted else None,
        stuck_since=stuck_since,
        is_first="lanjut" not in request.args,
        first_url=url_for("admin.people.page", **asked),
        next_url=url_for("admin.people.page", **asked, lanjut=written(found.next)) if found.next else None,
    )
    return make_response(page, status)


def _row(person: User | None, wanted: PeopleFilter) -> list[str]:
    if person is None:
        return [_CUT]
    return [
        person.nip, person.name, person.category.label, person.instansi.code, person.work_unit,
        person.activation.label,
        masked_email(person), _since(person, wanted.stuck),
    ]  # fmt: skip


def masked_email(person: User) -> str:
    return EmailAddress(person.email).masked if person.email else ""


def _since(person: User, stuck: Stuck | None) -> str:
    since = stuck_since(stuck, person)
    return since.date().isoformat() if since else ""
