"""Certificates for the mail server of a test: one that fits, one for another name, and one that no authority
has signed."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    authority: Path  # for SSL_CERT_FILE
    fitting: ssl.SSLContext  # for 127.0.0.1
    of_another_name: ssl.SSLContext
    self_signed: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    authority = _made(
        folder, "authority", ["-addext", "keyUsage=critical,keyCertSign"], "CN=Authority of one test"
    )
    signed = [
        "-CA",
        str(authority),
        "-CAkey",
        str(authority.with_suffix(".key")),
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]
    fits = "subjectAltName=IP:127.0.0.1"
    return Certificates(
        authority,
        _context(_made(folder, "fitting", [*signed, "-addext", fits])),
        _context(_made(folder, "another", [*signed, "-addext", "subjectAltName=DNS:mail.example"])),
        _context(_made(folder, "self_signed", ["-addext", fits])),
    )


def _made(folder: Path, name: str, options: list[str], subject: str = "CN=mail.test") -> Path:
    certificate = folder / f"{name}.pem"
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-noenc",
        "-keyout",
        str(certificate.with_suffix(".key")),
    ]
    command = [
        "openssl",
        "req",
        "-x509",
        *key,
        "-days",
        "2",
        "-subj",
        f"/{subject}",
        *options,
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context
