"""/admin/impor: files of staff. The page keeps the file and shows how far the worker has come with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage

from app.domain.file_changes import COLUMN_WORDS, grouped, mark_of
from app.domain.indonesian_time import now
from app.domain.paging import LINES_A_PAGE, TALL_ROWS_A_PAGE, cut
from app.files import staff_template
from app.files.table import UnreadableFile
from app.flows.imports import file_changes, import_batches, refused_rows, take_back_import
from app.flows.imports.import_batches import (
    MOST_BYTES,
    OtherState,
    Unfinished,
    Upload,
    WideColumnsNotAcknowledged,
)
from app.flows.imports.take_back_import import NotPossible
from app.models.audit_event import Exported
from app.models.import_batch import BatchState, ImportBatch
from app.models.import_take_back import ImportTakeBack
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.security.authority import Authority, OutOfReach
from app.web import exports, kept_form
from app.web.admins import authority, desk_act, password_confirmed, stopped
from app.web.fields import LetterField, MarksField, refuse
from app.web.headers import takes
from app.web.row_ids import big_row_id, row_id
from app.web.sessions import BY_ITSELF, no_act

blueprint = Blueprint("imports", __name__, url_prefix="/impor")

# After this time the page stops reloading itself, so that an unused session may end
WATCHED_FOR = timedelta(minutes=30)
SECONDS_BETWEEN_LOOKS = 2
_REST_OF_THE_FORM = 64 * 1024
_CSV, _XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class UploadForm(FlaskForm):
    file = FileField("File pegawai (CSV atau XLSX)")
    reason = LetterField("Dasar impor (opsional)", "", 300)


class TakeBackForm(FlaskForm):
    reason = LetterField("Alasan", "Isi alasannya. Pegawai yang datanya dikembalikan akan membacanya.", 300)


class ActForm(FlaskForm):
    """A button. Beside the button that runs a file with many changes there is also a box to tick."""

    acknowledged = MarksField("Peringatan yang sudah diperiksa")


@dataclass(frozen=True)
class Progress:
    """How far the worker has come. `percent` is missing while the batch waits for its turn."""

    words: str
    percent: int | None
    is_watched: bool

    @classmethod
    def of(cls, batch: ImportBatch) -> "Progress":
        since = batch.confirmed_at or batch.uploaded_at
        percent = min(99, 100 * batch.position // batch.total) if batch.total else None
        rows = grouped(batch.rows_done)
        done = f"{rows} baris selesai, {percent}%" if percent is not None else "membuka file"
        words = {
            BatchState.UPLOADED: "Menunggu giliran untuk diperiksa.",
            BatchState.CHECKING: f"Sedang diperiksa: {done}.",
            BatchState.CONFIRMED: "Menunggu giliran untuk dijalankan.",
            BatchState.RUNNING: f"Sedang dijalankan: {done}.",
        }
        return cls(
            words.get(batch.state, ""), percent, batch.state.is_under_way and now() - since < WATCHED_FOR
        )


@blueprint.get("")
def page() -> ResponseReturnValue:
    return _list_page(UploadForm())


def _upload_again() -> ResponseReturnValue:
    return _list_page(kept_form.with_file(UploadForm()))


@blueprint.post("")
@kept_form.keeps_form(_upload_again)
@takes(file="file", longest_body=MOST_BYTES + _REST_OF_THE_FORM, only_from_admins=True)
def upload() -> ResponseReturnValue:
    form, file = UploadForm(), request.files.get("file")
    received = (
        _received(file)
        if form.validate()
        else UnreadableFile("Muat ulang halaman ini, lalu pilih filenya sekali lagi.")
    )
    instansi_id = _wanted_instansi()
    if isinstance(received, UnreadableFile):
        refuse(form.file, str(received))
        return _list_page(form, 422)
    if instansi_id is None and not authority().is_pusat:
        return _list_page(form, 422, "Pilih untuk instansi mana file ini, lalu pilih filenya sekali lagi.")
    with unit_of_work() as db:
        batch = import_batches.hand_over(db, received, instansi_id, form.reason.value, desk_act())
    match batch:
        case OutOfReach():
            raise stopped(batch)
        case Unfinished():
            return _list_page(form, 422, unfinished=batch.batch)
        case ImportBatch():
            return redirect(url_for(".show", batch_id=batch.id), 303)


@blueprint.get("/<big_row:batch_id>")
def show(batch_id: int) -> ResponseReturnValue:
    return _batch_page(batch_id, ActForm())


@blueprint.get("/<big_row:batch_id>/kemajuan")
@no_act
def progress(batch_id: int) -> ResponseReturnValue:
    """Asked by the script of the page. Without a script the page reloads itself."""
    with reading() as db:
        batch = import_batches.batch_within(db, authority(), batch_id)
    if isinstance(batch, OutOfReach):
        raise stopped(batch)
    found = Progress.of(batch)
    return jsonify(state=batch.state, words=found.words, percent=found.percent)


@blueprint.post("/<big_row:batch_id>/jalankan")
@password_confirmed
def run(batch_id: int) -> ResponseReturnValue:
    form = ActForm()
    with unit_of_work() as db:
        outcome = import_batches.confirm(db, batch_id, form.acknowledged.data, desk_act())
    if isinstance(outcome, WideColumnsNotAcknowledged):
        refuse(
            form.acknowledged,
            "Impor belum dijalankan. Periksa dahulu peringatannya, lalu centang kotak di bawah.",
        )
        return _batch_page(batch_id, form, 422)
    return _moved_on(
        outcome, "Impor akan dijalankan. Halaman ini menunjukkan kemajuannya, dan boleh ditutup."
    )


@blueprint.post("/<big_row:batch_id>/batalkan")
def cancel(batch_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        outcome = import_batches.cancel(db, batch_id, desk_act())
    return _moved_on(outcome, "Impor dibatalkan. Tidak ada data yang diubah.")


@blueprint.get("/<big_row:batch_id>/kembalikan")
def take_back(batch_id: int) -> ResponseReturnValue:
    """Before the taking back, what it will do; after it, what became of it."""
    return _take_back_page(TakeBackForm(), batch_id)


def _take_back_again(batch_id: int) -> ResponseReturnValue:
    return _take_back_page(kept_form.filled(TakeBackForm()), batch_id)


@blueprint.post("/<big_row:batch_id>/kembalikan")
@kept_form.keeps_form(_take_back_again)
@password_confirmed
def begin_to_take_back(batch_id: int) -> ResponseReturnValue:
    form = TakeBackForm()
    if not form.validate():
        return _take_back_page(form, batch_id, 422)
    with unit_of_work() as db:
        outcome = take_back_import.ask_to_take_back(db, batch_id, form.reason.value, desk_act())
    match outcome:
        case OutOfReach():
            raise stopped(outcome)
        case NotPossible(sentence):
            flash(sentence, "info")
        case ImportTakeBack():
            flash(
                "Impor ini akan dikembalikan. Halaman ini menunjukkan hasilnya, dan boleh ditutup.", "success"
            )
    return redirect(url_for(".take_back", batch_id=batch_id), 303)


@blueprint.get("/<big_row:batch_id>/ditolak.<any(xlsx, csv):kind>")
def refused(batch_id: int, kind: str) -> ResponseReturnValue:
    """The refused rows, to correct and to upload again. In the XLSX file no spreadsheet changes a NIP on the
    way."""
    with unit_of_work() as db:
        batch = import_batches.batch_within(db, authority(), batch_id)
        if isinstance(batch, OutOfReach):
            raise stopped(batch)
        import_batches.note_export(db, batch, Exported.REFUSALS, kind, desk_act())
    return exports.as_whole_file(
        kind, f"impor-{batch.id}-ditolak", refused_rows.HEADER, _refused_rows(batch), batch.delimiter
    )


@blueprint.get("/<big_row:batch_id>/perubahan.<any(xlsx, csv):kind>")
def changes(batch_id: int, kind: str) -> ResponseReturnValue:
    """All that the file changes, old and new."""
    with unit_of_work() as db:
        batch = import_batches.batch_within(db, authority(), batch_id)
        if isinstance(batch, OutOfReach):
            raise stopped(batch)
        import_batches.note_export(db, batch, Exported.CHANGES, kind, desk_act())
    return exports.as_whole_file(
        kind, f"impor-{batch.id}-perubahan", file_changes.HEADER, _changes(batch, authority())
    )


@blueprint.get("/template.xlsx")
def template_xlsx() -> ResponseReturnValue:
    return _download(staff_template.as_xlsx(), "template-pegawai.xlsx", _XLSX)


@blueprint.get("/template.csv")
def template_csv() -> ResponseReturnValue:
    return _download(staff_template.as_csv(), "template-pegawai.csv", _CSV)


def _batch_page(batch_id: int, form: ActForm, status: int = 200) -> ResponseReturnValue:
    with reading() as db:
        batch = import_batches.batch_within(db, authority(), batch_id)
        if isinstance(batch, OutOfReach):
            raise stopped(batch)
        instansi = db.get(Instansi, batch.instansi_id) if batch.instansi_id else None
        has_refused_rows = refused_rows.are_kept(db, batch)
        examples = file_changes.examples(db, authority(), batch)
        take_back = take_back_import.take_back_of(db, batch.id)
        may_be_taken_back = take_back_import.why_not(db, batch, now()) is None
    wide = file_changes.wide_columns(batch)
    page = render_template(
        "admin/imports/batch.html",
        batch=batch,
        instansi=instansi,
        progress=Progress.of(batch),
        seconds=SECONDS_BETWEEN_LOOKS,
        renewed_at=f"{url_for('.show', batch_id=batch.id)}?{BY_ITSELF}=1",
        has_refused_rows=has_refused_rows,
        may_be_cancelled=batch.state in import_batches.MAY_BE_CANCELLED,
        column_counts=file_changes.counts(batch),
        examples=examples,
        wide=wide,
        mark=mark_of(wide),
        form=form,
        take_back=take_back,
        may_be_taken_back=may_be_taken_back,
    )
    return page, status


def _list_page(
    form: UploadForm, status: int = 200, no_instansi: str | None = None, unfinished: ImportBatch | None = None
) -> ResponseReturnValue:
    before = request.args.get("sebelum", type=big_row_id)
    with reading() as db:
        batches = import_batches.batches_within(db, authority(), before, TALL_ROWS_A_PAGE + 1)
        offices = [] if authority().is_pusat else Instansi.within(db, authority().within(Instansi.id))
    listed = cut(batches, TALL_ROWS_A_PAGE, lambda batch: batch.id)
    page = render_template(
        "admin/imports/list.html",
        form=form,
        choices=[(str(office.id), f"{office.name} ({office.code})") for office in offices],
        batches=listed.rows,
        next_before=listed.next,
        is_first=before is None,
        most_mb=MOST_BYTES >> 20,
        no_instansi=no_instansi,
        has_errors=bool(form.errors or no_instansi or unfinished),
        unfinished=unfinished,
        may_cancel_unfinished=unfinished is not None and unfinished.state in import_batches.MAY_BE_CANCELLED,
    )
    return page, status


def _take_back_page(form: TakeBackForm, batch_id: int, status: int = 200) -> ResponseReturnValue:
    after = request.args.get("sesudah", 0, type=row_id)
    with reading() as db:
        batch = import_batches.batch_within(db, authority(), batch_id)
        if isinstance(batch, OutOfReach):
            raise stopped(batch)
        take_back = take_back_import.take_back_of(db, batch_id)
        refusal = take_back_import.why_not(db, batch, now())
        left = take_back_import.left_behind(db, batch_id, after, LINES_A_PAGE + 1)
    lines = cut(left, LINES_A_PAGE, lambda one: one.line)
    page = render_template(
        "admin/imports/take_back.html",
        form=form,
        batch=batch,
        take_back=take_back,
        refusal=refusal,
        left=lines.rows,
        next_after=lines.next,
        is_first=not after,
        until=batch.ended_at + take_back_import.WITHIN if batch.ended_at else None,
        columns=COLUMN_WORDS | {"nip": "pegawai baru"},
        has_errors=bool(form.errors),
    )
    return page, status


def _received(file: FileStorage | None) -> Upload | UnreadableFile:
    if file is None or not file.filename:
        return UnreadableFile("Pilih satu file CSV atau XLSX dari perangkat Anda.")
    return Upload.of(file.filename, file.read())


def _wanted_instansi() -> int | None:
    """The instansi that the file is for. An admin with mandates over several instansi has chosen one."""
    if authority().is_pusat:
        return None
    only = authority().only_instansi_id
    return only or request.form.get("instansi", type=row_id)


def _moved_on(outcome: ImportBatch | OutOfReach | OtherState, news: str) -> ResponseReturnValue:
    match outcome:
        case OutOfReach():
            raise stopped(outcome)
        case OtherState(batch):
            flash(
                f"Tombol itu tidak mengubah apa-apa: impor ini sudah berstatus {batch.state.label}.", "info"
            )
        case ImportBatch() as batch:
            flash(news, "success")
    return redirect(url_for(".show", batch_id=batch.id), 303)


def _refused_rows(batch: ImportBatch) -> Iterator[list[str]]:
    after: int | None = 0
    while after is not None:
        with reading() as db:
            rows, after = refused_rows.rows(db, batch, after)
        yield from rows


def _changes(batch: ImportBatch, may: Authority) -> Iterator[list[str]]:
    for column in file_changes.columns_of(batch):
        after: int | None = 0
        while after is not None:
            with reading() as db:
                rows, after = file_changes.part(db, may, batch, column, after)
            yield from rows


def _download(content: bytes, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=kind, headers=headers)
