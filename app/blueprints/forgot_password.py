"""/lupa-password: step 2 of the flow. Its answer is the same for everybody."""

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from app.flows.reset.request_reset import Allowance, request_reset
from app.runtime.db import unit_of_work
from app.web import limits
from app.web.acts import act
from app.web.asked import remember
from app.web.carried import carried_nip
from app.web.fields import EmailField, NipField
from app.web.form_ids import new_form_id, submission
from app.web.kept_form import LOST_CSRF, keeps_form
from app.web.kept_pages import FORM_ID, kept_for_strangers, new_place

blueprint = Blueprint("forgot_password", __name__)

_NIP_PLACE = new_place()


class ForgotPasswordForm(FlaskForm):
    nip = NipField("NIP")
    email = EmailField("Email aktif")
    email_checked = StringField()
    form_id = StringField()


def _page(
    form: ForgotPasswordForm,
    status: int = 200,
    likely_meant: str | None = None,
    form_id: str | None = None,
) -> Response:
    page = render_template(
        "reset/forgot_password.html",
        form=form,
        form_id=form_id or form.form_id.data or new_form_id(),
        likely_meant=likely_meant,
        has_errors=bool(form.errors),
    )
    return make_response(page, status)


def _again() -> ResponseReturnValue:
    form = ForgotPasswordForm()
    form.form_errors = [LOST_CSRF]
    form.form_id.data = None  # nothing was done with this form, and its id may be an old one
    return _page(form)


@blueprint.get("/lupa-password")
def page() -> ResponseReturnValue:
    nip = carried_nip()

    def make() -> Response:
        form = ForgotPasswordForm()
        form.nip.data = _NIP_PLACE if nip else None
        return _page(form, form_id=FORM_ID)

    return kept_for_strangers(make, kind="nip", own={_NIP_PLACE: nip}) if nip else kept_for_strangers(make)


@blueprint.get("/.well-known/change-password")
def change_password() -> ResponseReturnValue:
    """The address to which password managers lead people (W3C, "A Well-Known URL for Changing Passwords")."""
    return redirect(url_for("forgot_password.page"), 303)


@blueprint.post("/lupa-password")
@limits.limit_mails
@limits.limit_same_ask
@keeps_form(_again)
def ask() -> ResponseReturnValue:
    form = ForgotPasswordForm()
    if not form.validate():
        return _page(form, 422)
    if likely_meant := form.email.likely_meant(form.email_checked.data):
        return _page(form, 422, likely_meant)
    limits.count_mail()
    with unit_of_work() as db:
        asked = request_reset(
            db, form.nip.value, form.email.value, _submission(form), act(),
            Allowance(limits.may_mail_others())
        )  # fmt: skip
    limits.count_ask()
    remember(asked.request, asked.request.asked_at)
    return redirect(url_for("token_confirmation.page"), 303)


def _submission(form: ForgotPasswordForm) -> str:
    """A double click is one request."""
    return submission(form.form_id.data, form.nip.value.digits, form.email.value.key)
