"""/admin/pegawai/<person>: one person, and what an admin may do for him."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

blueprint = Blueprint("person", __name__, url_prefix="/pegawai/<int:person_id>")


@blueprint.get("", endpoint="page")
def show(person_id: int) -> ResponseReturnValue:
    abort(404)
