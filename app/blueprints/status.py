"""/status: whether the portal works, for everybody."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app.domain.indonesian_time import now
from app.web.compression import compressed_for_strangers
from app.web.service_state import read_state
from app.web.sessions import for_everybody

blueprint = Blueprint("status", __name__)

SECONDS_TO_KEEP = 10  # by a proxy that may keep pages: what a worker counts is not newer either


@blueprint.get("/status")
@for_everybody
@compressed_for_strangers
def page() -> ResponseReturnValue:
    page = render_template("information/status.html", service=read_state(), moment=now())
    answer = make_response(page)
    if not request.cookies:  # otherwise the answer may be about somebody, or bring a cookie
        answer.headers["Cache-Control"] = f"public, max-age={SECONDS_TO_KEEP}"
    return answer
