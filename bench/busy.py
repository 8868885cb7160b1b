#!/usr/bin/env python3
"""The service under strain: webhooks while stacks are being deployed, a slow disk, a full history, ten thousand clients."""

import argparse
import os
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from accept import make_windlass  # noqa: E402
from harness import (BED_DIR, Windlass, bed, compose, http, http_get, idle_service, preload, push_archive,  # noqa: E402
                     remove_project, run, unique, write_tree)

STACKS = 4
WAITING, PAST = 1_000, 100_000
CONNECTIONS = 10_000


def accept_while_deploying(folder, seconds):
    """p99 of webhooks for another source while four stacks are deployed again and again."""
    side = make_windlass(folder)
    side.start()
    windlass = Windlass()
    windlass.port = side.port
    names, stop, deployed = [unique("busy") for _ in range(STACKS)], threading.Event(), []

    def keep_deploying(name):
        repository, manifests = f"{bed()['REGISTRY']}/bench/{name}", []
        for version in ("1", "2"):
            place = os.path.join(folder, name, version)
            write_tree(place, {".doco-cd.yaml": f"name: {name}\n", "conf/version": version, "compose.yaml": compose(
                {"app": idle_service(environment={"V": version}, volumes=["./conf:/conf:ro"])})})
            digest = push_archive(place, f"{repository}:{version}")
            manifests.append((digest, run("oras", "manifest", "fetch", "--plain-http", f"{repository}@{digest}")))
        while not stop.is_set():
            for digest, manifest in manifests:  # the tag moves to and fro: each time there is something to deploy
                http("PUT", f"http://{bed()['REGISTRY']}/v2/bench/{name}/manifests/main", manifest.encode(),
                     {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
                answer = windlass.send(f"{repository}:main", digest, wait=True)
                deployed.append(answer.body["content"])

    threads = [threading.Thread(target=keep_deploying, args=(name,)) for name in names]
    try:
        for thread in threads:
            thread.start()
        while len(deployed) < STACKS:
            time.sleep(0.1)
        before = len(deployed)
        rate, p99 = side.load(16, seconds)
        count = len(deployed) - before
        odd = {text for text in deployed if not text.startswith("job completed successfully")}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        side.stop()
        windlass.close()
        for name in names:
            remove_project(name)
    print(f"accept while {STACKS} stacks are deployed ({count} deployments in {seconds} s): {rate:.0f}/s, p99 {p99:.1f} ms"
          f" (goal 20 ms){'; ' + str(odd) if odd else ''}")


def accept_with_slow_flushes(folder, seconds):
    library = preload("slow_flush", folder)
    for connections in (16, 64):
        place = os.path.join(folder, f"slow-{connections}")
        side = make_windlass(place)
        side.environment["LD_PRELOAD"] = library
        side.start()
        rate, p99 = side.load(connections, seconds)
        side.stop()
        bound = connections / (2 * 0.010)
        print(f"flushes 10 ms slower, {connections} connections: {rate:.0f}/s, p99 {p99:.1f} ms; {rate / bound:.2f} of"
              f" C/(2 x 10 ms) = {bound:.0f}/s (goal 0.7)")


def start_with_history(folder):
    """Milliseconds to the first answer of a service with a thousand jobs to do and a hundred thousand done ones."""
    side = make_windlass(os.path.join(folder, "history"))
    side.start()
    side.check()
    side.process.kill()
    side.process.wait()
    state = os.path.join(folder, "history", "data", ".windlass", "state.db")
    with sqlite3.connect(state) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(runs)")]
        template = dict(zip(columns, db.execute("SELECT * FROM runs ORDER BY row DESC LIMIT 1").fetchone()))

        def rows(first, count, **fields):
            for number in range(first, first + count):
                row = {**template, "row": number, "job_id": f"job-{number}", **fields}
                yield [f"bench-{number}" if column == "ref" and not fields["status"] else row[column]
                       for column in columns]

        marks = ",".join("?" * len(columns))
        db.execute("DELETE FROM runs")
        now = int(time.time() * 1e6)
        db.executemany(f"INSERT INTO runs VALUES ({marks})",
                       rows(1, PAST, status=3, message="failed to resolve oci artifact digest: connection refused",
                            finished_unix_us=now, created_unix_us=now, updated_unix_us=now, retry=0, retry_due_unix_us=None))
        db.executemany(f"INSERT INTO runs VALUES ({marks})", rows(PAST + 1, WAITING, status=0, finished_unix_us=None))
    db.close()
    times = []
    for _ in range(3):
        copy = os.path.join(folder, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(os.path.join(folder, "history", "data"), copy)
        side.environment["DATA_MOUNT_PATH"] = copy
        times.append(side.start())
        rss = side.rss_mb()
        side.process.kill()
        side.process.wait()
    size = os.path.getsize(os.path.join(copy, ".windlass", "state.db")) / 1e6
    print(f"start with {WAITING:,} waiting and {PAST:,} past runs ({size:.0f} MB): first answer after"
          f" {sorted(times)[1]:.0f} ms (goal 500 ms), {rss:.1f} MB resident")


def many_connections(folder):
    """Resident memory with ten thousand clients that have sent half a header; a good webhook is still answered."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CONNECTIONS + 1000), hard))
    side = make_windlass(os.path.join(folder, "many"))
    side.start()
    clients, begin = [], time.perf_counter()
    half = b"POST /v1/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nX-Half: "
    for _ in range(CONNECTIONS):
        client = socket.create_connection(("127.0.0.1", side.port))
        client.sendall(half)
        clients.append(client)
    opened = time.perf_counter() - begin
    rss, begin = side.rss_mb(), time.perf_counter()
    status = http_get(f"http://127.0.0.1:{side.port}/v1/health", timeout=5)[0]
    answered = (time.perf_counter() - begin) * 1000
    for client in clients:
        client.close()
    side.stop()
    print(f"{CONNECTIONS:,} connections with half a request each (opened in {opened:.1f} s): {rss:.1f} MB resident (goal"
          f" 64 MB), health {status} after {answered:.0f} ms")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=10)
    options = options.parse_args()
    with tempfile.TemporaryDirectory(dir=BED_DIR) as folder:
        accept_while_deploying(folder, options.seconds)
        accept_with_slow_flushes(folder, options.seconds)
        start_with_history(folder)
        many_connections(folder)


if __name__ == "__main__":
    main()
