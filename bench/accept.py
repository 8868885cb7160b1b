#!/usr/bin/env python3
"""The webhook endpoint: windlass, which has a job on disk before it answers, against Debian's `webhook` package, which
keeps nothing. Same body, same HMAC-SHA256 rule, same wrk; sides alternate, medians are printed.

The peer runs twice. `runs /bin/true`: its rule passes and it starts a program for each request, as in real use.
`rule only`: after the HMAC a second rule fails, so that it answers without starting anything; that favours the peer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from harness import BINARY, SECRET, child_environment, free_port, http, payload, sign  # noqa: E402

QUIET_SECONDS_MAX = 60

# Nobody listens there: the jobs end early, and as they share a lane each waiting one replaces the one before it.
BODY = payload("127.0.0.1:1/bench/app:main", "sha256:" + "ab" * 32)
SIGNATURE = sign(BODY)


class Side:
    def __init__(self, name, path, command, environment):
        self.name, self.path, self.command, self.environment = name, path, command, environment

    def start(self):
        """Starts the server; milliseconds until its first answer."""
        begin = time.perf_counter()
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        while True:
            try:
                http("GET", self.url, timeout=5)
                return (time.perf_counter() - begin) * 1000
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.name} ended: {self.command}")
                time.sleep(0.0005)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024

    def check(self):
        status, text, _ = http("POST", self.url, BODY.encode(), {"X-Doco-OCI-Signature-256": f"sha256={SIGNATURE}"})
        bad, _, _ = http("POST", self.url, BODY.encode(), {"X-Doco-OCI-Signature-256": "sha256=" + "0" * 64})
        if status != 202 or bad == 202:
            sys.exit(f"{self.name} answers {status} to a good signature and {bad} to a bad one: {text}")

    def load(self, connections, seconds):
        """Requests per second, p99 in milliseconds."""
        wrk = ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s",
               "-s", os.path.join(HERE, "accept.lua"), self.url]
        environment = {**os.environ, "WEBHOOK_BODY": BODY, "WEBHOOK_SIGNATURE": SIGNATURE}
        out = subprocess.run(wrk, text=True, stdout=subprocess.PIPE, env=environment, check=True).stdout
        line = next(line for line in out.splitlines() if line.startswith("RESULT"))
        requests, micros, p99_micros, errors = (int(word) for word in line.split()[1:])
        if errors:
            print(f"  ({self.name}: {errors} errors)")
        return requests / micros * 1e6, p99_micros / 1000

    def rss_under_load_mb(self, connections, seconds):
        worst, running = self.rss_mb(), True

        def watch():
            nonlocal worst
            while running:
                worst = max(worst, self.rss_mb())
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.load(connections, seconds)
        running = False
        watcher.join()
        return worst


def wait_until_quiet():
    """Waits for the side before: the peer answers first and goes on starting its programs long after wrk has ended."""
    def times():
        with open("/proc/stat") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        return ticks[3] + ticks[4], sum(ticks)  # idle and waiting for the disk, everything

    time.sleep(1)
    for _ in range(QUIET_SECONDS_MAX):
        before = times()
        time.sleep(1)
        idle, everything = (now - then for now, then in zip(times(), before))
        if idle >= 0.9 * everything:
            return
    print(f"  (the machine was still busy after {QUIET_SECONDS_MAX} s)")


def make_windlass(folder):
    port, data = free_port(), os.path.join(folder, "data")
    os.makedirs(data, exist_ok=True)
    side = Side("windlass", "/v1/webhook", [BINARY, "serve"],
                child_environment(HTTP_PORT=port, METRICS_PORT=free_port(), WEBHOOK_SECRET=SECRET, DATA_MOUNT_PATH=data, SHUTDOWN_GRACE="1s"))
    side.port = port
    return side


def make_peer(folder, name, starts_program):
    rules = [{"match": {"type": "payload-hmac-sha256", "secret": SECRET,
                        "parameter": {"source": "header", "name": "X-Doco-OCI-Signature-256"}}}]
    if not starts_program:
        rules.append({"match": {"type": "value", "value": "never", "parameter": {"source": "payload", "name": "source"}}})
    hooks = [{"id": "accept", "execute-command": "/bin/true", "response-message": "job accepted",
              "success-http-response-code": 202, "trigger-rule": {"and": rules},
              "trigger-rule-mismatch-http-response-code": 202 if not starts_program else 401}]
    path = os.path.join(folder, f"hooks-{starts_program}.json")
    with open(path, "w") as file:
        json.dump(hooks, file)
    port = free_port()
    side = Side(name, "/hooks/accept", ["webhook", "-hooks", path, "-ip", "127.0.0.1", "-port", str(port)], dict(os.environ))
    side.port = port
    if not starts_program:
        side.check = lambda: None  # it cannot tell a bad signature from its second rule; the other peer is checked
    return side


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--seconds", type=int, default=5)
    options = options.parse_args()
    median = statistics.median
    with tempfile.TemporaryDirectory(dir=os.environ["WINDLASS_TESTBED"]) as folder:
        sides = [make_windlass(folder), make_peer(folder, "webhook, rule only", False),
                 make_peer(folder, "webhook, runs /bin/true", True)]
        starts = {side.name: [] for side in sides}
        for _ in range(options.runs):
            for side in sides:
                starts[side.name].append(side.start())
                side.stop()
        for side in sides:
            side.start()
        time.sleep(2)  # idle is what is left when the start is over
        idle = {side.name: side.rss_mb() for side in sides}
        for side in sides:
            side.check()
        figures = {}
        for connections in (64, 1):
            for _ in range(options.runs):
                for side in sides:
                    wait_until_quiet()
                    figures.setdefault((side.name, connections), []).append(side.load(connections, options.seconds))
        wait_until_quiet()
        busy = {side.name: side.rss_under_load_mb(256, options.seconds) for side in sides}
        for side in sides:
            side.stop()

    print(f"accept: medians of {options.runs} runs of {options.seconds} s")
    print(f"{'':26}{'64 connections':>22}{'1 connection':>22}{'first answer':>15}{'RSS idle':>10}{'RSS 256':>10}")
    middle = {}
    for key, runs in figures.items():
        middle[key] = median(rps for rps, _ in runs), median(p99 for _, p99 in runs)
    for side in sides:
        many, one = middle[side.name, 64], middle[side.name, 1]
        print(f"{side.name:26}{many[0]:9.0f}/s {many[1]:7.2f} ms {one[0]:10.0f}/s {one[1]:6.2f} ms"
              f"{median(starts[side.name]):12.1f} ms{idle[side.name]:7.1f} MB{busy[side.name]:7.1f} MB")
    for peer in sides[1:]:
        for connections in (64, 1):
            own, other = middle["windlass", connections], middle[peer.name, connections]
            print(f"windlass against {peer.name}, {connections} connections: {own[0] / other[0]:.2f} x requests/s,"
                  f" {own[1] / other[1]:.2f} x p99")


if __name__ == "__main__":
    main()
