"""How fast the local Hub is: `python -m benchmarks.local_hub`, everything on this machine over loopback.

Upload and download of 100 MB are held against hashing the file and copying it to the same disk: the Hub does
that with an upload, the client with a download. The server's memory is watched meanwhile. Then 200 metadata
requests at once, and the start.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.memory import watch_peak
from finsent.cli import print_anywhere

ROOT = Path(__file__).resolve().parents[1]
MEGABYTES = 100
REPEATS = 5
TOKEN = "hf_benchmark"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
PIECE = 1 << 20


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def sync(path: Path) -> None:
    """Wait until the file is on the disk, as the Hub does."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def hash_and_copy(source: Path, target: Path) -> None:
    """What any store has to do at least: sha256 of the file and a copy on the disk."""
    digest = hashlib.sha256()
    with source.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    subprocess.run(["cp", str(source), str(target)], check=True)
    sync(target)


@contextmanager
def served(root: Path, port: int) -> Iterator[tuple[str, psutil.Process, float]]:
    """A Hub in a process of its own: its address, its process, the seconds to its first answer."""
    token_file = root.parent / "token"
    token_file.write_text(TOKEN, encoding="utf-8")
    command = [sys.executable, "-m", "local_hub", "serve", "--root", str(root), "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen([*command, "--token", f"ann:write:@{token_file}"], cwd=ROOT) as process:
        endpoint = f"http://127.0.0.1:{port}"
        try:
            while not _answers(endpoint):
                time.sleep(0.01)
            yield endpoint, psutil.Process(process.pid), time.perf_counter() - started
        finally:
            process.terminate()


def _answers(endpoint: str) -> bool:
    # urllib: httpx would spend longer on its TLS settings than the server on starting
    try:
        with urllib.request.urlopen(f"{endpoint}/api/models") as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


def pieces(path: Path) -> Iterator[bytes]:
    """The file in pieces of a mebibyte."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def upload(client: httpx.Client, source: Path, oid: str) -> None:
    """Ask where to send the file and send it; http.client, because httpx itself is slower than the server."""
    size = source.stat().st_size
    wanted = {"operation": "upload", "objects": [{"oid": oid, "size": size}]}
    answer = client.post("/ann/speed.git/info/lfs/objects/batch", json=wanted, headers=HEADERS).json()
    target = urlsplit(answer["objects"][0]["actions"]["upload"]["href"])
    connection = http.client.HTTPConnection(target.netloc, blocksize=PIECE)
    with source.open("rb") as file, closing(connection):
        connection.request("PUT", f"{target.path}?{target.query}", file, {"Content-Length": str(size)})
        status = connection.getresponse().status
    if status != 200:
        raise RuntimeError(f"the upload was answered with {status}")


def commit(client: httpx.Client, oid: str, size: int) -> None:
    """Make the uploaded object a file of main."""
    lines = (
        '{"key":"header","value":{"summary":"speed"}}\n'
        f'{{"key":"lfsFile","value":{{"path":"big.bin","algo":"sha256","oid":"{oid}","size":{size}}}}}\n'
    )
    client.post("/api/models/ann/speed/commit/main", content=lines, headers=HEADERS).raise_for_status()


def download(client: httpx.Client, target: Path) -> None:
    """Fetch the file through /resolve, hash it and write it to the disk, as a client does."""
    digest = hashlib.sha256()
    url = "/ann/speed/resolve/main/big.bin"
    with client.stream("GET", url, follow_redirects=True) as answer, target.open("wb") as file:
        for piece in answer.iter_bytes(PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def measure_transfers(client: httpx.Client, process: psutil.Process, folder: Path) -> None:
    """Print medians of hashing and copying, uploading and downloading, in turn, and the memory they took."""
    rows: dict[str, list[float]] = {"hash + cp": [], "upload": [], "download": []}
    before = process.memory_info().rss
    with watch_peak(lambda: process.memory_info().rss, 0.01) as peak:
        for repeat in range(REPEATS):
            source = folder / f"source-{repeat}"
            source.write_bytes(os.urandom(MEGABYTES * 1_000_000))
            sync(source)
            rows["hash + cp"].append(seconds(partial(hash_and_copy, source, folder / "copy")))
            oid = sha256_of(source)
            rows["upload"].append(seconds(partial(upload, client, source, oid)))
            commit(client, oid, source.stat().st_size)
            rows["download"].append(seconds(partial(download, client, folder / "back")))
            source.unlink()
    reference = statistics.median(rows["hash + cp"])
    for name, times in rows.items():
        middle = statistics.median(times)
        share = reference / middle
        spread = f"{min(times):.2f} to {max(times):.2f} s"
        print(
            f"{name:10} {MEGABYTES / middle:6.0f} MB/s  {middle:.2f} s ({spread})  {share:.2f} of hash + cp"
        )
    print(f"memory     {before / 1e6:.0f} MB before, {peak[0] / 1e6:.0f} MB at most")


def measure_metadata(endpoint: str) -> None:
    """Print how 200 requests at once, each on a connection of its own, are answered."""
    client = httpx.Client(base_url=endpoint, timeout=60, limits=httpx.Limits(max_connections=200))

    def ask(_: int) -> tuple[int, float]:
        started = time.perf_counter()
        answer = client.get("/api/models/ann/speed?blobs=true")
        return answer.status_code, time.perf_counter() - started

    with client, ThreadPoolExecutor(200) as crowd:
        answers = list(crowd.map(ask, range(200)))
    failed = sum(status != 200 for status, _ in answers)
    times = sorted(duration for _, duration in answers)
    print(f"metadata   200 at once: {failed} failed, median {times[100]:.2f} s, slowest {times[-1]:.2f} s")


def main() -> None:
    """Print every figure with what it was measured on."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8191
    model = platform.processor() or platform.machine()
    print(f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, n = {REPEATS}, medians")
    folder = Path(tempfile.mkdtemp(dir=ROOT / "runs" if (ROOT / "runs").exists() else None))
    try:
        with served(folder / "root", port) as (endpoint, process, start):
            print(f"start      first answer after {start:.2f} s")
            httpx.post(f"{endpoint}/api/repos/create", json={"name": "speed"}, headers=HEADERS)
            with httpx.Client(base_url=endpoint, timeout=120) as client:
                measure_transfers(client, process, folder)
            measure_metadata(endpoint)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    print_anywhere()
    main()
