"""Whether somebody can fill in data today, in words."""

from dataclasses import dataclass

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.models.pdm_window import PdmWindow


@dataclass(frozen=True)
class PdmState:
    """The window as people see it today. `kind` is the colour of its tag."""

    word: str
    kind: str
    sentence: str


def pdm_state(window: PdmWindow | None, whose: str) -> PdmState:
    """`whose`: for whom the window is open, as in "untuk Pemkab Nusa Jaya" or "secara nasional"."""
    if window is None:
        return PdmState("Belum dibuka", "neutral", "Jadwal pemutakhiran data belum ditetapkan.")
    opens, closes = shown_date(window.opens_on), shown_date(window.closes_on)
    today = today_in_jakarta(now())
    if today < window.opens_on:
        return PdmState(
            "Belum dibuka", "neutral", f"Pemutakhiran data dibuka {whose} mulai {opens} sampai {closes}."
        )
    if today > window.closes_on:
        return PdmState("Ditutup", "warning", f"Pemutakhiran data {whose} sudah ditutup pada {closes}.")
    return PdmState(
        f"Dibuka sampai {closes}",
        "success",
        f"Pemutakhiran data dibuka {whose} mulai {opens} sampai {closes}.",
    )
