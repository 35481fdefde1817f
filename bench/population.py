"""Millions of invented people with what a year leaves behind, written into the database of a demo.

Set statements write them, a part at a time, so that they cost little. Everything depends on the number of a
person alone, so two runs make the same people. The first instansi of the demo gets every twentieth person;
the others are spread over INSTANSI more.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

from sqlalchemy import Connection, Engine, TextClause, bindparam, create_engine, text

from app.domain.indonesian_time import now
from app.domain.spoken_name import beginnings_of
from app.models.base import UtcDateTime

INSTANSI = 600
UNITS = 30  # of each instansi
_AT_ONCE = 50_000
_FIRST_ID = 1_000_000
_FIRST_CODE = 10_000
_A_BIRTHDAY = 800  # people
_HASH = "$argon2id$v=19$m=19456,t=2,p=1$" + "c2FsdHNhbHRzYWx0c2FsdA$" + 43 * "A"
_FIRST = (
    "Siti", "Sri", "Muhammad", "Agus", "Dewi", "Eko", "Nur", "Budi", "Rina", "Andi", "Yuni", "Hendra",
    "Ratna", "Wahyu", "Indah", "Joko",
)  # fmt: skip
_MIDDLE = (
    "", "Kurnia", "Wulan", "Tri", "Dwi", "Putra", "Puspa", "Adi", "Ayu", "Bayu", "Citra", "Fajar", "Gita",
    "Hadi", "Intan", "Jaya",
)  # fmt: skip
_LAST = (
    "Saputra", "Lestari", "Wibowo", "Anggraini", "Setiawan", "Puspita", "Hidayat", "Rahayu", "Nugroho",
    "Wahyuni", "Santoso", "Utami", "Purnomo", "Handayani", "Siregar", "Simatupang", "Ginting", "Lubis",
    "Nasution", "Pane",
)  # fmt: skip
NAMES = [" ".join(filter(None, parts)) for parts in product(_FIRST, _MIDDLE, _LAST)]

# A number i is that of a person; those of a part lie between :first and :last. Their service begins a year
# later than that of the people of people.py, so no NIP is the same.
_PEOPLE = """
INSERT INTO user_account (
    id, nip, name, email, email_key, category, instansi_id, work_unit, activation, activation_changed_at,
    password_hash, has_old_words, password_changed_at, credential_version, last_login_at, stuck_since,
    mail_failed_at
)
SELECT :first_id + i,
    CAST(1965 + d % 35 AS text) || substr(CAST(101 + d / 35 % 12 AS text), 2)
        || substr(CAST(101 + d / 420 % 28 AS text), 2)
        || CAST(1991 + d % 35 AS text) || substr(CAST(101 + d / 35 % 12 AS text), 2)
        || CAST(1 + d / 11760 AS text) || substr(CAST(1100 + i % :birthday AS text), 2),
    name, 'q' || CAST(i AS text) || '@contoh.example', 'q' || CAST(i AS text) || '@contoh.example',
    CASE WHEN i % 100 < 3 THEN 'CPNS' WHEN i % 100 < 20 THEN 'PPPK' ELSE 'PNS' END,
    CASE WHEN i % 20 = 0 THEN :demo ELSE :first_instansi + i / 7 % :instansi END,
    'Unit ' || CAST(i / 20 % :units AS text),
    CASE WHEN i % 100 < 3 THEN 'waiting_approval' WHEN i % 100 = 99 THEN 'deactivated'
        WHEN i % 100 < 40 THEN 'not_activated' ELSE 'active' END,
    :year_ago, CASE WHEN i % 100 BETWEEN 40 AND 98 THEN :hash END, false,
    CASE WHEN i % 100 BETWEEN 40 AND 98 THEN :year_ago END, 1,
    CASE WHEN i % 100 BETWEEN 40 AND 98 THEN :week_ago END,
    CASE WHEN i % 100 BETWEEN 10 AND 12 THEN :week_ago END,
    CASE WHEN i % 1000 = 20 THEN :week_ago END
