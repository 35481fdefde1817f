"""`mysapk outbox`: mails that perhaps did not arrive, for the operator who has mended the cause."""

import logging
from datetime import timedelta

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import now, shown_moment
from app.mail.outbox import GIVE_UP_AFTER
from app.models.mail_fault import MailFault
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.user import User
from app.runtime.db import reading, unit_of_work

log = logging.getLogger("portal.operator")

MOST_SHOWN = 200
DAYS = click.option(
    "--days", default=7, show_default=True, type=click.IntRange(1, 90), help="How many days back."
)
_NOT_ARRIVED = (MailState.UNCERTAIN, MailState.FAILED)


@click.group()
def outbox() -> None:
    """Letters that did not arrive for certain."""


@outbox.command("list")
@DAYS
@with_appcontext
def list_letters(days: int) -> None:
    """Show letters of uncertain fate, that failed, or that were put off, and what stands in the way of
    letters."""
    with reading() as session:
        for fault in MailFault.alarms(session):
            click.echo(
                f"gangguan {fault.kind.label} ({fault.way}) sejak {shown_moment(fault.since)}: {fault.answer}"
            )
        shown = 0
        for mail in _letters(session, (*_NOT_ARRIVED, MailState.DEFERRED), days, MOST_SHOWN):
            why = " ".join(_without_addresses(mail).split())
            fields = (
                str(mail.id),
                mail.state.label,
                mail.letter,
                EmailAddress(mail.to_address).masked,
                shown_moment(mail.posted_at),
            )
            click.echo("\t".join((*fields, why)))
            shown += 1
    click.echo(f"{shown} surat" if shown else "Tidak ada surat yang gagal, ditunda, atau tidak pasti.")


@outbox.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "is_all", is_flag=True, help="All of uncertain fate, and all that failed.")
@DAYS
@with_appcontext
def retry(ids: tuple[int, ...], days: int, *, is_all: bool) -> None:
    """Send letters again that are uncertain or failed, with the Message-ID they have."""
    if bool(ids) == is_all:
        raise click.UsageError("sebutkan ID surat, atau --all")
    again = left = 0
    with unit_of_work() as session:
        if is_all:
            found = _letters(session, _NOT_ARRIVED, days, None)
        else:
            wanted = select(OutboxMail).where(OutboxMail.id.in_(ids), OutboxMail.state.in_(_NOT_ARRIVED))
            found = list(session.scalars(wanted.with_for_update(of=OutboxMail)))
            left = len(set(ids)) - len(found)
        for mail in found:
            if _is_useless(mail):
                left += 1
                continue
            if mail.user_id is not None and mail.settled_at is not None and mail.state is MailState.FAILED:
                User.forget_failed_mail(session, mail.user_id, mail.settled_at)
            mail.send_again(now())
            again += 1
    log.info("letters sent again", extra={"fields": {"letters": again}})
    click.echo(f"{again} surat dikirim lagi, {left} dibiarkan")
    if left and not is_all:
        raise click.ClickException(
            "yang dibiarkan tidak gagal dan tidak tidak pasti, atau tokennya sudah tidak berguna"
        )


def _letters(
    session: Session, states: tuple[MailState, ...], days: int, most: int | None
) -> list[OutboxMail]:
    since = now() - timedelta(days=days)
    found = select(OutboxMail).where(OutboxMail.state.in_(states), OutboxMail.posted_at > since)
    return list(session.scalars(found.order_by(OutboxMail.posted_at, OutboxMail.id).limit(most)))


def _is_useless(mail: OutboxMail) -> bool:
    """Whether the mail has a token that opens nothing, or that nobody waits for any more: its owner asks for
    another one."""
    if mail.letter is not Letter.TOKEN:
        return False
    is_old = now() - mail.posted_at >= GIVE_UP_AFTER
    return is_old or mail.reset_request is None or mail.reset_request.is_spent


def _without_addresses(mail: OutboxMail) -> str:
    return (mail.server_answer or "").replace(mail.to_address, "***")
