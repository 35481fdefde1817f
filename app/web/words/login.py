"""Why the login page is there, in one sentence for each reason."""

from typing import assert_never

from app.web.sessions import SessionOver
from config import Settings

ENDED = "Sesi Anda sudah berakhir."
LEFT = "Anda sudah keluar."


def sentence_of_end(over: SessionOver, settings: Settings) -> str:
    match over:
        case SessionOver.IDLE:
            return (
                "Sesi Anda sudah berakhir karena tidak ada aktivitas selama "
                f"{settings.session_idle_minutes} menit."
            )
        case SessionOver.TOO_LONG:
            hours = settings.session_absolute_hours
            return f"Sesi Anda sudah berakhir karena sudah {hours} jam sejak Anda masuk."
        case SessionOver.CHANGED:
            return "Sesi Anda sudah berakhir karena password atau data akun Anda berubah."
        case SessionOver.BY_DESK:
            return (
                "Sesi Anda sudah berakhir karena admin mengakhiri semua sesi akun Anda. Password Anda tidak "
                "diubah, jadi Anda dapat masuk lagi."
            )
        case SessionOver.GONE:
            return (
                "Sesi Anda sudah berakhir karena Anda keluar, sesi itu diakhiri dari perangkat lain, atau "
                "password baru dibuat."
            )
        case _:
            assert_never(over)


def sentence_of_need(name: str) -> str:
    return f"Halaman {name} hanya dapat dibuka setelah Anda masuk."
