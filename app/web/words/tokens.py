"""What became of a token, in words for whoever opens its link."""

from datetime import datetime
from typing import assert_never

from app.domain.indonesian_time import timed
from app.models.reset_request import WhyRefused
from app.web.times import told


def heading_of_dead_token(why: WhyRefused) -> str:
    match why:
        case WhyRefused.USED:
            return "Token sudah dipakai"
        case WhyRefused.EXPIRED:
            return "Masa berlaku token sudah habis"
        case WhyRefused.OVERTAKEN | WhyRefused.WRONG | WhyRefused.NOTHING_OPEN:
            return "Token tidak berlaku lagi"
        case _:
            assert_never(why)


def sentence_of_dead_token(why: WhyRefused, since: datetime | None) -> str:
    when = (" pada ", since) if since else ()
    match why:
        case WhyRefused.USED:
            return told(timed("Token dari tautan ini sudah dipakai", *when, "."))
        case WhyRefused.EXPIRED:
            return told(timed("Masa berlaku token dari tautan ini sudah habis", *when, "."))
        case WhyRefused.OVERTAKEN:
            return (
                "Token dari tautan ini tidak berlaku lagi, karena password atau data akun sudah berubah "
                "sejak token dikirim."
            )
        case WhyRefused.WRONG | WhyRefused.NOTHING_OPEN:
            return "Token dari tautan ini tidak berlaku."
        case _:
            assert_never(why)
