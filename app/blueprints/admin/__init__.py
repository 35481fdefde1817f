"""/admin: the desk of the instansi and of pusat. Everybody who enters passes `only_admins`; `Authority` says
whom they reach."""

from flask import Blueprint
from flask_wtf.csrf import CSRFError

from app.blueprints.admin import (
    at_once,
    campaign_days,
    changes,
    correction_acts,
    correction_file,
    corrections,
    corrections_bulk,
    cpns,
    email,
    imports,
    instansi,
    lists,
    mandates,
    overview,
    people,
    person,
    trail,
)
from app.web.admins import NotAllowed, lost_csrf, not_allowed, only_admins

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
blueprint.before_request(only_admins)
blueprint.register_error_handler(NotAllowed, not_allowed)
blueprint.register_error_handler(CSRFError, lost_csrf)
for _section in (
    overview, corrections, corrections_bulk, correction_acts, correction_file, changes, cpns, people, lists,
    at_once, person, email, imports, mandates, instansi, campaign_days, trail,
):  # fmt: skip
    blueprint.register_blueprint(_section.blueprint)
