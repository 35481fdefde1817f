"""/admin/perbaikan-email: corrections of addresses."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("corrections", __name__, url_prefix="/perbaikan-email")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
