#!/usr/bin/env python3
"""A rollback against the deployment that it undoes. Both change one mounted file and one variable of a service with a health
check, so that both recreate it and wait for its health once; the wait is measured apart and taken off. Medians are printed.

The engine, the service and the artifact are the same on both sides; the rollback takes its files from the content store.
"""

import argparse
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
from harness import API_SECRET, Windlass, bed, http, push_archive, remove_project, unique, write_tree  # noqa: E402
from trigger import Sender, files, milliseconds  # noqa: E402

HEALTH_MS = 500  # the first check comes after one interval: trigger.py


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=7)
    runs = options.parse_args().runs
    windlass = Windlass(LOG_LEVEL="info")
    name = unique("bench")
    ref = f"{bed()['REGISTRY']}/bench/{name}:main"
    folder = os.path.join(windlass.folder, "artifact")

    def push(version):
        write_tree(folder, files(name, version))
        return push_archive(folder, ref)

    def back(release):
        url = f"{windlass.url}/v1/api/release/{release}/rollback?wait=true"
        status, text, _ = http("POST", url, b"", {"x-api-key": API_SECRET})
        if status != 200:
            sys.exit(f"rollback: {status}: {text}")

    times = {"deployment": [], "rollback": []}
    try:
        windlass.start()
        sender = Sender(windlass, ref)
        sender.send(push(0), 201)
        good = windlass.api(f"releases?stack={name}")[1]["content"][0]["id"]
        for version in range(1, runs + 1):
            digest = push(version)
            times["deployment"].append(milliseconds(lambda: sender.send(digest, 201)))
            times["rollback"].append(milliseconds(lambda: back(good)))
    finally:
        windlass.close()
        remove_project(name)
    print(f"rollback: medians of {runs} runs, {HEALTH_MS} ms of waiting for health taken off")
    middle = {side: statistics.median(all_of_it) - HEALTH_MS for side, all_of_it in times.items()}
    for side, figure in middle.items():
        print(f"{side:12}{figure:9.0f} ms")
    print(f"a rollback takes {middle['rollback'] / middle['deployment']:.2f} x the deployment it undoes")


if __name__ == "__main__":
    main()
