"""/admin/: how far activation has come, in figures, and the figures as files."""

from datetime import date
from typing import assert_never

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.reports import overview
from app.flows.reports.first_matters import Matter, MatterKind, first_matters, mail_alarms
from app.flows.reports.overview import Figures, OverviewRow, OverviewScope, scope_of
from app.models.audit_event import Exported
from app.models.instansi import Instansi
from app.models.stuck import Stuck
from app.runtime.db import reading, unit_of_work
from app.runtime.logs import masked
from app.web import charts, exports
from app.web.admins import authority, desk_act
from app.web.paging import page_number
from app.web.words import overview as words

blueprint = Blueprint("overview", __name__, url_prefix="")

LINES_SHOWN = 10  # units or instansi on a page: the chart is looked at, and the search finds the others
_AGES = ("0-4", "4-12", "12-24", "lewat", "lewat")  # what the filter of the queue calls those of the strip
_FIGURES = ["Pegawai", "Aktif", "Belum diaktifkan", "Menunggu persetujuan", "Dinonaktifkan", "Persen aktif"]


@blueprint.get("/")
def page() -> ResponseReturnValue:
    moment = now()
    with reading() as db:
        reach = scope_of(db, authority(), request.args.get("instansi", "").strip()) or abort(404)
        counted = overview.counted_for(db, reach)
        return render_template(
            "admin/reports/overview.html",
            reach=reach,
            code=_code(reach),
            matters=[
                (matter, _address(matter, reach)) for matter in first_matters(db, reach, counted, moment)
            ],
            mail_alarms=mail_alarms(db, authority()),
            counted=counted,
            counted_at=overview.counted_at(db, reach),
            waiting=overview.queue(db, reach, moment),
            ages=_AGES,
            stuck=[(stuck, counted.stuck.get(stuck.value, 0)) for stuck in Stuck],
            mails=charts.hours_of_mails(counted, moment),
            charts=charts,
            words=words,
            masked=masked,
            **_activation(db, reach, overview.days(db, reach, counted, today_in_jakarta(moment))),
        )


def _activation(db: Session, reach: OverviewScope, days: list[tuple[date, Figures]]) -> dict[str, object]:
    """What the page shows of activation: the chart of the days, and a page of units or instansi."""
    if not days:
        return {"days": []}
    span = overview.span_of(db, reach, days[0][0], days[-1][0])
    search, number = request.args.get("cari", "").strip(), page_number(request.args.get("hal", "1"))
    all_lines = _lines(db, reach)
    found, start = _matching(all_lines, search), (number - 1) * LINES_SHOWN
    return {
        "days": days, "span": span, "area": charts.area(days, span), "all_lines": all_lines,
        "lines": found[start : start + LINES_SHOWN], "first_place": start + 1,
        "has_more": len(found) > start + LINES_SHOWN, "number": number, "search": search,
    }  # fmt: skip


def _code(reach: OverviewScope) -> str | None:
    """The code of the instansi in the address, for an admin who may look at several."""
    return reach.instansi.code if reach.instansi and request.args.get("instansi") else None


def _address(matter: Matter, reach: OverviewScope) -> str:
    """The list in which the matter is settled, filtered."""
    code = _code(reach)
    match matter.kind:
        case MatterKind.CONTESTED:
            return url_for("admin.corrections.page", lihat="dibekukan", instansi=code)
        case MatterKind.LATE:
            return url_for("admin.corrections.page", umur=_AGES[-1], instansi=code)
        case MatterKind.SECOND:
            return url_for("admin.corrections.page", lihat="kedua", instansi=code)
        case MatterKind.CPNS:
            return url_for("admin.cpns.page", instansi=code)
        case MatterKind.DOMAINS:
            return url_for("admin.people.page", macet=Stuck.EMAIL.value, instansi=code)
        case MatterKind.MANDATES:
            return url_for("admin.mandates.page", keadaan="segera", instansi=code)
        case _:
            assert_never(matter.kind)


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


def _cells(line: OverviewRow, place: int, instansi: Instansi | None) -> list[exports.Cell]:
    figures = line.figures
    head: list[exports.Cell] = [line.name] if instansi else [place, line.code, line.name]
    return [
        *head, figures.people, figures.active, figures.not_activated, figures.waiting_approval,
        figures.deactivated,
        round(figures.share, 1),
    ]  # fmt: skip
