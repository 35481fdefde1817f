"""/admin/pegawai/<person>/email: the desk puts another address on record without having been asked through the form."""

from datetime import timedelta

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField

from app.blueprints.admin.changes import what_follows
from app.blueprints.admin.corrections import CHECKS, NO_CHECK, number_in, words_for
from app.db import unit_of_work
from app.domain.corrections import IdentityCheck
from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.change_email import Decision, Outdated, SameAddress, change_email
from app.flows.change_identity import UnderWay
from app.flows.identity_gate import needs_second
from app.flows.look_at_person import open_record
from app.flows.put_on_record import AddressTaken
from app.models.identity_change import IdentityChange
from app.security.authority import NotToTouch, OutOfReach
from app.web.admins import authority, proven_again, stopped
from app.web.fields import ChoiceField, EmailField, LineField, refuse
from app.web.portal import client, portal

blueprint = Blueprint("email", __name__, url_prefix="/pegawai/<row:person_id>/email")


class EmailForm(FlaskForm):
    email = EmailField("Email baru")
    identity_check = ChoiceField("Bagaimana identitas pegawai diperiksa?", NO_CHECK, CHECKS)
    reason = LineField("Alasan", "Isi alasannya, misalnya: email lama sudah mati, pegawai datang ke loket 3.", 500)
    email_checked = HiddenField()  # the address that was warned of and is meant all the same
    seen = HiddenField()


@blueprint.get("", endpoint="page")
def show(person_id: int) -> ResponseReturnValue:
    return _page(person_id, EmailForm())


@blueprint.post("")
@proven_again
def change(person_id: int) -> ResponseReturnValue:
    form = EmailForm()
    if not form.validate():
        return _page(person_id, form, 422)
    if meant := form.email.likely_meant(form.email_checked.data):
        refuse(form.email, f"Alamat ini tampaknya salah ketik. Mungkin maksudnya {meant}. Bila memang benar, kirim sekali lagi.")
        return _page(person_id, form, 422, warned_of=form.email.value.key)
    decision = Decision(
        form.email.value, IdentityCheck(form.identity_check.data or ""), form.reason.value, number_in(form.seen.data)
    )
    delay = timedelta(hours=portal().settings.email_change_delay_hours)
    with unit_of_work() as db:
        outcome = change_email(db, authority(), person_id, decision, delay, client(), now())
    match outcome:
        case IdentityChange():
            flash(what_follows(outcome), "success")
            return redirect(url_for("admin.person.page", person_id=person_id), 303)
        case OutOfReach() | NotToTouch():
            raise stopped(outcome)
        case AddressTaken() | SameAddress() | UnderWay():
            refuse(form.email, words_for(outcome))
        case Outdated():
            form.form_errors = [words_for(outcome)]
    return _page(person_id, form, 422)


def _page(person_id: int, form: EmailForm, status: int = 200, warned_of: str = "") -> Response:
    with unit_of_work() as db:
        person = open_record(db, authority(), person_id, client(), now())
        if isinstance(person, OutOfReach):
            raise stopped(person)
        if objection := authority().objection(db, person, today_in_jakarta(now())):
            raise stopped(objection)
        is_asked = needs_second(db, person, now())
    page = render_template(
        "admin/person_email.html", person=person, form=form, needs_second=is_asked, warned_of=warned_of,
        is_in_use=person.is_in_use,
        delay_hours=portal().settings.email_change_delay_hours, has_errors=bool(form.errors),
    )  # fmt: skip
    return make_response(page, status)
