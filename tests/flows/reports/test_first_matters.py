"""What somebody has to do stands first on the overview, with how much there is and how old it is, and leads
to its list; and nobody learns of what is outside their reach."""

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from app.domain.corrections import IdentityCheck
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.domain.reset_secret import new_reference
from app.models import AdminMandate, IdentityChange, MailFault, MailFaultKind, User
from app.models.admin_mandate import Role
from app.models.mail_fault import EVERYWHERE
from app.models.outbox_mail import MailState
from app.runtime.db import unit_of_work
from tests.cast import BUDI, CINTA, HADI, JOKO, RAKA, RATNA, WATI, Person
from tests.flows.reports.test_overview import ask_correction, count, refuse_mail
from tests.visitor import Visitor, logged_in, words_of

HOUR = timedelta(hours=1)
CALM = "Tidak ada yang menunggu Anda sekarang"


def matters(visitor: Visitor, query: str = "") -> dict[str, str]:
    """The words of each card, by its address."""
    page = visitor.open(f"/admin/{query}").text
    cards = re.findall(r'class="matter" href="([^"]+)">(.*?)</a>', page, re.DOTALL)
    return {
        address.replace("&amp;", "&"): " ".join(re.sub(r"<[^>]+>", " ", card).split())
        for address, card in cards
    }


def stopped(app: Flask, person: Person, state: ChangeState, ago: timedelta) -> None:
    moment = now() - ago
    with app.app_context(), unit_of_work() as session:
        owner = session.scalars(select(User).where(User.nip == person.nip)).one()
        session.add(
            IdentityChange(
                reference=new_reference(), user_id=owner.id, instansi_id=owner.instansi_id,
                old_value=person.email, identity_check=IdentityCheck.LETTER, kind=ChangeKind.EMAIL,
                new_value="lain@contoh.example", state=state, reason="Surat", decided_at=moment,
                ended_at=moment if state is ChangeState.FROZEN else None,
            )
        )  # fmt: skip


def let_mandate_end(app: Flask, person: Person, days: int) -> None:
    with app.app_context(), unit_of_work() as session:
        held = select(AdminMandate).join(User, User.id == AdminMandate.user_id).where(User.nip == person.nip)
        session.scalars(held).one().ends_on = today_in_jakarta(now()) + timedelta(days=days)


def test_a_morning_without_anything_to_do_is_calm(peopled: Flask) -> None:
    raka = logged_in(peopled, RAKA)

    assert matters(raka) == {}
    assert CALM in words_of(raka.open("/admin/"))


def test_each_matter_has_its_count_its_age_and_its_list(peopled: Flask) -> None:
    for number, hours in enumerate((30, 50, 3)):
        ask_correction(peopled, number, BUDI, hours * HOUR)
    stopped(peopled, JOKO, ChangeState.FROZEN, 20 * HOUR)
    stopped(peopled, BUDI, ChangeState.NEEDS_SECOND, 5 * HOUR)
    for _ in range(3):
        refuse_mail(peopled, BUDI, "budi@mati.example", MailState.FAILED, "550", 7 * HOUR)
    let_mandate_end(peopled, WATI, 20)
    with peopled.app_context(), unit_of_work() as session:
        cinta = session.scalars(select(User).where(User.nip == CINTA.nip)).one()
        cinta.activation_changed_at = now() - timedelta(days=3)
    count(peopled)
    wati, raka = logged_in(peopled, WATI), logged_in(peopled, RAKA)

    found = matters(wati)

    ends = shown_date(today_in_jakarta(now()) + timedelta(days=20))
    assert [*found.values()] == [
        "1 Akun yang disengketakan paling lama 20 jam",
        "2 Permintaan lewat janji 24 jam paling lama 2 hari",
        "1 Menunggu admin kedua paling lama 5 jam",
        "1 CPNS menunggu persetujuan paling lama 3 hari",
        "1 Domain email yang menolak paling lama 7 jam",
        f"1 Mandat admin hampir berakhir yang pertama sampai {ends}",
    ]
    for address in found:
        assert wati.open(address).status_code == 200, address
    assert matters(raka) == {}, "nobody of this instansi is in Raka's reach"
    assert CALM in words_of(raka.open("/admin/"))


def test_pusat_sees_all_of_it_and_can_look_at_one_instansi(peopled: Flask) -> None:
    ask_correction(peopled, 1, BUDI, 30 * HOUR)
    ask_correction(peopled, 2, HADI, 40 * HOUR)
    ask_correction(peopled, 3, None, 60 * HOUR)
    count(peopled)
    ratna = logged_in(peopled, RATNA)

    assert (
        matters(ratna)["/admin/perbaikan-email?umur=lewat"]
        == "2 Permintaan lewat janji 24 jam paling lama 40 jam"
    )
    of_one = matters(ratna, "?instansi=7301")
    assert (
        of_one["/admin/perbaikan-email?umur=lewat&instansi=7301"]
        == "1 Permintaan lewat janji 24 jam paling lama 30 jam"
    )


def test_a_contest_that_was_settled_and_a_mandate_that_goes_on_are_no_matter(peopled: Flask) -> None:
    stopped(peopled, JOKO, ChangeState.FROZEN, 20 * HOUR)
    let_mandate_end(peopled, WATI, 20)
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(IdentityChange)).one().settled_at = now()
        wati = session.scalars(select(User).where(User.nip == WATI.nip)).one()
        today = today_in_jakarta(now())
        session.add(
            AdminMandate(user_id=wati.id, role=Role.ADMIN_INSTANSI, instansi_id=wati.instansi_id,
                         sk_number="SK-2", starts_on=today, ends_on=today + timedelta(days=400))
        )  # fmt: skip

    assert [*matters(logged_in(peopled, WATI))] == ["/admin/cpns"]


def test_two_failed_mails_make_no_dead_domain(peopled: Flask) -> None:
    for _ in range(2):
        refuse_mail(peopled, HADI, "hadi@lambat.example", MailState.FAILED, "550", 7 * HOUR)
    count(peopled)

    assert matters(logged_in(peopled, RAKA)) == {}


def test_only_pusat_is_told_that_our_own_server_is_refused(peopled: Flask) -> None:
    since = now() - 2 * HOUR
    with peopled.app_context(), unit_of_work() as session:
        session.add(
            MailFault(way=EVERYWHERE, kind=MailFaultKind.SESSION, since=since, last_at=since, failures=3,
                      answer="535 no", is_closed=True, rests_until=now(), new_from=now())
        )  # fmt: skip

    of_pusat = words_of(logged_in(peopled, RATNA).open("/admin/"))

    assert "Server email kita menolak portal ini" in of_pusat
    assert "sudah 2 jam" in of_pusat
    assert CALM not in of_pusat
    assert "Server email" not in words_of(logged_in(peopled, RAKA).open("/admin/"))
