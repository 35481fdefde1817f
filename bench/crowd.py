"""A crowd of people who activate their accounts through nginx, each of them once. When a request fails, they
try again, as people do. Every answer is noted."""

import http.client
import random
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.browser import Answer, Browser
from bench.people import NEW_PASSWORD, email_of, nip_of, write_instansi, write_staff
from deploy.cluster.cluster import Cluster

OTHER_PASSWORD = "Kuda-Nil-88"
# An office of so many people, with one address
SETTINGS = {"ASKS_PER_ADDRESS_PER_HOUR": "100000"}
SECONDS_TO_INSIST = 60.0
SECONDS_BETWEEN_TRIES = 0.5
MOST_ASKS = 3  # of one person: after that, the limit on the mails in a mailbox would keep some back
# Of two answers to one token, the second is a wrong try, and one line has a hundred of them in ten minutes
MOST_TWICE, ONE_IN = 50, 5
_NO_ANSWER = 0


@dataclass(frozen=True)
class Noted:
    """One request, and the status of its answer; 0 if there was none."""

    began: float
    ended: float
    request: str
    status: int
    why: str = ""

    @property
    def has_failed(self) -> bool:
        return self.status == _NO_ANSWER or self.status >= 500


@dataclass
class Story:
    """What happened to one person, as far as they know."""

    person: int
    began: float
    ended: float = 0.0
    asks_accepted: int = 0
    tokens_taken: int = 0
    resets_accepted: int = 0
    is_home: bool = False
    faults: list[str] = field(default_factory=list)


class Crowd:
    """`with Crowd(...) as crowd:` so many people at a time, until the block ends. Those who are on their way
    then come to their end."""

    def __init__(self, cluster: Cluster, first: int, *, at_a_time: int, pause: float, seed: int) -> None:
        """`first` is the number of the first person; `pause` the seconds between two steps of a person."""
        self.answers: list[Noted] = []
        self.stories: list[Story] = []
        self._cluster, self._next = cluster, first
        self._at_a_time, self._pause = at_a_time, pause
        self._random = random.Random(seed)
        self._twice_left = MOST_TWICE
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._trusted = trust(cluster)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._go_on) for _ in range(self._at_a_time)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    @property
    def failed(self) -> list[Noted]:
        return [one for one in self.answers if one.has_failed]

    @property
    def faults(self) -> list[str]:
        return [f"person {story.person}: {fault}" for story in self.stories for fault in story.faults]

    def wait_for_one_who_came_after(self, moment: float) -> None:
        """Until somebody who came then has come to their end."""
        last_moment = time.monotonic() + SECONDS_TO_INSIST
        while not any(story.began >= moment for story in list(self.stories)):
            if time.monotonic() > last_moment:
                raise TimeoutError("nobody who came has come to their end")
            time.sleep(0.1)

    def _go_on(self) -> None:
        while not self._is_over.is_set():
            with self._lock:
                person, is_twice = self._next, self._twice_left > 0 and self._random.randrange(ONE_IN) == 0
                self._next += 1
                self._twice_left -= is_twice
            story = Story(person, time.monotonic())
            try:
                with closing(_NotingBrowser(self._cluster.port, self._trusted, self.answers)) as browser:
                    self._activate(story, browser, is_twice=is_twice)
            except Exception as accident:
                story.faults.append(f"{type(accident).__name__}: {accident}")
            story.ended = time.monotonic()
            self.stories.append(story)

    # -- one person
    def _activate(self, story: Story, browser: "_NotingBrowser", *, is_twice: bool) -> None:
        nip, email = nip_of(story.person), email_of(story.person)
        if not self._ask(browser, story, nip, email):
            story.faults.append("could not ask for a token")
            return
        token = self._cluster.sink.token_for(email)
        story.tokens_taken += 1
        self._rest()
        passwords = self._reset(browser, story, token, is_twice=is_twice)
        self._rest()
        if not self._log_in(browser, nip, passwords):
            story.faults.append(f"cannot log in with any of {len(passwords)} passwords")
            return
        home = self._insist(lambda: browser.open("/beranda"))
        story.is_home = home.status == 200 and f"Orang Contoh {story.person}" in home.text
        if not story.is_home:
            story.faults.append(f"/beranda answers {home.status}")

    def _ask(self, browser: "_NotingBrowser", story: Story, nip: str, email: str) -> bool:
        for _ in range(MOST_ASKS):
            form = self._insist(lambda: browser.open("/lupa-password"))
            self._rest()
            answer = browser.send("/lupa-password", nip=nip, email=email)
            if answer.status == 303:
                story.asks_accepted += 1
                return self._insist(lambda: browser.open("/konfirmasi-reset-password")).status == 200
            if not _has_failed(answer):
                story.faults.append(f"/lupa-password answers {answer.status} after {form.status}")
                return False
            time.sleep(2 * SECONDS_BETWEEN_TRIES)
        return False

    def _reset(self, browser: "_NotingBrowser", story: Story, token: str, *, is_twice: bool) -> list[str]:
        """Returns the passwords of which one must be right now."""
        passwords = [NEW_PASSWORD, OTHER_PASSWORD] if is_twice else [NEW_PASSWORD]
        is_uncertain, last_moment = False, time.monotonic() + SECONDS_TO_INSIST
        while time.monotonic() < last_moment:
            with closing(browser.twin()) as twin, ThreadPoolExecutor(len(passwords)) as pool:
                answers = list(pool.map(lambda one, new: one.reset(token, new), (browser, twin), passwords))
            won = [new for new, answer in zip(passwords, answers, strict=True) if answer.status == 303]
            story.resets_accepted += len(won)
            if len(won) > 1:
                story.faults.append("one token was used twice")
            if won:
                return won
            if any(_has_failed(answer) for answer in answers):
                is_uncertain = True
            elif is_uncertain:  # the first try has done it, and its answer was lost
                return passwords
            else:
                story.faults.append(f"the token is refused: {[answer.status for answer in answers]}")
                return passwords
            time.sleep(SECONDS_BETWEEN_TRIES)
            self._insist(lambda: browser.open("/konfirmasi-reset-password"))
        return passwords

    def _log_in(self, browser: "_NotingBrowser", nip: str, passwords: list[str]) -> bool:
        for password in passwords:
            last_moment = time.monotonic() + SECONDS_TO_INSIST
            while time.monotonic() < last_moment:
                self._insist(lambda: browser.open("/login"))
                answer = browser.send("/login", nip=nip, password=password)
                if answer.status == 303:
                    return True
                if not _has_failed(answer):
                    break
                time.sleep(SECONDS_BETWEEN_TRIES)
        return False

    def _insist(self, ask: Callable[[], Answer]) -> Answer:
        """Open a page again and again, until it is not a failure."""
        last_moment = time.monotonic() + SECONDS_TO_INSIST
        while _has_failed(answer := ask()) and time.monotonic() < last_moment:
            time.sleep(SECONDS_BETWEEN_TRIES)
        return answer

    def _rest(self) -> None:
        time.sleep(self._pause)


