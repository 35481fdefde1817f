"""/admin/perbaikan-email/beberapa: one answer to several requests that an admin does not need to look at one
by one."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.corrections import USUAL_REASONS_TO_REJECT
from app.domain.indonesian_time import now
from app.flows.correction import decide_correction
from app.flows.correction.change_email import Outdated, SameAddress
from app.flows.correction.decide_correction import (
    AlreadyDecided,
    InHandOfAnother,
    NotApproved,
    NotByMany,
    NotOpened,
    OnlyAlone,
    SameAnswer,
    TwoOfOnePerson,
    WaitsForPerson,
    needs_a_look,
)
from app.flows.correction.review_correction import CheckImpossible, WarningsNotAcknowledged, review_many
from app.flows.identity.change_identity import UnderWay
from app.flows.identity.put_on_record import AddressTaken
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security.authority import NotToTouch, OutOfReach
from app.web import kept_form
from app.web.admins import authority, desk_act, password_confirmed
from app.web.decision_forms import ApprovalForm, RejectionForm, number_in
from app.web.headers import takes
from app.web.queue_filter import filter_fields
from app.web.row_ids import BigRowId, big_row_ids

blueprint = Blueprint("corrections_bulk", __name__, url_prefix="/perbaikan-email")

MOST_AT_ONCE = 50


class WhyStillOpen(StrEnum):
    """Why one of the chosen requests was left as it is. The address of the result carries the reason, so that
    a reload says it too."""

    NOT_OPENED = "belum-dibuka"
    IN_HAND = "ditangani"
    AWAITS_ANSWER = "menunggu-jawaban"
    WARNED = "peringatan"
    ONLY_ALONE = "satu-per-satu"
    TWO_OF_ONE_PERSON = "dua-permintaan"
    CHECK_IMPOSSIBLE = "tanpa-telepon"
    ANSWERED = "sudah-dijawab"
    TAKEN = "alamat-dipakai"
    SAME = "alamat-sama"
    UNDER_WAY = "perubahan-lain"
    OUTDATED = "data-berubah"
    NOT_YOURS = "bukan-wewenang"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    WhyStillOpen.NOT_OPENED: "Belum ada admin yang membukanya. Buka dahulu, lalu jawab.",
    WhyStillOpen.IN_HAND: "Sedang ditangani rekan Anda. Ambil alih dahulu, atau biarkan ia yang menjawab.",
    WhyStillOpen.AWAITS_ANSWER: (
        "Menunggu jawaban pemohon atas pertanyaan admin. Buka, lalu jawab satu per satu bila tetap perlu."
    ),
    WhyStillOpen.WARNED: "Ada peringatan yang harus diperiksa. Buka, periksa, lalu jawab satu per satu.",
    WhyStillOpen.ONLY_ALONE: "Ini bukan permintaan email baru. Buka, periksa, lalu jawab satu per satu.",
    WhyStillOpen.TWO_OF_ONE_PERSON: (
        "Untuk pegawai ini dipilih lebih dari satu permintaan, padahal paling banyak satu yang benar. "
        "Jawab satu per satu."
    ),
    WhyStillOpen.CHECK_IMPOSSIBLE: (
        "Cara pemeriksaan yang dipilih tidak mungkin: tidak ada nomor telepon di data pegawai ini. "
        "Minta ia datang, atau minta surat atasannya."
    ),
    WhyStillOpen.ANSWERED: "Sudah dijawab sebelumnya, dengan jawaban lain. Jawaban Anda yang baru tidak "
    "mengubah "
    "apa-apa.",
    WhyStillOpen.TAKEN: "Alamat barunya sudah dipakai akun lain. Tolak, dan minta alamat lain.",
    WhyStillOpen.SAME: "Alamat itu sudah tercatat sebagai email akunnya, jadi tidak ada yang perlu diganti.",
    WhyStillOpen.UNDER_WAY: "Masih ada perubahan email lain untuk akun ini yang belum selesai.",
    WhyStillOpen.OUTDATED: "Data akunnya berubah sejak halaman dibuka. Periksa lagi, lalu jawab.",
    WhyStillOpen.NOT_YOURS: "Anda tidak dapat memutuskan tentang akun ini. Minta admin lain, atau admin "
    "pusat.",
}


@blueprint.get("/beberapa")
def page() -> ResponseReturnValue:
    """What an answer to the chosen requests would do, row by row, with all that was written."""
    return _page(ApprovalForm(formdata=None), RejectionForm(formdata=None))


def _approval_again() -> ResponseReturnValue:
    return _page(kept_form.filled(ApprovalForm()), RejectionForm(formdata=None))


def _rejection_again() -> ResponseReturnValue:
    return _page(ApprovalForm(formdata=None), kept_form.filled(RejectionForm()))


@blueprint.post("/beberapa/setujui")
@kept_form.keeps_form(_approval_again)
@takes(many=("pilih",))
@password_confirmed
def approve() -> ResponseReturnValue:
    form, chosen = ApprovalForm(), _chosen()
    if not form.validate():
        return _page(form, RejectionForm(formdata=None), 422)
    grounds = {one: form.grounds(number_in(request.form.get(f"seen-{one}"))) for one in chosen}
    delay = portal().settings.email_change_delay
    with unit_of_work() as db:
        outcomes = decide_correction.approve_many(db, grounds, delay, desk_act())
        done = [outcome for _, outcome in outcomes if isinstance(outcome, IdentityChange)]
        decide_correction.report_many(db, "menyetujui perbaikan email", done, desk_act())
    return _to_the_result([(correction.id, _why(outcome)) for correction, outcome in outcomes])


@blueprint.post("/beberapa/tolak")
@kept_form.keeps_form(_rejection_again)
@takes(many=("pilih",))
@password_confirmed
def reject() -> ResponseReturnValue:
    form = RejectionForm()
    if not form.validate():
        return _page(ApprovalForm(formdata=None), form, 422)
    with unit_of_work() as db:
        outcomes = decide_correction.reject_many(db, _chosen(), form.reason.value, desk_act())
        done = [outcome for _, outcome in outcomes if isinstance(outcome, EmailCorrection)]
        decide_correction.report_many(db, "menolak permintaan perbaikan email", done, desk_act())
    return _to_the_result([(correction.id, _why(outcome)) for correction, outcome in outcomes])


@blueprint.get("/hasil")
def result() -> ResponseReturnValue:
    """Where the chosen requests stand now, and why some were left open: a reload shows the state of that
    moment."""
    left = dict(
        re.findall(
            f"({BigRowId.regex})-([a-z-]{{1,20}})", " ".join(request.args.getlist("tetap")[:MOST_AT_ONCE])
        )
    )
    with reading() as db:
        reviewed = review_many(
            db, authority(), decide_correction.chosen_within_reach(db, authority(), _chosen()), now()
        )
    is_open = {one.correction.id: one.correction.state.is_open for one in reviewed}
    reasons = {
        int(one): WhyStillOpen(reason)
        for one, reason in left.items()
        if reason in list(WhyStillOpen)
        and (is_open.get(int(one)) or reason == WhyStillOpen.ANSWERED)  # otherwise it was answered since
    }
    return render_template(
        "admin/correction/several_result.html", reviewed=reviewed, reasons=reasons, asked=filter_fields()
    )


def _page(approval: ApprovalForm, rejection: RejectionForm, status: int = 200) -> ResponseReturnValue:
    with reading() as db:
        chosen = decide_correction.chosen_within_reach(db, authority(), _chosen())
        reviewed = review_many(db, authority(), chosen, now())
    if not reviewed:
        flash("Belum ada permintaan yang dipilih. Centang dahulu yang akan dijawab.", "info")
        return redirect(url_for("admin.corrections.page"), 303)
    people = [one.person.id for one in reviewed if one.correction.state.is_open]
    needs = {one.correction.id: needs_a_look(one, authority()) for one in reviewed}
    stays = {one: _why(why) for one, why in needs.items() if why}
    stays |= {
        one.correction.id: WhyStillOpen.TWO_OF_ONE_PERSON
        for one in reviewed
        if one.correction.id not in stays and people.count(one.person.id) > 1
    }
    page = render_template(
        "admin/correction/several.html", reviewed=reviewed, stays=stays, approval=approval,
        rejection=rejection,
        usual_reasons=USUAL_REASONS_TO_REJECT,
        delay_hours=portal().settings.email_change_delay_hours,
        asked=filter_fields(),
        has_errors=bool(approval.errors or rejection.errors),
    )  # fmt: skip
    return make_response(page, status)


def _why(
    outcome: IdentityChange | EmailCorrection | NotApproved | NotByMany,
) -> WhyStillOpen | None:
    """None for a request that was answered, even if an earlier click answered it."""
    match outcome:
        case IdentityChange() | EmailCorrection() | SameAnswer():
            return None
        case NotOpened():
            return WhyStillOpen.NOT_OPENED
        case InHandOfAnother():
            return WhyStillOpen.IN_HAND
        case WaitsForPerson():
            return WhyStillOpen.AWAITS_ANSWER
        case WarningsNotAcknowledged():
            return WhyStillOpen.WARNED
        case OnlyAlone():
            return WhyStillOpen.ONLY_ALONE
        case TwoOfOnePerson():
            return WhyStillOpen.TWO_OF_ONE_PERSON
        case CheckImpossible():
            return WhyStillOpen.CHECK_IMPOSSIBLE
        case AlreadyDecided():
            return WhyStillOpen.ANSWERED
        case AddressTaken():
            return WhyStillOpen.TAKEN
        case SameAddress():
            return WhyStillOpen.SAME
        case UnderWay():
            return WhyStillOpen.UNDER_WAY
        case Outdated():
            return WhyStillOpen.OUTDATED
        case OutOfReach() | NotToTouch():
            return WhyStillOpen.NOT_YOURS
        case _:
            assert_never(outcome)


def _to_the_result(outcomes: Sequence[tuple[int, WhyStillOpen | None]]) -> ResponseReturnValue:
    left = [f"{one}-{why}" for one, why in outcomes if why]
    return redirect(
        url_for(
            "admin.corrections_bulk.result",
            pilih=[one for one, _ in outcomes],
            tetap=left,
            **filter_fields(),
        ),
        303,
    )


def _chosen() -> list[int]:
    """The ids in the form or the address, each once; everything else is left out."""
    return big_row_ids(request.values.getlist("pilih"))[:MOST_AT_ONCE]
