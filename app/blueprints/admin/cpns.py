"""/admin/cpns: who waits to be let in."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("cpns", __name__, url_prefix="/cpns")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
