"""/admin/impor: files of staff."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("imports", __name__, url_prefix="/impor")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
