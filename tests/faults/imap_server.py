"""A small real IMAP server on this machine, with one mailbox and one folder, which can misbehave."""

import re
import socketserver
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

USER, PASSWORD = "bounce@mail.example", 'a "word" of \\ tests'


@dataclass
class Kept:
    content: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """`with ImapServer() as server:`; `folder` holds its messages by number. `mood` may be `hangs`, `hangs
    up` or `refuses`."""

    def __init__(self, *, has_uidplus: bool = True) -> None:
        self.folder: dict[int, Kept] = {}
        self.commands: list[str] = []
        self.mood = ""
        self.has_uidplus = has_uidplus
        self._ending = threading.Event()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    @property
    def settings(self) -> dict[str, str]:
        return {
            "MAIL_RETURN_PATH": "bounce@mail.example",
            "BOUNCE_IMAP_URL": f"imap://{USER.replace('@', '%40')}@127.0.0.1:{self.port}/Pantulan%20surat",
            "BOUNCE_IMAP_PASSWORD": PASSWORD,
        }

    def arrives(self, message: str) -> int:
        number = max(self.folder, default=10) + 1
        self.folder[number] = Kept(message.replace("\n", "\r\n").encode())
        return number

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        server = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("* OK ready")
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    tag, _, command = line.partition(" ")
                    server.commands.append(command.replace(PASSWORD, "***"))
                    if server.mood == "hangs":
                        server._ending.wait(30)
                        return
                    if server.mood == "hangs up":
                        return
                    if not self.answer(tag, command):
                        return

            def say(self, text: str) -> None:
                self.wfile.write(text.encode() + b"\r\n")

            def answer(self, tag: str, command: str) -> bool:
                name = " ".join(command.split()[: 2 if command.startswith("UID") else 1])
                number = int(found[1]) if (found := re.match(r"UID \w+ (\d+)", command)) else 0
                kept = server.folder.get(number)
                match name:
                    case "CAPABILITY":
                        self.say(f"* CAPABILITY IMAP4rev1{' UIDPLUS' if server.has_uidplus else ''}")
                    case "LOGIN":
                        escaped = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
                        if server.mood == "refuses" or command != f'LOGIN "{USER}" "{escaped}"':
                            self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")
                            return True
                    case "SELECT":
                        if command != 'SELECT "Pantulan surat"':
                            self.say(f"{tag} NO no such folder")
                            return True
                        self.say(f"* {len(server.folder)} EXISTS")
                    case "UID SEARCH":
                        is_new = [str(uid) for uid, one in server.folder.items() if not one.flags]
                        self.say(f"* SEARCH {' '.join(is_new)}".rstrip())
                    case "UID FETCH" if kept:
                        self.say(f"* 1 FETCH (UID {number} BODY[]<0> {{{len(kept.content)}}}")
                        self.wfile.write(kept.content)
                        self.say(")")
                    case "UID STORE" if kept:
                        kept.flags |= set(re.findall(r"\\\w+", command))
                    case "UID EXPUNGE" if kept and r"\Deleted" in kept.flags:
                        del server.folder[number]
                    case "LOGOUT":
                        self.say("* BYE")
                self.say(f"{tag} OK done")
                return name != "LOGOUT"

        return Talk
