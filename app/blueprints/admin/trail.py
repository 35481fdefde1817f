"""/admin/audit: the trail."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("trail", __name__, url_prefix="/audit")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
