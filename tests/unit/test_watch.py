"""What a process knows of its PostgreSQL server is its own."""

from app.runtime import watched_postgres
from app.runtime.watched_postgres import Watch


def test_a_copy_of_the_process_asks_the_server_itself() -> None:
    watch = Watch()
    watch._is_away = True  # a thread asks whether it is back, and no thread goes along into a copy
    watch._asking.acquire()

    watched_postgres._begin_anew()

    assert not watch._is_away
    assert watch._asking.acquire(blocking=False)
