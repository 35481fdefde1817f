"""/admin/instansi/.../hari-kampanye: the days on which people were called to activate their accounts."""

from datetime import date

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.flows.instansi.note_campaign_day import (
    MOST_A_YEAR,
    TooFarAway,
    TooManyDays,
    days_to_note,
    forget_campaign_day,
    note_campaign_day,
)
from app.models.campaign_day import LONGEST_TITLE, CampaignDay
from app.models.instansi import Instansi
from app.runtime.db import reading, unit_of_work
from app.web import kept_form
from app.web.admins import desk_act, of_one_instansi, only_pusat, password_confirmed
from app.web.fields import DayField, LineField, refuse

blueprint = Blueprint("campaign_days", __name__, url_prefix="/instansi")
_ONE = "/<row:instansi_id>/hari-kampanye"
_ALL = "/hari-kampanye-nasional"


class CampaignDayForm(FlaskForm):
    day = DayField("Tanggal kampanye")
    title = LineField("Nama singkat", "Isi nama singkat, misalnya Apel bersama.", LONGEST_TITLE)


class ForgetForm(FlaskForm):
    day = DayField("Tanggal kampanye")


@blueprint.get(_ONE)
@of_one_instansi
def page(instansi: Instansi) -> ResponseReturnValue:
    return _page(CampaignDayForm(), instansi)


@of_one_instansi
def _note_again(instansi: Instansi) -> ResponseReturnValue:
    return _page(kept_form.filled(CampaignDayForm()), instansi)


@blueprint.post(_ONE)
@kept_form.keeps_form(_note_again)
@of_one_instansi
@password_confirmed
def note(instansi: Instansi) -> ResponseReturnValue:
    return _note(instansi)


@of_one_instansi
def _forget_again(instansi: Instansi) -> ResponseReturnValue:
    return _list_again(instansi)


@blueprint.post(f"{_ONE}/hapus")
@kept_form.keeps_form(_forget_again)
@of_one_instansi
@password_confirmed
def forget(instansi: Instansi) -> ResponseReturnValue:
    return _forget(instansi)


@blueprint.get(_ALL)
@only_pusat
def national() -> ResponseReturnValue:
    return _page(CampaignDayForm(), None)


@only_pusat
def _note_national_again() -> ResponseReturnValue:
    return _page(kept_form.filled(CampaignDayForm()), None)


@blueprint.post(_ALL)
@kept_form.keeps_form(_note_national_again)
@only_pusat
@password_confirmed
def note_national() -> ResponseReturnValue:
    return _note(None)


@only_pusat
def _forget_national_again() -> ResponseReturnValue:
    return _list_again(None)


@blueprint.post(f"{_ALL}/hapus")
@kept_form.keeps_form(_forget_national_again)
@only_pusat
@password_confirmed
def forget_national() -> ResponseReturnValue:
    return _forget(None)


def _note(instansi: Instansi | None) -> ResponseReturnValue:
    form = CampaignDayForm()
    if not form.validate():
        return _page(form, instansi, 422)
    day, title = form.day.value, form.title.value
    with unit_of_work() as db:
        refused = note_campaign_day(db, day, title, instansi, desk_act())
    match refused:
        case TooManyDays():
            refuse(
                form.day,
                f"Tahun {day.year} sudah punya {MOST_A_YEAR} hari kampanye. Hapus satu yang tidak lagi "
                "berguna.",
            )
            return _page(form, instansi, 422)
        case TooFarAway():
            first, last = map(shown_date, _days_to_note())
            refuse(form.day, f"Tanggal ini terlalu jauh. Isi tanggal dari {first} sampai {last}.")
            return _page(form, instansi, 422)
    flash(f"Hari kampanye {shown_date(day)} dicatat dan tampil di grafik Ringkasan.", "success")
    return redirect(_address(instansi), 303)


def _forget(instansi: Instansi | None) -> ResponseReturnValue:
    form = ForgetForm()
    if not form.validate():
        return _page(CampaignDayForm(None), instansi, 422)
    with unit_of_work() as db:
        was_noted = forget_campaign_day(db, form.day.value, instansi, desk_act())
    if was_noted:
        flash(f"Hari kampanye {shown_date(form.day.value)} dihapus.", "success")
    return redirect(_address(instansi), 303)


def _list_again(instansi: Instansi | None) -> ResponseReturnValue:
    """The list has the button that was pressed."""
    flash(kept_form.why(), "info")
    return _page(CampaignDayForm(None), instansi)


def _address(instansi: Instansi | None) -> str:
    if instansi is None:
        return url_for("admin.campaign_days.national")
    return url_for("admin.campaign_days.page", instansi_id=instansi.id)


def _days_to_note() -> tuple[date, date]:
    return days_to_note(today_in_jakarta(now()))


def _page(form: CampaignDayForm, instansi: Instansi | None, status: int = 200) -> Response:
    with reading() as db:
        noted = CampaignDay.noted(db, instansi.id if instansi else None, *_days_to_note())
    page = render_template(
        "admin/instansi/campaign_days.html",
        form=form,
        instansi=instansi,
        noted=noted,
        address=_address(instansi),
        most=MOST_A_YEAR,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)
