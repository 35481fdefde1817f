"""nginx before the nodes. It runs with the files of deploy/nginx; only places and names are others."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.cluster.keeper import NoProgram

SHIPPED = Path(__file__).resolve().parent.parent / "nginx"
HOST = "localhost"  # every browser on this machine can open it


def find_nginx() -> str:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise NoProgram("no nginx: install Debian's nginx-light")
    return program


def command(folder: Path) -> tuple[str, ...]:
    own = folder / "nginx"
    return (
        find_nginx(),
        "-p",
        str(own),
        "-c",
        str(own / "nginx.conf"),
        "-e",
        str(own / "error.log"),
        "-g",
        "daemon off;",
    )


def prepare(folder: Path, port: int, plain_port: int, nodes: Sequence[int]) -> Path:
    """Write what nginx needs into a folder of its own. Returns the certificate, which signs itself."""
    own = folder / "nginx"
    for name in ("log", "lib"):
        (own / name).mkdir(parents=True)
    shutil.copytree(SHIPPED / "pages", own / "pages")
    certificate = _certificate(own)
    places = {
        "/etc/nginx/conf.d/mysapk.conf": str(own / "mysapk.conf"),
        "/etc/nginx/mysapk": str(own),
        "/etc/mysapk/tls/fullchain.pem": str(certificate),
        "/etc/mysapk/tls/privkey.pem": str(certificate.with_suffix(".key")),
        "/var/log/nginx": str(own / "log"),
        "/var/lib/nginx": str(own / "lib"),
        "/run/nginx.pid": str(own / "pid"),
        "user www-data;": f"user {pwd.getpwuid(os.geteuid()).pw_name};",
    }
    names = {
        "https://mysapk.example.go.id": f"https://{HOST}:{port}",
        "mysapk.example.go.id": HOST,
        # Not every machine has IPv6
        "    listen [::]:80 default_server;\n": "",
        "    listen [::]:443 ssl http2 default_server;\n": "",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "127.0.0.1:5001": f"127.0.0.1:{nodes[0]}",
        "127.0.0.1:5002": f"127.0.0.1:{nodes[1]}",
    }
    shipped = {name: (SHIPPED / name).read_text() for name in ("nginx.conf", "mysapk.conf", "nodes.conf")}
    for old, new in {**places, **names}.items():
        if not any(old in text for text in shipped.values()):
            raise ValueError(f"deploy/nginx no longer has {old!r}")
        shipped = {name: text.replace(old, new) for name, text in shipped.items()}
    for name, text in shipped.items():
        (own / name).write_text(text)
    return certificate


def _certificate(folder: Path) -> Path:
    certificate = folder / "certificate.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    made = ["-keyout", str(certificate.with_suffix(".key")), "-out", str(certificate)]
    name = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "30"]
    subprocess.run(["openssl", "req", "-x509", *key, *made, *name], check=True, capture_output=True)
    return certificate
