"""The home page: of a person who is logged in, and of a CPNS who waits and may only read it."""

from dataclasses import dataclass
from datetime import timedelta

from flask import render_template

from app.domain.corrections import CorrectionField
from app.domain.indonesian_time import now
from app.domain.pdm_groups import PdmGroup, pdm_groups
from app.domain.person_name import greeted_as
from app.flows.cpns.usual_wait import usual_wait
from app.models.email_correction import AskedOnRecord, EmailCorrection
from app.models.pdm_window import PdmWindow
from app.models.user import User
from app.runtime.db import reading
from app.runtime.portal import portal
from app.web.pdm_state import PdmState, pdm_state
from app.web.sessions import Visitor

ANSWERS_SHOWN_FOR = timedelta(days=30)
# The parts of the record that their owner may ask to correct, as addresses name them
FIELDS = {
    "nama": CorrectionField.NAME,
    "nip": CorrectionField.NIP,
    "unit-kerja": CorrectionField.WORK_UNIT,
    "telepon": CorrectionField.PHONE,
}


@dataclass(frozen=True)
class Preparation:
    """One group of data, and whether its owner has the documents at hand."""

    group: PdmGroup
    is_ready: bool


def home(visitor: Visitor) -> str:
    """One statement, and one more for somebody who has ever asked for a correction."""
    user = visitor.user
    preparations = _preparations(user)
    with reading() as db:
        window = PdmWindow.in_force_for(db, user.instansi_id)
        asked = EmailCorrection.of_owner(db, user.id, now() - ANSWERS_SHOWN_FOR) if user.has_asked else []
    return render_template(
        "home/beranda.html",
        user=user,
        login=visitor.login,
        called=greeted_as(user.name),
        asked=asked,
        link_of=portal().keys.correction_link,
        waits_for=_waits_for(asked),
        pdm=_state(window, user),
        preparations=preparations,
        were_ready=" ".join(one.group for one in preparations if one.is_ready),
        pdm_url=portal().settings.pdm_url,
    )


def waiting_home(user: User) -> str:
    """For a CPNS whose account is not open. The page holds no form but the one that leaves it."""
    with reading() as db:
        window = PdmWindow.in_force_for(db, user.instansi_id)
        wait = usual_wait(db, user.instansi_id, now())
    return render_template(
        "home/waiting.html",
        user=user,
        called=greeted_as(user.name),
        wait=wait,
        pdm=_state(window, user),
        preparations=_preparations(user),
        pdm_url=portal().settings.pdm_url,
    )


def _state(window: PdmWindow | None, user: User) -> PdmState:
    whose = f"untuk {user.instansi.name}" if window and window.instansi_id else "secara nasional"
    return pdm_state(window, whose)


def _preparations(user: User) -> list[Preparation]:
    return [Preparation(group, bool(user.prepared & group.bit)) for group in pdm_groups(user.category)]


def _waits_for(asked: list[AskedOnRecord]) -> dict[str, AskedOnRecord]:
    """The open request about each part of the record."""
    return {one.field.value: one for one in asked if one.state.is_open}
