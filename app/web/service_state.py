"""How the service is doing, in words for everybody: whether the portal works, how soon a token leaves, the
national PDM window. Nothing here tells of people or instansi."""

from dataclasses import dataclass
from time import monotonic
from typing import assert_never, cast

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError, TimeoutError

from app.domain.indonesian_time import Timed, now, timed
from app.flows.reports.service_status import (
    MailService,
    MailsLate,
    MailsOnTime,
    NobodySends,
    service_status,
)
from app.runtime.db import reading
from app.web.pdm_state import PdmState, pdm_state

NATIONAL = "secara nasional"
# Of what stands beside the login. It is hardly newer if it is read more often: a worker counts once a minute
SECONDS_TO_KEEP = 20


@dataclass(frozen=True)
class State:
    """What is shown of one part. `kind` is the colour of its tag."""

    word: str
    kind: str
    sentences: tuple[str | Timed, ...]


@dataclass(frozen=True)
class ServiceState:
    """While the database is away, nothing is known of mails and PDM."""

    portal: State
    mails: State | None
    pdm: PdmState | None


@dataclass
class _Newest:
    """What this process has read last."""

    state: ServiceState | None = None
    good_until: float = 0.0


def init_app(app: Flask) -> None:
    app.extensions["service_state"] = _Newest()


def read_state() -> ServiceState:
    """How the service is doing at this moment."""
    try:
        with reading() as session:
            status = service_status(session, now())
    except (OperationalError, TimeoutError):
        return ServiceState(_IS_DISTURBED, None, None)
    return ServiceState(_RUNS, _in_words(status.mails), pdm_state(status.window, NATIONAL))


def recent_state() -> ServiceState:
    """The same, but read at most once in SECONDS_TO_KEEP."""
    newest = _newest()
    if newest.state is None or monotonic() >= newest.good_until:
        newest.good_until = monotonic() + SECONDS_TO_KEEP  # meanwhile nobody else waits for the database
        newest.state = read_state()
    return newest.state


def known_state() -> ServiceState | None:
    """What was read last, for pages that must not cost a statement more. None: nothing yet."""
    return _newest().state


def _newest() -> _Newest:
    return cast(_Newest, current_app.extensions["service_state"])


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
            waited = f"Pengiriman email sedang terlambat. Yang paling lama menunggu: {oldest}."
            return State("Terlambat", "warning", (waited, _IS_KEPT))
        case NobodySends(since):
            if since is None:  # a new portal, whose worker has not counted yet
                return State("Belum bekerja", "neutral", ("Pengirim email belum bekerja.", _IS_KEPT))
            silent = timed("Pengirim email sedang tidak bekerja sejak ", since, ".")
            return State("Tidak bekerja", "danger", (silent, _IS_KEPT))
        case _ as never:
            assert_never(never)
