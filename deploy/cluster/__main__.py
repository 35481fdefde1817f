"""`deploy/try-cluster`: a cluster to look at, until Ctrl-C."""

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from app.cli.demo import CAST, PASSWORD
from deploy.cluster.cluster import Cluster
from deploy.cluster.keeper import NoProgram


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/try-cluster", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, help="a new folder in which logs and letters stay; otherwise they go"
    )
    folder: Path | None = parser.parse_args().folder
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: end.set())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mysapk-") as passing,
            Cluster(folder or Path(passing)) as cluster,
        ):
            print(_what_to_try(cluster), flush=True)
            end.wait()
            print("Mengakhiri semuanya ...", flush=True)
    except NoProgram as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


def _what_to_try(cluster: Cluster) -> str:
    people = "\n".join(f"  {one.nip}  {one.name} ({one.note})" for one in CAST if one.has_password)
    parts = "\n".join(f"  {cluster.pid(name):>8}  {name}" for name in cluster.names)
    metrics = ", ".join(f"http://127.0.0.1:{port}/metrics" for port in cluster.metrics_ports.values())
    return f"""
Portal dengan dua node web berjalan di {cluster.address}
(sertifikatnya buatan sendiri, jadi browser memperingatkan: {cluster.certificate})

Akun contoh, password {PASSWORD}:
{people}

Surat yang dikirim: {cluster.folder}/letters/all/*.eml
Log: {cluster.folder}/log/, {cluster.folder}/nginx/log/
Angka untuk Prometheus: {metrics}
(token: {cluster.folder}/secrets/metrics_token)

Bagian dan nomor prosesnya. Coba matikan satu dengan kill -9: ia menyala lagi, dan portal tetap melayani.
{parts}

Ctrl-C mengakhiri semuanya.
"""


if __name__ == "__main__":
    sys.exit(main())
