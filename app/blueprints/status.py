"""/status: whether the portal works, for everybody."""

from dataclasses import dataclass
from typing import assert_never

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError, TimeoutError

from app.domain.indonesian_time import Timed, now, timed
from app.flows.reports.service_status import (
    MailService,
    MailsLate,
    MailsOnTime,
    NobodySends,
    ServiceStatus,
    service_status,
)
from app.runtime.db import reading
from app.web.compression import compressed_for_strangers
from app.web.pdm_state import pdm_state
from app.web.sessions import for_everybody

blueprint = Blueprint("status", __name__)

SECONDS_TO_KEEP = 10  # by a proxy that may keep pages: what a worker counts is not newer either
NATIONAL = "secara nasional"


@dataclass(frozen=True)
class State:
    """What is shown of one part. `kind` is the colour of its tag."""

    word: str
    kind: str
    sentences: tuple[str | Timed, ...]


@blueprint.get("/status")
@for_everybody
@compressed_for_strangers
def page() -> ResponseReturnValue:
    status = _status()
    answer = make_response(
        render_template(
            "information/status.html",
            portal_state=_RUNS if status else _IS_DISTURBED,
            mails=_in_words(status.mails) if status else None,
            pdm=pdm_state(status.window, NATIONAL) if status else None,
            moment=now(),
        )
    )
    if not request.cookies:  # otherwise the answer may be about somebody, or bring a cookie
        answer.headers["Cache-Control"] = f"public, max-age={SECONDS_TO_KEEP}"
    return answer


def _status() -> ServiceStatus | None:
    """None while the database is away."""
    try:
        with reading() as session:
            return service_status(session, now())
    except (OperationalError, TimeoutError):
        return None


_RUNS = State("Berjalan", "success", ("Portal dapat dipakai.",))
_IS_DISTURBED = State(
    "Terganggu",
    "danger",
    (
        "Portal sedang tidak dapat membaca datanya. Login dan Reset Password belum dapat diproses.",
        "Tidak ada yang hilang, dan Anda tidak perlu melakukan apa pun. Tunggu beberapa menit, lalu coba "
        "lagi.",
    ),
)
_IS_KEPT = "Permintaan Anda tetap tersimpan dan tidak hilang. Tidak perlu meminta token berulang kali."


def _in_words(mails: MailService) -> State:
    match mails:
        case MailsOnTime(typical, slowest):
            at_most = f", paling lama {slowest}" if slowest != typical else ""
            return State(
                "Lancar",
                "success",
                (
                    f"Token biasanya sampai ke server email dalam {typical}{at_most}.",
                    "Dari sana sampai ke kotak surat Anda, lamanya tergantung penyedia email Anda. Periksa "
                    "juga folder Spam atau Promosi.",
                ),
            )
        case MailsLate(None):
            return State("Terlambat", "warning", ("Pengiriman email sedang terganggu.", _IS_KEPT))
        case MailsLate(oldest):
            waited = f"Email sedang terlambat: yang paling lama menunggu sudah {oldest}."
            return State("Terlambat", "warning", (waited, _IS_KEPT))
        case NobodySends(since):
            silent = (
                timed("Pengirim email sedang tidak bekerja sejak ", since, ".")
                if since
                else "Pengirim email belum bekerja."
            )
            return State("Tidak bekerja", "danger", (silent, _IS_KEPT))
        case _ as never:
            assert_never(never)
