"""/admin/pegawai: people are found."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("people", __name__, url_prefix="/pegawai")


@blueprint.get("", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
