"""/admin/: how it goes."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("overview", __name__, url_prefix="")


@blueprint.get("/", endpoint="page")
def show() -> ResponseReturnValue:
    abort(404)
