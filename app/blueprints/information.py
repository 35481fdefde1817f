"""Pages to read: help, privacy, cookies, accessibility."""

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.domain import retention
from app.domain.password_policy import LONGEST_PASSWORD, policy_named
from app.flows.imports import forget_imports
from app.mail.rendering import CORRECTION_LINK_DAYS
from app.models.reset_request import LONGEST_BY_RESENDS
from app.runtime.portal import portal
from app.security import throttle
from app.web.compression import compressed_for_strangers
from app.web.sessions import KNOWN_FOR, for_everybody

blueprint = Blueprint("information", __name__)

# What /privasi says. docs/operation.md has the same spans, and a test compares them.
KEPT_FOR = {
    "counters": throttle.KEPT_FOR,
    "mails": retention.MAILS_KEPT_FOR,
    "pusat_reports": retention.PUSAT_REPORTS_KEPT_FOR,
    "unsent_corrections": retention.LINKS_KEPT_FOR,
    "typed": retention.TYPED_KEPT_FOR,
    "undecided_attachment": retention.UNDECIDED_KEPT_FOR,
    "tickets_of_nobody": retention.TICKETS_OF_NOBODY_KEPT_FOR,
    "files": forget_imports.FILES_KEPT_FOR,
    "unconfirmed_files": forget_imports.UNCONFIRMED_KEPT_FOR,
    "reports": forget_imports.ROWS_KEPT_FOR,
    "bulk_rows": retention.BULK_ROWS_KEPT_FOR,
    "bulk_previews": retention.BULK_PREVIEWS_KEPT_FOR,
}


@blueprint.get("/bantuan")
@for_everybody
@compressed_for_strangers
def help() -> ResponseReturnValue:
    settings = portal().settings
    return render_template(
        "information/help.html",
        sender=settings.mail_sender,
        lifetime=settings.token_lifetime_minutes,
        cooldown=settings.resend_cooldown_seconds,
        opens_by_itself=settings.cpns_activation == "otomatis",
        rules=policy_named(settings.password_policy, is_admin=False).rules,
        rules_of_admins=policy_named(settings.password_policy, is_admin=True).rules,
        longest_password=LONGEST_PASSWORD,
        throttle=throttle,
        login_waits=[wait.seconds // 60 for wait in throttle.LOGIN_IN_NEW_BROWSERS.delays],
        link_days=CORRECTION_LINK_DAYS,
        longest_hours=max(LONGEST_BY_RESENDS, timedelta(minutes=settings.token_lifetime_minutes))
        // timedelta(hours=1),
    )


@blueprint.get("/privasi")
@for_everybody
@compressed_for_strangers
def privacy() -> ResponseReturnValue:
    settings = portal().settings
    return render_template(
        "information/privacy.html",
        idle=settings.session_idle_minutes,
        absolute=settings.session_absolute_hours,
        known_days=KNOWN_FOR.days,
        days={what: span.days for what, span in KEPT_FOR.items()},
    )


@blueprint.get("/kuki")
@for_everybody
@compressed_for_strangers
def cookies() -> ResponseReturnValue:
    settings = portal().settings
    prefix = "__Host-" if settings.is_https else ""
    return render_template(
        "information/cookies.html",
        prefix=prefix,
        idle=settings.session_idle_minutes,
        absolute=settings.session_absolute_hours,
        known_days=KNOWN_FOR.days,
    )


@blueprint.get("/aksesibilitas")
@for_everybody
@compressed_for_strangers
def accessibility() -> ResponseReturnValue:
    return render_template("information/accessibility.html")
