"""What an admin looks for in the queue, as the address says it. The address of a request keeps it, so that an
answer leads to the next request of the same list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request
from sqlalchemy.orm import Session

from app.domain.corrections import Age, CorrectionField
from app.domain.labelled import Labelled
from app.domain.nip import Nip, read_nip
from app.domain.spoken_name import asked_for
from app.domain.typed_text import one_line
from app.flows.correction.correction_queue import Hand, QueueFilter
from app.models.instansi import Instansi
from app.security.authority import Authority
from app.web.admins import chosen_instansi

Kind = TypeVar("Kind", bound=Labelled)
FIELDS = ("cari", "instansi", "unit", "umur", "jenis", "tangan", "lampiran", "peringatan")
_LONGEST = 100
_MOST_WORDS = 5
_MOST_INSTANSI = 10
_TICKET = re.compile(r"\s*(pe[\s-]*)?[b-df-hj-np-tv-xz]{4}[\s-]*[b-df-hj-np-tv-xz]{4}\s*", re.IGNORECASE)


@dataclass(frozen=True)
class AskedOfQueue:
    """The filled fields of the address, and what they mean. `unclear` is the field that means nothing, or too
    much; then the list is empty. `meant` are the instansi of which one may be meant."""

    fields: dict[str, str]
    wanted: QueueFilter
    unclear: str | None = None
    meant: Sequence[Instansi] = ()

    @property
    def narrower(self) -> set[str]:
        """The fields that ask for more than one instansi, or one person."""
        return self.fields.keys() - {"instansi", "cari"}


def filter_fields() -> dict[str, Any]:  # as `url_for` takes them
    """The fields of the filter that are filled in this address, each once."""
    typed = ((name, one_line(request.args.get(name, ""))[:_LONGEST]) for name in FIELDS)
    return {name: value for name, value in typed if value}


def is_ticket(typed: str) -> bool:
    """Whether this reads like the number of a ticket, which has eight letters and no vowel."""
    return _TICKET.fullmatch(typed) is not None


def read_queue_filter(session: Session, authority: Authority) -> AskedOfQueue:
    fields = filter_fields()
    meant = _instansi(session, authority, fields.get("instansi", ""))
    nip, words = _nip_or_words(fields.get("cari", ""))
    wanted = QueueFilter(
        instansi_id=meant[0].id if len(meant) == 1 else None,
        work_unit=fields.get("unit", ""),
        age=_one_of(Age, fields.get("umur")),
        field=_one_of(CorrectionField, fields.get("jenis")),
        hand=_one_of(Hand, fields.get("tangan")),
        has_attachment="lampiran" in fields,
        has_heavy_warning="peringatan" in fields,
        nip=nip,
        words=words,
    )
    if "instansi" in fields and len(meant) != 1:
        return AskedOfQueue(fields, wanted, "instansi", meant)
    if "cari" in fields and not nip and not words:
        return AskedOfQueue(fields, wanted, "cari")
    return AskedOfQueue(fields, wanted)


def _instansi(session: Session, authority: Authority, typed: str) -> Sequence[Instansi]:
    """The one with this code. Pusat may also type words of its name, which may be those of several."""
    if not authority.is_pusat:
        one = chosen_instansi(session, authority, typed)
    else:
        one = Instansi.with_code(session, typed) if typed else None
    if one is not None or not typed:
        return [one] if one else []
    words = typed.casefold().split()
    found = (one for one in Instansi.all(session) if all(word in one.name.casefold() for word in words))
    return [one for one, _ in zip(found, range(_MOST_INSTANSI), strict=False)]


def _nip_or_words(typed: str) -> tuple[Nip | None, tuple[str, ...]]:
    match read_nip(typed):
        case Nip() as nip:
            return nip, ()
        case _ if any(letter.isdigit() for letter in typed):
            return None, ()
        case _:
            return None, tuple(asked_for(typed)[:_MOST_WORDS])


def _one_of(kind: type[Kind], typed: str | None) -> Kind | None:
    return kind(typed) if typed in {member.value for member in kind} else None
