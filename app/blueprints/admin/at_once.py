"""/admin/sekaligus: one act on many people, from the preview to the result. The worker does it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import HiddenField, StringField, ValidationError

from app.domain.file_changes import grouped
from app.domain.indonesian_time import now
from app.domain.notice import LONGEST_NOTICE, NotANotice, Notice, read_notice
from app.domain.paging import LINES_A_PAGE, TALL_ROWS_A_PAGE, cut
from app.flows.bulk import bulk_acts
from app.flows.bulk.bulk_acts import NotToStart
from app.flows.bulk.prepare_bulk_act import MOST_PEOPLE, Chosen, NobodyChosen, all_who_fit, prepare
from app.flows.bulk.write_notices import WORDS
from app.models.bulk_act import BulkAct, BulkActRow, BulkKind, BulkState, RowOutcome
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.authority import Authority, OutOfReach
from app.web import exports, kept_form
from app.web.admins import authority, desk_act, password_confirmed, stopped
from app.web.fields import ChoiceField
from app.web.headers import takes
from app.web.people_search import PeopleForm, Search, read_search
from app.web.row_ids import big_row_id, row_id, row_ids
from app.web.sessions import BY_ITSELF, no_act
from app.web.words import bulk as words

blueprint = Blueprint("at_once", __name__, url_prefix="/sekaligus")

# After this time the page stops reloading itself, so that an unused session may end
WATCHED_FOR = timedelta(minutes=30)
SECONDS_BETWEEN_LOOKS = 2
_FOR_CHOSEN = (BulkKind.TOKEN, BulkKind.NOTICE)  # the other kinds are for the people of a list
_ALL_WHO_FIT = "semua"  # otherwise those who are ticked
_HEADER = ["NIP", "Nama", "Unit kerja", "Hasil"]
_NO_LONGER_SEEN = "Pegawai di luar daftar yang dapat Anda lihat"


class NewActForm(FlaskForm):
    """What shall be done to the chosen people."""

    whom = HiddenField(name="siapa")
    kind = ChoiceField(
        "Tindakan", "Pilih tindakannya.", [(kind.value, kind.label) for kind in _FOR_CHOSEN], name="tindakan",
        default=BulkKind.TOKEN.value,
    )  # fmt: skip

    notice = StringField("Isi pemberitahuan", name="pesan")

    def validate_notice(self, field: StringField) -> None:
        if self.kind.data == BulkKind.NOTICE:
            read = read_notice(field.data or "")
            if isinstance(read, NotANotice):
                raise ValidationError(read.sentence)

    @property
    def terms(self) -> dict[str, str]:
        """What the act needs to know, once the form has been read without a fault."""
        read = read_notice(self.notice.data or "")
        is_notice = self.kind.data == BulkKind.NOTICE
        return {WORDS: read.words} if is_notice and isinstance(read, Notice) else {}


class ActForm(FlaskForm):
    """A button."""


@dataclass(frozen=True)
class Progress:
    """How far the worker has come."""

    words: str
    percent: int
    is_watched: bool

    @classmethod
    def of(cls, bulk: BulkAct) -> "Progress":
        percent = min(99, 100 * bulk.rows_done // max(1, bulk.total))
        since = bulk.started_at or bulk.prepared_at
        said = f"Sedang berjalan: {grouped(bulk.rows_done)} dari {grouped(bulk.total)} pegawai, {percent}%."
        if bulk.state is BulkState.STARTED:
            said = "Menunggu giliran."
        return cls(said, percent, bulk.state.is_under_way and now() - since < WATCHED_FOR)


@blueprint.get("")
def page() -> ResponseReturnValue:
    before = request.args.get("sebelum", type=big_row_id)
    with reading() as db:
        acts = bulk_acts.acts_within(db, authority(), before, TALL_ROWS_A_PAGE + 1)
    listed = cut(acts, TALL_ROWS_A_PAGE, lambda bulk: bulk.id)
    return render_template(
        "admin/at_once/list.html", acts=listed.rows, next_before=listed.next, is_first=before is None
    )


@blueprint.get("/baru")
def new() -> ResponseReturnValue:
    """Who is chosen, and what can be done to them."""
    return _new_page(NewActForm(request.args))


def _new_again() -> ResponseReturnValue:
    return _new_page(kept_form.filled(NewActForm()))


@blueprint.post("/baru")
@kept_form.keeps_form(_new_again)
@takes(many=("pilih",))
def make() -> ResponseReturnValue:
    """Write the preview. Nothing is done yet."""
    form = NewActForm()
    if not form.validate():
        return _new_page(form, 422)
    with reading() as db:
        chosen = _chosen(db)
    with unit_of_work() as db:
        bulk = prepare(db, BulkKind(form.kind.value), chosen, form.terms, desk_act())
    match bulk:
        case NobodyChosen():
            flash("Belum ada pegawai yang dipilih. Centang dahulu siapa yang dimaksud.", "info")
            return redirect(url_for("admin.people.page"), 303)
        case BulkAct():
            return redirect(url_for(".show", bulk_id=bulk.id), 303)


@blueprint.get("/<big_row:bulk_id>")
def show(bulk_id: int) -> ResponseReturnValue:
    """The preview; once it was started, how far it has come; and at the end what it has done."""
    after = request.args.get("sesudah", 0, type=row_id)
    outcome = request.args.get("hasil", type=RowOutcome)
    with reading() as db:
        bulk = _act(db, bulk_id)
        rows = bulk_acts.rows_of(db, bulk, outcome, after, LINES_A_PAGE)
        sample = bulk_acts.sample_of(db, bulk, desk_act()) if bulk.state is BulkState.PREPARED else None
    return render_template(
        "admin/at_once/act.html",
        bulk=bulk,
        letter=portal().renderer.render(sample, now()) if sample else None,
        rows=rows,
        outcome=outcome,
        is_first=not after,
        kind_words=words.WORDS[bulk.kind],
        terms=words.terms_of(bulk),
        counts=words.counts_of(bulk),
        row_words=words.row_words,
        seen=lambda row: bulk_acts.seen_by(authority(), row),
        no_longer_seen=_NO_LONGER_SEEN,
        progress=Progress.of(bulk),
        seconds=SECONDS_BETWEEN_LOOKS,
        renewed_at=f"{url_for('.show', bulk_id=bulk.id)}?{BY_ITSELF}=1",
        form=ActForm(),
        most_people=MOST_PEOPLE,
    )


@blueprint.get("/<big_row:bulk_id>/kemajuan")
@no_act
def progress(bulk_id: int) -> ResponseReturnValue:
    """Asked by the script of the page. Without a script the page reloads itself."""
    with reading() as db:
        bulk = _act(db, bulk_id)
    found = Progress.of(bulk)
    return jsonify(state=bulk.state, words=found.words, percent=found.percent)


@blueprint.post("/<big_row:bulk_id>/jalankan")
@password_confirmed
def start(bulk_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        outcome = bulk_acts.start(db, bulk_id, desk_act())
    match outcome:
        case OutOfReach():
            raise stopped(outcome)
        case NotToStart(sentence):
            flash(sentence, "info")
        case BulkAct():
            flash("Sedang dikerjakan. Halaman ini menunjukkan kemajuannya, dan boleh ditutup.", "success")
    return redirect(url_for(".show", bulk_id=bulk_id), 303)


@blueprint.post("/<big_row:bulk_id>/hentikan")
def stop(bulk_id: int) -> ResponseReturnValue:
    with unit_of_work() as db:
        bulk = bulk_acts.stop(db, bulk_id, desk_act())
    match bulk:
        case OutOfReach():
            raise stopped(bulk)
        case None:
            flash("Tidak jadi. Tidak ada yang dikerjakan.", "success")
            return redirect(url_for("admin.people.page"), 303)
        case BulkAct(state=BulkState.STOPPED):
            flash("Dihentikan. Yang sudah dikerjakan tetap, sisanya dibiarkan.", "success")
        case BulkAct():
            flash("Tindakan ini sudah selesai, jadi tidak ada yang dihentikan.", "info")
    return redirect(url_for(".show", bulk_id=bulk_id), 303)


@blueprint.post("/<big_row:bulk_id>/ekspor")
@password_confirmed
def export(bulk_id: int) -> ResponseReturnValue:
    file_kind = exports.kind_asked_for()
    with unit_of_work() as db:
        bulk = _act(db, bulk_id)
        if bulk.state is BulkState.PREPARED:
            flash("Hasilnya dapat diekspor setelah tindakan ini dijalankan.", "info")
            return redirect(url_for(".show", bulk_id=bulk_id), 303)
        bulk_acts.note_export(db, bulk, file_kind, desk_act())
    return exports.as_file(file_kind, f"tindakan-{bulk.id}", _HEADER, _lines(bulk, authority()))


def _act(db: Session, bulk_id: int) -> BulkAct:
    bulk = bulk_acts.act_within(db, authority(), bulk_id)
    if isinstance(bulk, OutOfReach):
        raise stopped(bulk)
    return bulk


def _new_page(form: NewActForm, status: int = 200) -> Response:
    with reading() as db:
        search, ticked = _search(db), _ticked()
    if search.wanted is None or not (ticked or _is_of_all()):
        flash("Belum ada pegawai yang dipilih. Centang dahulu siapa yang dimaksud.", "info")
        return make_response(redirect(url_for("admin.people.page"), 303))
    page = render_template(
        "admin/at_once/new.html",
        form=form,
        search=search,
        ticked=[] if _is_of_all() else ticked,
        most_people=MOST_PEOPLE,
        longest_notice=LONGEST_NOTICE,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)


def _chosen(db: Session) -> Chosen:
    """Those who were ticked, or all whom the search means now."""
    if not _is_of_all():
        return Chosen(_ticked())
    wanted = _search(db).wanted
    return Chosen(()) if wanted is None else all_who_fit(db, authority(), wanted)


def _search(db: Session) -> Search:
    return read_search(db, PeopleForm(request.form if request.method == "POST" else request.args))


def _is_of_all() -> bool:
    return request.values.get("siapa") == _ALL_WHO_FIT


def _ticked() -> list[int]:
    return row_ids(request.values.getlist("pilih"))[:MOST_PEOPLE]


def _lines(bulk: BulkAct, may: Authority) -> Iterator[list[str]]:
    after: int | None = 0
    while after is not None:
        with reading() as db:
            rows = bulk_acts.rows_of(db, bulk, None, after, LINES_A_PAGE)
            after = rows.next
            lines = [_line(bulk, row, may) for row in rows.rows]
        yield from lines


def _line(bulk: BulkAct, row: BulkActRow, may: Authority) -> list[str]:
    said = words.row_words(bulk, row)
    person = bulk_acts.seen_by(may, row)
    if person is None:
        return [row.typed, "" if row.typed else _NO_LONGER_SEEN, "", said]
    return [person.nip, person.name, person.work_unit, said]
