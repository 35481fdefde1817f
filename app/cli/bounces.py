"""Mails that come back: a mail server gives them to `mysapk bounce`."""

import logging
import sys

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import SQLAlchemyError

from app.domain.bounce import LONGEST_MESSAGE
from app.runtime.logs import masked
from app.worker.bounces import in_words, take
from config import BadSetting

log = logging.getLogger("portal.worker")

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: Postfix, Exim and Sendmail keep the message and send it again


@click.command()
@click.option(
    "--recipient",
    default="",
    help="Where the mail server had the message for; without it, its headers are asked.",
)
@click.pass_context
def bounce(context: click.Context, recipient: str) -> None:
    """Read a message that came to MAIL_RETURN_PATH, from standard input; exit code 75 when the mail server
    should keep it."""
    message = _from_standard_input()
    try:
        app = context.ensure_object(ScriptInfo).load_app()
        with app.app_context():
            taken = take(message, recipient)
    except (BadSetting, SQLAlchemyError) as fault:
        click.echo(f"mysapk bounce: kept for later: {masked(str(fault).splitlines()[0])}", err=True)
        sys.exit(TRY_AGAIN)
    except Exception as accident:  # whatever it was: once the fault is mended, the message can still be read
        log.error("accident", exc_info=accident)
        click.echo(f"mysapk bounce: kept for later: {type(accident).__name__}, the log says more", err=True)
        sys.exit(TRY_AGAIN)
    click.echo(in_words(taken))


def _from_standard_input() -> bytes:
    """The beginning of the message. The rest is read and dropped, because a mail server takes a pipe that
    closes early for a fault."""
    pipe = sys.stdin.buffer
    message = pipe.read(LONGEST_MESSAGE)
    while pipe.read(LONGEST_MESSAGE):
        pass
    return message
