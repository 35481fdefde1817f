"""Who may act as an admin, on whom, and what others are told of it."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.models.instansi import Instansi
from app.models.user import User
from app.security.authority import Authority, NotToTouch, OutOfReach
from tests.unit.rows import NOW, TODAY, a_mandate, a_person, an_instansi

TOMORROW = TODAY + timedelta(days=1)


@dataclass(frozen=True)
class Desks:
    """Wati and Wira are admins of one instansi, Raka of two others, Ratna of pusat. Budi is no admin."""

    one: Instansi
    other: Instansi
    third: Instansi
    wati: User
    wira: User
    raka: User
    ratna: User
    budi: User


@pytest.fixture
def desks(session: Session) -> Desks:
    one, other, third = (an_instansi(session, code) for code in ("1", "2", "3"))
    made = Desks(
        one,
        other,
        third,
        wati=a_person(session, one, "Wati", 1),
        wira=a_person(session, one, "Wira", 2),
        raka=a_person(session, other, "Raka", 3),
        ratna=a_person(session, one, "Ratna", 4),
        budi=a_person(session, one, "Budi", 5),
    )
    for person, over in (
        (made.wati, one), (made.wira, one), (made.raka, other), (made.raka, third), (made.ratna, None)
    ):  # fmt: skip
        a_mandate(session, person, over)
    return made


def desk_of(session: Session, admin: User) -> Authority:
    found = Authority.of(session, admin, TODAY)
    assert found is not None
    return found


def test_an_admin_has_the_instansi_of_all_mandates_that_hold_today(session: Session, desks: Desks) -> None:
    a_mandate(session, desks.wati, desks.third, starts_on=TOMORROW, ends_on=TOMORROW)

    assert Authority.of(session, desks.wati, TODAY) == Authority(desks.wati, False, frozenset({desks.one.id}))
    assert Authority.of(session, desks.raka, TODAY) == Authority(
        desks.raka, False, frozenset({desks.other.id, desks.third.id})
    )
    assert Authority.of(session, desks.budi, TODAY) is None
    assert Authority.of(session, desks.raka, TOMORROW) is None


def test_pusat_is_bound_to_no_instansi_with_other_mandates_beside_it_too(
    session: Session, desks: Desks
) -> None:
    a_mandate(session, desks.ratna, desks.other)

    assert Authority.of(session, desks.ratna, TODAY) == Authority(desks.ratna, True, frozenset())


def test_in_office_is_who_may_enter_and_holds_a_mandate(session: Session, desks: Desks) -> None:
    assert Authority.in_office(session, desks.wati, TODAY) == desk_of(session, desks.wati)
    assert Authority.in_office(session, None, TODAY) is None
    assert Authority.in_office(session, desks.budi, TODAY) is None

    desks.wati.activation = Activation.DEACTIVATED
    assert Authority.in_office(session, desks.wati, TODAY) is None


def test_a_desk_reaches_its_own_people_and_pusat_everybody(session: Session, desks: Desks) -> None:
    def reached(desk: Authority) -> set[str]:
        return set(session.scalars(select(User.name).where(desk.within(User.instansi_id))))

    wati, ratna = desk_of(session, desks.wati), desk_of(session, desks.ratna)

    assert reached(wati) == {"Wati", "Wira", "Ratna", "Budi"}
    assert reached(ratna) == {"Wati", "Wira", "Raka", "Ratna", "Budi"}
    assert wati.covers(desks.one.id)
    assert not wati.covers(desks.other.id)
    assert not wati.covers(None)
    assert ratna.covers(desks.other.id)
    assert ratna.covers(None)


def test_a_person_out_of_reach_is_like_nobody(session: Session, desks: Desks) -> None:
    wati = desk_of(session, desks.wati)

    assert wati.person(session, desks.budi.id) is desks.budi
    assert wati.person(session, desks.raka.id) == wati.person(session, 999) == OutOfReach()
    assert wati.person_to_act_on(session, desks.budi.id, TODAY) is desks.budi
    assert wati.person_to_act_on(session, desks.raka.id, TODAY) == OutOfReach()
    assert wati.person_to_act_on(session, 999, TODAY) == OutOfReach()


def test_an_admin_of_one_instansi_acts_on_another_one_of_it(session: Session, desks: Desks) -> None:
    assert desk_of(session, desks.wati).person_to_act_on(session, desks.wira.id, TODAY) is desks.wira


@pytest.mark.parametrize(("admin", "said"), [("wati", "akunnya sendiri"), ("ratna", "akunnya sendiri")])
def test_nobody_acts_on_their_own_account(session: Session, desks: Desks, admin: str, said: str) -> None:
    oneself: User = getattr(desks, admin)

    refused = desk_of(session, oneself).person_to_act_on(session, oneself.id, TODAY)

    assert isinstance(refused, NotToTouch)
    assert said in refused.sentence


def test_nobody_acts_on_a_higher_rank(session: Session, desks: Desks) -> None:
    refused = desk_of(session, desks.wati).person_to_act_on(session, desks.ratna.id, TODAY)

    assert isinstance(refused, NotToTouch)
    assert "milik admin pusat" in refused.sentence


def test_nobody_acts_on_somebody_whose_mandates_reach_further(session: Session, desks: Desks) -> None:
    a_mandate(session, desks.wira, desks.other)
    refused = desk_of(session, desks.wati).person_to_act_on(session, desks.wira.id, TODAY)

    assert isinstance(refused, NotToTouch)
    assert "di luar mandat Anda" in refused.sentence
    assert desk_of(session, desks.ratna).person_to_act_on(session, desks.wira.id, TODAY) is desks.wira


def test_pusat_acts_on_pusat(session: Session, desks: Desks) -> None:
    rini = a_person(session, desks.other, "Rini", 6)
    a_mandate(session, rini, None)

    assert desk_of(session, desks.ratna).person_to_act_on(session, rini.id, TODAY) is rini


def test_a_mandate_that_ended_meanwhile_is_over(session: Session, desks: Desks) -> None:
    wati = desk_of(session, desks.wati)

    refused = wati.person_to_act_on(session, desks.budi.id, TOMORROW)

    assert isinstance(refused, NotToTouch)
    assert "baru saja berakhir" in refused.sentence


def test_a_mandate_over_this_instansi_that_was_revoked_meanwhile_is_over(
    session: Session, desks: Desks
) -> None:
    mandate = a_mandate(session, desks.wati, desks.other)
    wati = desk_of(session, desks.wati)
    mandate.revoke(NOW)
    session.flush()

    assert isinstance(wati.person_to_act_on(session, desks.raka.id, TODAY), NotToTouch)
    assert wati.person_to_act_on(session, desks.budi.id, TODAY) is desks.budi


def test_an_admin_whose_account_was_changed_meanwhile_does_not_act(session: Session, desks: Desks) -> None:
    wati = desk_of(session, desks.wati)
    another_change = update(User).where(User.id == desks.wati.id).values(credential_version=7)
    session.execute(another_change.execution_options(synchronize_session=False))

    assert isinstance(wati.person_to_act_on(session, desks.budi.id, TODAY), NotToTouch)


def test_a_person_who_moved_meanwhile_is_out_of_reach(session: Session, desks: Desks) -> None:
    wati = desk_of(session, desks.wati)
    assert wati.person(session, desks.budi.id) is desks.budi
    moved = update(User).where(User.id == desks.budi.id).values(instansi_id=desks.other.id)
    session.execute(moved.execution_options(synchronize_session=False))

    assert wati.person_to_act_on(session, desks.budi.id, TODAY) == OutOfReach()


def test_the_trail_gets_a_part_for_each_desk_and_one_for_pusat(session: Session, desks: Desks) -> None:
    counts = {desks.one.id: 4, desks.other.id: 5}
    raka, ratna = desk_of(session, desks.raka), desk_of(session, desks.ratna)

    assert list(raka.parts(counts).items()) == [(desks.other.id, 5), (desks.third.id, 0)]
    assert ratna.parts(counts) == {None: 9}
    assert ratna.parts({}) == {None: 0}


def test_only_an_admin_of_one_instansi_has_one_desk(session: Session, desks: Desks) -> None:
    of_each = {
        admin.name: desk_of(session, admin).only_instansi_id
        for admin in (desks.wati, desks.raka, desks.ratna)
    }

    assert of_each == {"Wati": desks.one.id, "Raka": None, "Ratna": None}


def test_others_hear_of_an_office_and_colleagues_of_a_name(session: Session, desks: Desks) -> None:
    wati, ratna = desk_of(session, desks.wati), desk_of(session, desks.ratna)

    assert (wati.office, ratna.office) == ("admin Instansi 1", "admin pusat")
    assert wati.name_of(desks.wira) == "Wira"
    assert wati.name_of(desks.raka) == "admin di luar instansi ini"
    assert ratna.name_of(desks.raka) == "Raka"
    assert wati.name_of(None) == "portal"
    assert replace(wati, is_pusat=True).name_of(desks.raka) == "Raka"
