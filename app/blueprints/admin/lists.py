"""/admin/sekaligus/daftar: an act on the people of a list, pasted or in a file. The page reads the list and
writes the preview; everything else is at /admin/sekaligus."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from sqlalchemy import true
from wtforms import StringField, ValidationError

from app.domain.file_changes import grouped
from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.nip_list import LineFault, NipList, read_nip_list
from app.domain.notice import LONGEST_NOTICE, NotANotice, read_notice
from app.files.list_lines import MOST_BYTES, lines_of_file, lines_of_text, one_file_at_a_time
from app.files.table import UnreadableFile
from app.flows.bulk.choose_by_list import all_of_list
from app.flows.bulk.prepare_bulk_act import MOST_PEOPLE, NobodyChosen, prepare
from app.flows.bulk.write_notices import WORDS as NOTICE_WORDS
from app.models.bulk_act import BulkAct, BulkKind
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.web import kept_form
from app.web.admins import authority, desk_act
from app.web.fields import DayField, LetterField, LineField, MarksField, refuse
from app.web.headers import takes
from app.web.words.bulk import WORDS

blueprint = Blueprint("lists", __name__, url_prefix="/sekaligus/daftar")

LONGEST_BODY = 3 * MOST_BYTES  # so that a file that is somewhat too large gets its sentence
_LONGEST_TEXT = 1 << 20  # whole rows of a spreadsheet, and not only their NIPs
_MOST_FAULTS_SHOWN = 100
_ASK_FOR_REASON = "Isi alasannya, misalnya nomor surat atau SK."


class ListForm(FlaskForm):
    """The list itself, and what the act needs to know beside it."""

    nips = StringField("Tempel NIP di sini")
    file = FileField("Atau pilih file CSV atau XLSX")
    without_faults = MarksField("Lanjutkan tanpa baris itu")

    def __init__(self, *arguments: Any, **more: Any) -> None:
        """The list stands below its terms, so its faults are named after theirs."""
        super().__init__(*arguments, **more)
        for name in ("nips", "file", "without_faults"):
            self._fields.move_to_end(name)

    @property
    def terms(self) -> dict[str, str]:
        return {}


class DecreeListForm(ListForm):
    sk_number = LetterField("Nomor SK", "Isi nomor SK, misalnya 813/1204/BKPSDM/2026.", 100)
    sk_date = DayField("Tanggal SK")

    def validate_sk_date(self, field: DayField) -> None:
        if not field.errors and field.value > today_in_jakarta(now()):
            raise ValidationError("Tanggal SK belum tiba. Isi tanggal pada SK itu, paling lambat hari ini.")

    @property
    def terms(self) -> dict[str, str]:
        return {"sk": self.sk_number.value, "sk_date": self.sk_date.value.isoformat()}


class NoticeListForm(ListForm):
    notice = StringField("Isi pemberitahuan")
    words: str

    def validate_notice(self, field: StringField) -> None:
        read = read_notice(field.data or "")
        if isinstance(read, NotANotice):
            raise ValidationError(read.sentence)
        self.words = read.words

    @property
    def terms(self) -> dict[str, str]:
        return {NOTICE_WORDS: self.words}


class ReasonListForm(ListForm):
    reason = LetterField("Alasan", _ASK_FOR_REASON, 500)

    @property
    def terms(self) -> dict[str, str]:
        return {"reason": self.reason.value}


class MoveListForm(ListForm):
    code = LineField("Instansi tujuan", "Pilih instansi tujuan.", 20)
    reason = LetterField("Alasan", _ASK_FOR_REASON, 500)
    target_name: str

    def validate_code(self, field: LineField) -> None:
        with reading() as db:
            target = Instansi.with_code(db, field.value)
        if target is None:
            raise ValidationError("Instansi tujuan tidak dikenal. Pilih salah satu dari daftar.")
        self.target_name = target.name

    @property
    def terms(self) -> dict[str, str]:
        return {"to": self.code.value, "instansi": self.target_name, "reason": self.reason.value}


FORMS: Mapping[BulkKind, type[ListForm]] = {
    BulkKind.TOKEN: ListForm,
    BulkKind.NOTICE: NoticeListForm,
    BulkKind.APPROVE_CPNS: DecreeListForm,
    BulkKind.REJECT_CPNS: ReasonListForm,
    BulkKind.DEACTIVATE: ReasonListForm,
    BulkKind.MOVE: MoveListForm,
    BulkKind.END_SESSIONS: ReasonListForm,
}


@blueprint.get("")
def page() -> ResponseReturnValue:
    """What can be done to the people of a list; with one of these chosen, its form."""
    kind = _kind()
    if kind is None:
        return render_template("admin/at_once/choose_list.html", kinds=list(FORMS))
    return _list_page(kind, FORMS[kind]())


def _list_again() -> ResponseReturnValue:
    kind = _kind()
    return _unknown_kind() if kind is None else _list_page(kind, kept_form.with_file(FORMS[kind]()))


@blueprint.post("")
@kept_form.keeps_form(_list_again)
@takes(file="file", longest_body=LONGEST_BODY, longest_text=_LONGEST_TEXT, only_from_admins=True)
def make() -> ResponseReturnValue:
    """Read the list and write the preview. Nothing is done yet."""
    kind = _kind()
    if kind is None:
        return _unknown_kind()
    form = FORMS[kind]()
    is_filled = form.validate()
    found = _read(form)
    if found is None or not _is_acknowledged(form, found) or not is_filled:
        return _list_page(kind, form, found.faults if found else (), status=422)
    with unit_of_work() as db:
        chosen = all_of_list(db, authority(), found.nips)
        bulk = prepare(db, kind, chosen, form.terms, desk_act())
    assert isinstance(bulk, BulkAct), f"a list with NIPs is never {NobodyChosen}"
    flash(_told_of(found), "info")
    return redirect(url_for("admin.at_once.show", bulk_id=bulk.id), 303)


def _read(form: ListForm) -> NipList | None:
    """What the list says. None if it cannot be used; then its field says why. What was read from a file
    stands in the box from now on, because no browser keeps a chosen file."""
    file, typed = request.files.get("file"), form.nips.data or ""
    has_file = file is not None and bool(file.filename)
    if has_file and typed.strip():
        refuse(
            form.nips, "Pilih file atau tempel NIP, salah satu saja. Kosongkan kotak ini bila memakai file."
        )
        return None
    try:
        if file is not None and has_file:
            with one_file_at_a_time():
                found = read_nip_list(lines_of_file(file.read()))
        else:
            found = read_nip_list(lines_of_text(typed))
    except UnreadableFile as refusal:
        refuse(form.file if has_file else form.nips, str(refusal))
        return None
    if has_file:
        form.nips.data = found.text
    return _usable(form, found)


def _usable(form: ListForm, found: NipList) -> NipList | None:
    if not found.nips and not found.faults:
        refuse(form.nips, "Tempel NIP di sini, satu per baris, atau pilih file.")
        return None
    if (count := len(found.nips)) > MOST_PEOPLE:
        refuse(
            form.nips,
            f"Daftar ini berisi {grouped(count)} NIP, padahal satu tindakan memuat paling banyak "
            f"{grouped(MOST_PEOPLE)}. Bagi menjadi beberapa daftar.",
        )
        return None
    return found


def _is_acknowledged(form: ListForm, found: NipList) -> bool:
    """Whether nothing is wrong with the list, or the admin has read what is, and goes on without it."""
    if not (count := len(found.faults)):
        return True
    if found.nips and _mark_of(found.faults) in form.without_faults.data:
        return True
    refuse(form.nips, f"Baris tanpa NIP yang dapat dibaca: {grouped(count)}. Perbaiki di kotak ini.")
    return False


def _mark_of(faults: Sequence[LineFault]) -> str:
    """Names these faults: a tick holds for those that were shown, and not for one that is typed later,
    be it in the same line."""
    mark = hashlib.sha256()
    for fault in faults:
        mark.update(f"{fault.number} {fault.bare}\n".encode())
    return mark.hexdigest()[:16]


def _told_of(found: NipList) -> str:
    told = f"{grouped(len(found.nips))} NIP dibaca dari daftar."
    if found.repeated:
        told += f" {grouped(found.repeated)} tertulis lagi, dan dihitung satu kali."
    if found.faults:
        told += f" {grouped(len(found.faults))} baris dilewati karena NIP-nya tidak dapat dibaca."
    return told


def _kind() -> BulkKind | None:
    asked = request.values.get("tindakan", "")
    return next((kind for kind in FORMS if kind.value == asked), None)


def _unknown_kind() -> ResponseReturnValue:
    flash("Pilih dahulu tindakannya.", "info")
    return redirect(url_for(".page"), 303)


def _list_page(
    kind: BulkKind, form: ListForm, faults: Sequence[LineFault] = (), status: int = 200
) -> Response:
    with reading() as db:
        choices = Instansi.choices(db, true()) if isinstance(form, MoveListForm) else []
    page = render_template(
        "admin/at_once/by_list.html",
        kind=kind,
        kind_words=WORDS[kind],
        form=form,
        choices=choices,
        faults=faults[:_MOST_FAULTS_SHOWN],
        faults_left=max(0, len(faults) - _MOST_FAULTS_SHOWN),
        mark=_mark_of(faults) if faults else "",
        was_read_from_file=bool(form.nips.data) and bool(request.files.get("file")),
        longest_notice=LONGEST_NOTICE,
        most_people=MOST_PEOPLE,
        most_mb=MOST_BYTES >> 20,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)
