"""/admin/audit: what happened, newest first, and as a file."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import StringField, ValidationError
from wtforms.validators import Optional

from app.domain.indonesian_time import WIB
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.typed_text import about_others
from app.flows.reports.search_trail import (
    MOST_EXPORTED,
    Export,
    TrailFilter,
    TrailPage,
    export_trail,
    exported_events,
    search_trail,
)
from app.models.audit_event import Tag
from app.runtime.db import reading, unit_of_work
from app.security.authority import Authority
from app.web import exports, kept_form
from app.web.admins import authority, desk_act, password_confirmed
from app.web.fields import DayField
from app.web.row_ids import big_row_id
from app.web.words import trail as trail_words

blueprint = Blueprint("trail", __name__, url_prefix="/audit")

_FILTERS = ("jenis", "nip", "oleh", "dari", "sampai")
_HEADER = [
    "Waktu (WIB)", "Kejadian", "NIP akun", "Nama akun", "NIP pelaku", "Pelaku", "Keterangan",
    "Alamat IP (sebagian)",
    "Nomor permintaan", "Nomor segel",
]  # fmt: skip
_CUT = (
    f"Daftar ini terpotong: paling banyak {MOST_EXPORTED} baris, dan yang lebih lama belum diperiksa. "
    "Persempit pencarian."
)


class TrailForm(FlaskForm):
    """What the admin looks for; every field may stay empty."""

    class Meta:
        csrf = False  # looking changes nothing; the export has a token of its own

    jenis = StringField("Jenis kejadian")
    nip = StringField("NIP pemilik akun")
    oleh = StringField("NIP pelaku")
    dari = DayField("Dari tanggal", validators=[Optional()])
    sampai = DayField("Sampai tanggal", validators=[Optional()])

    def validate_jenis(self, field: StringField) -> None:
        if field.data and not _tags(field.data):
            raise ValidationError("Pilih salah satu jenis kejadian dari daftar.")

    def validate_nip(self, field: StringField) -> None:
        _nip(field)

    def validate_oleh(self, field: StringField) -> None:
        _nip(field)

    def validate_sampai(self, field: DayField) -> None:
        if self.dari.data and field.data and field.data < self.dari.data:
            raise ValidationError("Sampai tanggal lebih awal daripada dari tanggal. Tukar keduanya.")

    @classmethod
    def sent(cls, fields: MultiDict[str, str]) -> "TrailForm":
        return cls(MultiDict({name: fields[name] for name in _FILTERS if fields.get(name, "").strip()}))

    @property
    def asked(self) -> dict[str, str]:
        return {name: self[name].raw_data[0] for name in _FILTERS if self[name].raw_data}

    @property
    def wanted(self) -> TrailFilter:
        return TrailFilter(
            _tags(self.jenis.data or ""), _nip(self.nip), _nip(self.oleh), self.dari.data, self.sampai.data
        )


@blueprint.get("")
def page() -> ResponseReturnValue:
    form = TrailForm.sent(request.args)
    if not form.validate():
        return _page(form, TrailPage([], None, False), 422)
    with reading() as db:
        found = search_trail(db, authority(), form.wanted, request.args.get("lanjut", type=big_row_id))
    return _page(form, found)


def _export_again() -> ResponseReturnValue:
    """The list with the same filters: its buttons are the form of the export."""
    flash(kept_form.why(), "info")
    form = TrailForm.sent(request.form)
    if not form.validate():
        return _page(form, TrailPage([], None, False))
    with reading() as db:
        return _page(form, search_trail(db, authority(), form.wanted, None))


@blueprint.post("/ekspor")
@kept_form.keeps_form(_export_again)
@password_confirmed
def export() -> ResponseReturnValue:
    form = TrailForm.sent(request.form)
    if not form.validate():
        return _page(form, TrailPage([], None, False), 422)
    file_kind = exports.kind_asked_for()
    with unit_of_work() as db:
        chosen = export_trail(db, form.wanted, file_kind, desk_act())
    return exports.as_file(file_kind, "jejak-audit", _HEADER, _rows(chosen, authority()))


def _page(form: TrailForm, found: TrailPage, status: int = 200) -> Response:
    page = render_template(
        "admin/reports/trail.html",
        form=form,
        has_errors=bool(form.errors),
        found=found,
        words=trail_words,
        asked=form.asked,
        is_first="lanjut" not in request.args,
        first_url=url_for("admin.trail.page", **_url_values(form.asked)),
        next_url=url_for("admin.trail.page", **_url_values(form.asked), lanjut=found.next_id)
        if found.next_id
        else None,
    )
    return make_response(page, status)


def _url_values(asked: dict[str, str]) -> dict[str, Any]:  # what url_for takes
    return dict(asked)


def _rows(chosen: Export, may: Authority) -> Iterator[list[exports.Cell]]:
    with reading() as db:
        for event in exported_events(db, chosen.ids):
            account = event.account if event.account and may.covers(event.account.instansi_id) else None
            actor = event.actor if event.actor and may.covers(event.actor.instansi_id) else None
            yield [
                f"{event.at.astimezone(WIB):%Y-%m-%d %H:%M:%S}",
                trail_words.words_for(event),
                account.nip if account else "",
                trail_words.account_of(event, may),
                actor.nip if actor else "",
                trail_words.actor_of(event, may),
                "; ".join(f"{term}: {value}" for term, value in trail_words.facts_of(event)),
                trail_words.address_of(event),
                event.request_id,
                event.seal_no,
            ]
    if chosen.is_cut:
        yield [_CUT]


def _tags(kind: str) -> frozenset[Tag]:
    """The tags of a choice: one, or all of a group. Empty if the choice is neither."""
    if kind in trail_words.GROUPS:
        return frozenset(trail_words.GROUPS[kind][1])
    return frozenset({Tag(kind)}) if kind in list(Tag) else frozenset()


def _nip(field: StringField) -> Nip | None:
    if not (field.data or "").strip():
        return None
    nip = read_nip(field.data or "")
    if isinstance(nip, NotANip):
        raise ValidationError(about_others(nip.sentence))
    return nip
