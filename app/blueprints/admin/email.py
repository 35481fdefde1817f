"""/admin/pegawai/<person>/email: an admin puts another email on record although nobody has asked for it
through the form."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField

from app.domain.corrections import IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.correction.change_email import EmailDecision, Outdated, SameAddress
from app.flows.correction.change_email_at_desk import change_email_at_desk
from app.flows.correction.review_correction import CheckImpossible, WarningsNotAcknowledged, about_address
from app.flows.identity.change_identity import UnderWay
from app.flows.identity.identity_gate import needs_second
from app.flows.identity.put_on_record import AddressTaken
from app.flows.people.view_person import open_record
from app.models.identity_change import IdentityChange
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, desk_act, password_confirmed, stopped
from app.web.decision_forms import CHECKS, NO_CHECK, number_in, offer_possible
from app.web.fields import ChoiceField, EmailField, LetterField, MarksField, refuse, refuse_unacknowledged
from app.web.headers import takes
from app.web.words.changes import what_follows
from app.web.words.corrections import words_for

blueprint = Blueprint("email", __name__, url_prefix="/pegawai/<row:person_id>/email")


class EmailForm(FlaskForm):
    email = EmailField("Email baru")
    identity_check = ChoiceField("Bagaimana identitas pegawai diperiksa?", NO_CHECK, CHECKS)
    reason = LetterField(
        "Alasan", "Isi alasannya, misalnya: email lama sudah mati, pegawai datang ke loket 3.", 500
    )
    acknowledged = MarksField("Peringatan yang sudah diperiksa")
    seen = HiddenField()


@blueprint.get("")
def page(person_id: int) -> ResponseReturnValue:
    return _page(person_id, EmailForm())


def _change_again(person_id: int) -> ResponseReturnValue:
    return _page(person_id, kept_form.filled(EmailForm()))


@blueprint.post("")
@kept_form.keeps_form(_change_again)
@takes(many=("acknowledged",))
@password_confirmed
def change(person_id: int) -> ResponseReturnValue:
    form = EmailForm()
    if not form.validate():
        return _page(person_id, form, 422)
    decision = EmailDecision(
        form.email.value,
        IdentityCheck(form.identity_check.data or ""),
        form.reason.value,
        number_in(form.seen.data),
    )
    delay = portal().settings.email_change_delay
    with unit_of_work() as db:
        outcome = change_email_at_desk(db, person_id, decision, form.acknowledged.data, delay, desk_act())
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
        case CheckImpossible():
            refuse(form.identity_check, words_for(outcome))
        case WarningsNotAcknowledged(warnings):
            refuse_unacknowledged(form.acknowledged, warnings)
            return _page(person_id, form, 422, warned_of=form.email.value)
    return _page(person_id, form, 422)


def _page(
    person_id: int, form: EmailForm, status: int = 200, warned_of: EmailAddress | None = None
) -> Response:
    """`warned_of` is the address with warnings that have to be acknowledged first."""
    with unit_of_work() as db:
        person = open_record(db, person_id, desk_act())
        if isinstance(person, OutOfReach):
            raise stopped(person)
        if objection := authority().objection(db, person, today_in_jakarta(now())):
            raise stopped(objection)
        is_asked = needs_second(db, person, now())
        warnings = about_address(db, authority(), person, warned_of, now()) if warned_of else []
    offer_possible(form.identity_check, person)
    page = render_template(
        "admin/people/change_email.html", person=person, form=form, needs_second=is_asked, warnings=warnings,
        is_in_use=person.is_in_use,
        delay_hours=portal().settings.email_change_delay_hours, has_errors=bool(form.errors),
    )  # fmt: skip
    return make_response(page, status)
