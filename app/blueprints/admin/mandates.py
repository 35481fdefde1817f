"""/admin/mandat: who may do what."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("mandates", __name__, url_prefix="/mandat")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
