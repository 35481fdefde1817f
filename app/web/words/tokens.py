"""What became of a token, in words for whoever opens its link."""

from datetime import datetime
from typing import assert_never

from app.domain.indonesian_time import shown_moment
from app.models.reset_request import WhyRefused


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
    shown = f" pada {shown_moment(since)}" if since else ""
    match why:
        case WhyRefused.USED:
            return f"Token dari tautan ini sudah dipakai{shown}."
        case WhyRefused.EXPIRED:
            return f"Masa berlaku token dari tautan ini sudah habis{shown}."
        case WhyRefused.OVERTAKEN:
            return (
                "Token dari tautan ini tidak berlaku lagi, karena password atau data akun sudah berubah "
                "sejak token dikirim."
            )
        case WhyRefused.WRONG | WhyRefused.NOTHING_OPEN:
            return "Token dari tautan ini tidak berlaku."
        case _:
            assert_never(why)
