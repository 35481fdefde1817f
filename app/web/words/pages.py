"""The names of the pages to which people return after the login. A page without a name here is none to return
to."""

NAMES_OF_PAGES = {
    "home.beranda": "Beranda",
    "account.page": "Akun",
    "email_stop.ask_in_session": "Hentikan perubahan akun",
    # A section of the desk names all of its pages
    "admin.overview": "Ringkasan admin",
    "admin.corrections": "Perbaikan email",
    "admin.corrections_bulk": "Perbaikan email",
    "admin.correction_acts": "Perbaikan email",
    "admin.correction_file": "Perbaikan email",
    "admin.changes": "Perbaikan email",
    "admin.cpns": "CPNS",
    "admin.people": "Pegawai",
    "admin.person": "Pegawai",
    "admin.at_once": "Tindakan sekaligus",
    "admin.lists": "Tindakan sekaligus",
    "admin.email": "Pegawai",
    "admin.imports": "Impor",
    "admin.mandates": "Mandat",
    "admin.instansi": "Instansi",
    "admin.campaign_days": "Hari kampanye",
    "admin.trail": "Jejak audit",
}
