#!/usr/bin/env python3
"""From trigger to healthy: a signed webhook to windlass against a bare `docker compose up -d --wait` of the same
change, and a trigger with nothing to do against a `docker compose up -d` with nothing to do. Sides alternate, medians printed.

Both sides change one environment variable of a service with a health check. windlass also pulls the artifact that
carries the change; the bare side finds its files in place.
"""

import argparse
import http.client
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
from harness import (Windlass, bed, compose, idle_service, payload, push_archive, remove_project,  # noqa: E402
                     run, sign, unique, write_tree)

INTERVAL = "500ms"


def files(name, version):
    service = idle_service(environment={"VERSION": str(version)},
                           healthcheck={"test": ["CMD", "true"], "interval": INTERVAL, "timeout": "2s"})
    return {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"web": service})}


def milliseconds(action):
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def cpu_ms(process):
    """Own CPU time since the start, children not counted, by the process's own clock: CPUCLOCK_SCHED of the kernel."""
    return time.clock_gettime(~process.pid << 3 | 2) * 1000


class Sender:
    """The signed webhook over a new connection, and no more: urllib alone costs as much as the answer takes."""

    def __init__(self, windlass, ref):
        self.port, self.ref = windlass.port, ref

    def send(self, digest, status):
        body = payload(self.ref, digest)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("POST", "/v1/webhook?wait=true", body, {"X-Doco-OCI-Signature-256": f"sha256={sign(body)}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != status:
            sys.exit(f"windlass answers {answer.status}, want {status}: {text}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=7)
    runs = options.parse_args().runs
    windlass = Windlass(LOG_LEVEL="info")
    ours, bare = unique("bench"), unique("bare")
    ref = f"{bed()['REGISTRY']}/bench/{ours}:main"
    artifact, folder = os.path.join(windlass.folder, "artifact"), os.path.join(windlass.folder, "bare")
    compose_up = ("docker", "compose", "-p", bare, "--project-directory", folder, "up", "-d")
    times = {name: [] for name in ("change", "bare change", "nothing", "bare nothing")}
    cpu = {"change": 0.0, "nothing": 0.0}
    try:
        windlass.start()
        sender = Sender(windlass, ref)
        for version in range(-1, runs):  # the first round creates the stacks and is not counted
            write_tree(artifact, files(ours, version))
            digest = push_archive(artifact, ref)
            write_tree(folder, files(bare, version))

            before = cpu_ms(windlass.process)
            change = milliseconds(lambda: sender.send(digest, 201))
            between = cpu_ms(windlass.process)
            bare_change = milliseconds(lambda: run(*compose_up, "--wait"))
            start = cpu_ms(windlass.process)
            nothing = milliseconds(lambda: sender.send(digest, 200))
            after = cpu_ms(windlass.process)
            bare_nothing = milliseconds(lambda: run(*compose_up))
            if version < 0:
                continue
            cpu["change"] += between - before
            cpu["nothing"] += after - start
            for name, value in zip(times, (change, bare_change, nothing, bare_nothing)):
                times[name].append(value)
    finally:
        windlass.close()
        remove_project(ours)
        remove_project(bare)

    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"trigger: medians of {runs} runs, health check every {INTERVAL}")
    change, bare_change, nothing, bare_nothing = middle.values()
    print(f"change to healthy   windlass {change:8.1f} ms   docker compose up -d --wait {bare_change:8.1f} ms"
          f"   {change / bare_change:.2f} x")
    print(f"nothing to do       windlass {nothing:8.1f} ms   docker compose up -d        {bare_nothing:8.1f} ms"
          f"   1/{bare_nothing / nothing:.0f}")
    print(f"own CPU per run     change {cpu['change'] / runs:.1f} ms   nothing to do {cpu['nothing'] / runs:.1f} ms")


if __name__ == "__main__":
    main()