FROM (SELECT i, i / :birthday AS d FROM {numbers}) AS numbered
JOIN bench_name ON bench_name.number = i % :names
"""
_OF_THIS_PART = "u.id BETWEEN :first_id + :first AND :first_id + :last"
_WORDS = f"""
INSERT INTO name_word (instansi_id, word, user_id)
SELECT u.instansi_id, bench_word.word, u.id FROM user_account AS u
JOIN bench_word ON bench_word.number = (u.id - :first_id) % :names
WHERE {_OF_THIS_PART}
"""
_REQUESTS = f"""
INSERT INTO reset_request (
    id, reference, key, submission, nip, typed_email, user_id, credential_version, asked_at, mailed_at,
    expires_at, used_at, client_address
)
SELECT u.id, 'R' || CAST(u.id AS text), {{key}}, 'S' || CAST(u.id AS text), u.nip, u.email, u.id, 1,
    :week_ago, :week_ago, :week_ago, :week_ago, '192.0.2.0'
FROM user_account AS u WHERE {_OF_THIS_PART} AND u.last_login_at IS NOT NULL
"""
_MAILS = f"""
INSERT INTO outbox_mail (
    id, letter, to_address, message_id, user_id, reset_request_id, about, client_address, state, posted_at,
    due_at, urgency, domain, is_parked, attempts, breaks, begun_at, settled_at, server_answer
)
SELECT 2 * u.id + k, letter, u.email, '<' || CAST(2 * u.id + k AS text) || '@bench.example>', u.id,
    CASE k WHEN 0 THEN u.id END, '{{{{}}}}', '192.0.2.0', 'dikirim', :week_ago, :week_ago, 1,
    'contoh.example', false, 1, 0, :week_ago, :week_ago, '250 ok'
FROM user_account AS u
JOIN (SELECT 0 AS k, 'token' AS letter UNION ALL SELECT 1, 'password_changed') AS letters ON true
WHERE {_OF_THIS_PART} AND u.last_login_at IS NOT NULL
"""
_SESSIONS = f"""
INSERT INTO login_session (
    id_hash, user_id, credential_version, started_at, seen_at, proven_at, ends_at, opens_desk,
    client_address, user_agent, form
)
SELECT 'bench-' || CAST(u.id AS text), u.id, 1, :now, :now, :now, :tomorrow, false, '192.0.2.0',
    'Mozilla/5.0 (contoh)', 'F' || CAST(u.id AS text)
FROM user_account AS u WHERE {_OF_THIS_PART} AND u.id % 50 = 0
"""
_BUCKETS = f"""
INSERT INTO throttle_bucket (key, count, started_at, last_at, last_try)
SELECT 'bench-' || CAST(u.id AS text), 1, :now, :now, 'x'
FROM user_account AS u WHERE {_OF_THIS_PART} AND u.id % 20 = 0
"""
_CORRECTIONS = f"""
INSERT INTO email_correction (
    reference, ticket, nip, new_email, new_email_key, new_mailbox, user_id, instansi_id, state, asked_at,
    submitted_at, decided_at, decision, file_not_kept, name, work_unit, reason, phone, client_address
)
SELECT 'C' || CAST(u.id AS text), 'T' || CAST(u.id AS text), u.nip, 'n' || u.email, 'n' || u.email,
    'n' || u.email, u.id, u.instansi_id, CASE u.id % 5000 WHEN 0 THEN 'baru' ELSE 'disetujui' END, :week_ago,
    :week_ago, CASE u.id % 5000 WHEN 0 THEN NULL ELSE :week_ago END, 'Sesuai', false, u.name, u.work_unit,
    '', '', '192.0.2.0'
FROM user_account AS u WHERE {_OF_THIS_PART} AND u.id % 200 = 0
"""
_EVENTS = f"""
INSERT INTO audit_event (
    id, at, tag, actor_id, account_id, client_address, user_agent, request_id, detail, instansi_id
)
SELECT 2 * u.id + k, :lately, tag, u.id, u.id, '192.0.2.0', 'Mozilla/5.0 (contoh)', 'bench', '{{{{}}}}',
    u.instansi_id
