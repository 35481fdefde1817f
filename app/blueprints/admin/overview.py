"""/admin/: how far activation has come, in figures, and the figures as files."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.domain.indonesian_time import now, today_in_jakarta
from app.domain.paging import TALL_ROWS_A_PAGE
from app.flows.reports import overview
from app.flows.reports.overview import OverviewRow, OverviewScope, scope_of
from app.models.audit_event import Exported
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.runtime.logs import masked
from app.web import exports
from app.web.admins import authority, desk_act
from app.web.paging import page_number

blueprint = Blueprint("overview", __name__, url_prefix="")

_FIGURES = ["Pegawai", "Aktif", "Belum diaktifkan", "Menunggu persetujuan", "Dinonaktifkan", "Persen aktif"]


@blueprint.get("/")
def page() -> ResponseReturnValue:
    moment = now()
    with reading() as db:
        reach = scope_of(db, authority(), request.args.get("instansi", "").strip()) or abort(404)
        lines = _matching(_lines(db, reach), request.args.get("cari", ""))
        return render_template(
            "admin/reports/overview.html",
            reach=reach,
            days=overview.days(db, reach, today_in_jakarta(moment)),
            counted_at=overview.counted_at(db, reach),
            lines=lines[(_number() - 1) * TALL_ROWS_A_PAGE : _number() * TALL_ROWS_A_PAGE],
            first_place=(_number() - 1) * TALL_ROWS_A_PAGE + 1,
            has_more=len(lines) > _number() * TALL_ROWS_A_PAGE,
            number=_number(),
            search=request.args.get("cari", "").strip(),
            stock=overview.read_overview(db, reach, moment),
            mail_alarms=overview.mail_alarms(db, authority()),
            moment=moment,
            masked=masked,
        )


@blueprint.post("/ekspor")
def export() -> ResponseReturnValue:
    """The whole table of the page: the units of one instansi, or all instansi in their order."""
    file_kind = exports.kind_asked_for()
    with reading() as db:
        reach = scope_of(db, authority(), request.form.get("instansi", "").strip()) or abort(404)
        lines = _lines(db, reach)
    what = Exported.UNITS if reach.instansi else Exported.RANKING
    with unit_of_work() as db:
        overview.note_export(db, reach, what, file_kind, len(lines), desk_act())
    header = ["Unit kerja"] if reach.instansi else ["Peringkat", "Kode instansi", "Instansi"]
    cells = [_cells(line, place, reach.instansi) for place, line in enumerate(lines, start=1)]
    return exports.as_file(file_kind, what.label, [*header, *_FIGURES], cells)


def _lines(db: Session, reach: OverviewScope) -> list[OverviewRow]:
    return overview.units(db, reach.instansi) if reach.instansi else overview.ranking(db, reach)


def _matching(lines: list[OverviewRow], search: str) -> list[OverviewRow]:
    wanted = search.strip().casefold()
    return [line for line in lines if wanted in line.name.casefold()] if wanted else lines


def _number() -> int:
    return page_number(request.args.get("hal", "1"))


def _cells(line: OverviewRow, place: int, instansi: Instansi | None) -> list[exports.Cell]:
    figures = line.figures
    head: list[exports.Cell] = [line.name] if instansi else [place, line.code, line.name]
    return [
        *head, figures.people, figures.active, figures.not_activated, figures.waiting_approval,
        figures.deactivated,
        round(figures.share, 1),
    ]  # fmt: skip
