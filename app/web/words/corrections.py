"""Why a decision about a correction could not be carried out."""

from app.domain.corrections import MOST_NOTES, MOST_QUESTIONS, CorrectionState
from app.flows.correction.ask_back import EnoughQuestions, NameDoesNotMatch, QuestionIsOpen
from app.flows.correction.change_email import Outdated, SameAddress
from app.flows.correction.decide_correction import AlreadyDecided, InHandOfAnother, WaitsForPerson
from app.flows.correction.review_correction import (
    CheckImpossible,
)
from app.flows.correction.write_note import EnoughNotes
from app.flows.identity.change_identity import UnderWay
from app.flows.identity.put_on_record import AddressTaken, NipTaken
from app.flows.people.decide_record_correction import ChangedSince
from app.models.user import User
from app.web.admins import authority


def words_for(
    refusal: (
        AddressTaken
        | SameAddress
        | UnderWay
        | Outdated
        | AlreadyDecided
        | CheckImpossible
        | ChangedSince
        | NipTaken
        | InHandOfAnother
        | WaitsForPerson
        | EnoughNotes
        | QuestionIsOpen
        | EnoughQuestions
        | NameDoesNotMatch
    ),
) -> str:
    match refusal:
        case AddressTaken(User() as owner):
            return f"Alamat ini sudah dipakai oleh {owner.name}. Tolak, dan minta alamat lain."
        case AddressTaken():
            return "Alamat ini sudah dipakai akun lain. Tolak, dan minta alamat lain."
        case SameAddress():
            return "Alamat ini sudah tercatat sebagai email akun itu, jadi tidak ada yang perlu diganti."
        case ChangedSince():
            return (
                "Data pegawai ini sudah berubah sejak diminta, jadi permintaan ini tidak dapat disetujui "
                "lagi. Tolak, dan minta pegawai mengajukan lagi bila masih perlu."
            )
        case NipTaken():
            return (
                "NIP ini tidak dapat dipakai. Periksa lagi angkanya; bila sudah benar, hubungi admin pusat."
            )
        case UnderWay():
            return (
                "Untuk akun ini masih ada perubahan lain yang belum selesai. Selesaikan atau batalkan dahulu."
            )
        case Outdated():
            return (
                "Data akun ini berubah sejak halaman dibuka. Periksa lagi data di bawah, lalu putuskan "
                "sekali lagi."
            )
        case AlreadyDecided():
            return f"{_what_was_decided(refusal)} Jawaban Anda yang baru tidak mengubah apa-apa."
        case InHandOfAnother(taken):
            return (
                f"Permintaan ini baru saja diambil {authority().name_of(taken.taken_by)}, jadi tetap di "
                "tangannya. Ambil alih sekali lagi bila memang perlu."
            )
        case WaitsForPerson():
            return (
                "Permintaan ini menunggu jawaban pemohon, jadi tidak ditangani siapa pun sampai dijawab. "
                "Anda tetap dapat memutuskan sekarang."
            )
        case EnoughNotes():
            return f"Sudah ada {MOST_NOTES} catatan untuk permintaan ini, jadi yang baru tidak disimpan."
        case QuestionIsOpen():
            return "Pertanyaan sebelumnya belum dijawab pemohon. Tunggu jawabannya, atau putuskan sekarang."
        case EnoughQuestions():
            return (
                f"Pemohon sudah ditanya {MOST_QUESTIONS} kali. Hubungi lewat kontak di data kepegawaian, "
                "atau putuskan sekarang."
            )
        case NameDoesNotMatch():
            return (
                "Pemohon tidak menulis nama lengkap pada data, jadi ia tidak dapat ditanya lewat email: "
                "pertanyaan memberi tahu orang asing bahwa NIP ini ada pemiliknya. Hubungi lewat kontak di "
                "data kepegawaian, atau tolak."
            )
        case CheckImpossible(check):
            return (
                f'Cara "{check.label}" tidak dapat dipakai: tidak ada nomor telepon di data kepegawaian. '
                "Minta pegawai datang, atau minta surat atasannya."
            )


def _what_was_decided(answered: AlreadyDecided) -> str:
    correction, change = answered.correction, answered.change
    who = (
        "Anda" if answered.by and answered.by.id == authority().admin.id else authority().name_of(answered.by)
    )
    if correction.state is CorrectionState.REJECTED:
        return (
            f"Permintaan {correction.ticket} sudah ditolak oleh {who}, dengan alasan: {correction.decision}"
        )
    checked = (
        f" ({change.identity_check.label if change.identity_check else '-'}: {change.reason})"
        if change
        else ""
    )
    then = " dan menunggu admin kedua" if correction.state.is_open else ""
    return f"Permintaan {correction.ticket} sudah disetujui oleh {who}{checked}{then}."