class _NotingBrowser(Browser):
    """Notes every answer, and takes a broken connection for one."""

    def __init__(self, port: int, trusted: ssl.SSLContext, noted: list[Noted]) -> None:
        super().__init__(port, trusted)
        self._port, self._trusted, self._noted = port, trusted, noted

    def twin(self) -> "_NotingBrowser":
        """Another window of the same browser, with the same form."""
        twin = _NotingBrowser(self._port, self._trusted, self._noted)
        twin._cookies, twin.csrf_token = dict(self._cookies), self.csrf_token
        return twin

    def reset(self, token: str, password: str) -> Answer:
        return self.send("/reset-password", token=token, password=password)

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        began, why = time.monotonic(), ""
        try:
            answer = super()._ask(method, path, body)
        except (OSError, http.client.HTTPException) as fault:
            self._connection.close()
            answer, why = Answer(_NO_ANSWER, ""), f"{type(fault).__name__}: {fault}"
        self._noted.append(Noted(began, time.monotonic(), f"{method} {path}", answer.status, why))
        return answer


def _has_failed(answer: Answer) -> bool:
    return answer.status == _NO_ANSWER or answer.status >= 500


def trust(cluster: Cluster) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(cluster.certificate))


def invite(cluster: Cluster, folder: Path, people: range) -> None:
    """Bring people onto record, none of whom has ever been here."""
    for command, file in (
        ("import-instansi", write_instansi(folder)),
        ("import-pegawai", write_staff(folder, people)),
    ):
        done = cluster.run(command, str(file))
        if done.returncode:
            raise RuntimeError(f"mysapk {command}: {done.stdout[-500:]}{done.stderr[-2000:]}")
