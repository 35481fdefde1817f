"""/admin/instansi: help contacts and PDM windows."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("instansi", __name__, url_prefix="/instansi")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