FROM user_account AS u JOIN (SELECT 0 AS k, 'token_asked' AS tag UNION ALL SELECT 1, 'login') AS tags ON true
WHERE {_OF_THIS_PART} AND u.last_login_at IS NOT NULL
"""
_PARTS = (_PEOPLE, _WORDS, _REQUESTS, _MAILS, _SESSIONS, _BUCKETS, _CORRECTIONS, _EVENTS)


def add(database_url: str, people: int) -> None:
    """Add so many people to a database in which the demo is loaded."""
    made = create_engine(database_url)
    for statement in _BEFORE.get(made.dialect.name, ()):
        with made.begin() as connection:
            connection.exec_driver_sql(statement)
    with made.begin() as connection:
        _add_names(connection)
        fixed = _add_instansi(connection)
    for first in range(0, people, _AT_ONCE):
        # Not all at one moment: the order of the trail is that of its moments
        lately = now() - timedelta(minutes=30) + timedelta(seconds=first // _AT_ONCE)
        part = {**fixed, "lately": lately, "first": first, "last": min(first + _AT_ONCE, people) - 1}
        with made.begin() as connection:
            for statement in _statements(made):
                connection.execute(_bound(statement, part))
    _settle(made)


def _bound(statement: str, values: dict[str, object]) -> TextClause:
    asked = text(statement)
    return asked.bindparams(
        *(
            bindparam(name, values[name], UtcDateTime() if isinstance(values[name], datetime) else None)
            for name in asked.compile().params
        )
    )


_BEFORE = {"sqlite": ("PRAGMA journal_mode = WAL",)}


def _statements(made: Engine) -> Iterator[str]:
    if made.dialect.name == "postgresql":
        numbers, key = (
            "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS i",
            "decode(md5(u.nip), 'hex')",
        )
    else:
        steps = "SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last"
        numbers, key = f"(WITH RECURSIVE n(i) AS ({steps}) SELECT i FROM n)", "randomblob(32)"
    yield from (part.format(numbers=numbers, key=key) for part in _PARTS)


def _add_names(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE bench_name (number integer PRIMARY KEY, name text)")
    connection.exec_driver_sql(
        "CREATE TABLE bench_word (number integer, word text, PRIMARY KEY (number, word))"
    )
    for number, name in enumerate(NAMES):
        connection.execute(text("INSERT INTO bench_name VALUES (:n, :name)"), {"n": number, "name": name})
        for word in beginnings_of(name):
            connection.execute(text("INSERT INTO bench_word VALUES (:n, :word)"), {"n": number, "word": word})


def _add_instansi(connection: Connection) -> dict[str, object]:
    demo = connection.execute(text("SELECT id FROM instansi WHERE code = '7301'")).scalar_one()
    first = connection.execute(text("SELECT max(id) + 1 FROM instansi")).scalar_one()
    for number in range(INSTANSI):
        connection.execute(
            text(
                "INSERT INTO instansi (id, code, name, helpdesk_contact) "
                "VALUES (:id, :code, :name, 'loket 1')"
            ),
            {"id": first + number, "code": str(_FIRST_CODE + number), "name": f"Instansi Contoh {number}"},
        )
    moment = now()
    return {
        "first_id": _FIRST_ID, "birthday": _A_BIRTHDAY, "names": len(NAMES), "hash": _HASH, "units": UNITS,
        "instansi": INSTANSI, "first_instansi": first, "demo": demo, "now": moment,
        "year_ago": moment - timedelta(days=300),
        "week_ago": moment - timedelta(days=7), "tomorrow": moment + timedelta(hours=10),
    }  # fmt: skip


def _settle(made: Engine) -> None:
    """Statistics, and the sequences of PostgreSQL behind the rows that brought their ids."""
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if made.dialect.name == "postgresql":
            for table in ("instansi", "user_account", "reset_request", "outbox_mail", "audit_event"):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
            connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("DROP TABLE bench_word")
        connection.exec_driver_sql("DROP TABLE bench_name")
