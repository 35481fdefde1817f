"""The trail is sealed batch by batch, and its newest head is kept outside the database."""

import logging

from app.domain.indonesian_time import now
from app.models.audit_head import AuditHead
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security import sealing
from app.security.kept_head import Anchor, KeptHead
from app.security.sealing import HeadNotGenuine

log = logging.getLogger("portal.worker")


def seal_what_is_new() -> int:
    """Seal some rows, in a transaction of its own; without a lock where there is nothing to seal. Returns 0
    when no row is left, or when the head is not genuine: then the head stays as it is, and `mysapk audit
    verify` reports it."""
    with reading() as session:
        if not sealing.is_any_to_seal(session, now()):
            return 0
    kept = kept_head()
    seen = kept.read()  # read before the database, so the file is never ahead of the database
    with unit_of_work() as session:
        sealed = sealing.seal_next(session, portal().keys, seen, now())
        head = session.get(AuditHead, 1)  # as sealed just now, without another look
    if isinstance(sealed, HeadNotGenuine):
        return 0
    if sealed and head is not None:
        kept.keep(Anchor(head.seal_no, head.seal))  # if the head cannot be kept, `log_head` says why
    return sealed


def log_head() -> None:
    """Write the end of the trail to the log and to this machine's file: both are anchors outside the
    database. Somebody who can put back an older state of all tables still cannot change what another machine
    has already taken from here."""
    kept = kept_head()
    seen = kept.read()
    with reading() as session:
        why_not = sealing.why_not(session, portal().keys, seen)
        head = AuditHead.now(session)
        blocked = sealing.count_out_of_reach(session, now())
    if blocked:
        fields = {"rows": blocked}
        log.error(
            "trail: rows too old or in the future are not sealed; run mysapk audit verify",
            extra={"fields": fields},
        )
    if head is None or why_not is not None:
        log.error(f"trail: {why_not or 'no head'}, nothing is sealed; run mysapk audit verify")
        return
    log.info("trail", extra={"fields": {"seal_no": head.seal_no, "seal": head.seal}})
    if seen is None and head.seal_no:
        log.warning("trail: this machine had no head outside the database; it keeps one from here on")
    if (head.seal_no or head.mark) and (problem := kept.keep(Anchor(head.seal_no, head.seal))):
        fields_of_file = {"file": str(kept.path), "problem": problem}
        log.error("trail: the head cannot be kept outside the database", extra={"fields": fields_of_file})


def kept_head() -> KeptHead:
    """The newest head, as this machine keeps it outside the database."""
    settings = portal().settings
    return KeptHead.of(settings.instance, settings.database_url, portal().keys)


def last_verified() -> KeptHead:
    """The seal up to which `audit verify` has found nothing on this machine."""
    settings = portal().settings
    return KeptHead.of(settings.instance, settings.database_url, portal().keys, "verified")
