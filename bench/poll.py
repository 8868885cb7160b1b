#!/usr/bin/env python3
"""What unchanged polling costs: many references looked at again and again, own CPU time and resident memory.

Each reference is a tag of one repository with a stack of its own by inline deployments; their one service has no replica,
so that a thousand stacks need no thousand containers. They are deployed first, by the polls themselves; then windlass is
started anew and measured while nothing changes.
"""

import argparse
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
from harness import Windlass, bed, compose, idle_service, push_archive, run, unique, write_tree  # noqa: E402
from trigger import cpu_ms  # noqa: E402

TAGS_AT_ONCE = 100


def push(ref, count, folder):
    write_tree(folder, {"compose.yaml": compose({"web": idle_service(scale=0, network_mode="none")})})
    push_archive(folder, f"{ref}:1")
    tags = [str(number) for number in range(2, count + 1)]
    for first in range(0, len(tags), TAGS_AT_ONCE):
        run("oras", "tag", "--plain-http", f"{ref}:1", *tags[first:first + TAGS_AT_ONCE])


def memory_mb(process):
    """Resident now and at most since the start."""
    with open(f"/proc/{process.pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return [int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM")]


def open_runs(windlass):
    return sum(len(windlass.api(f"runs?trigger=poll&status={status}&limit=200")[1]["content"])
               for status in ("accepted", "running"))


def deploy_all(windlass, count, patience):
    """Until nothing is left to do and the last look of all found nothing."""
    end = time.monotonic() + patience
    done = 0
    while done < count:
        if time.monotonic() > end:
            sys.exit(f"only {done} of {count} references are deployed after {patience} s")
        time.sleep(2)
        with open(windlass.log_path, errors="replace") as log:
            done = sum(1 for line in log if '"job completed successfully"' in line or '"job skipped"' in line)
    while open_runs(windlass):
        time.sleep(1)


def seconds_since_last_look(windlass):
    runs = windlass.api("runs?trigger=poll&status=skipped&limit=1")[1]["content"]
    if not runs or runs[0]["message"] != "no changes":
        sys.exit(f"the last poll did not find everything unchanged: {runs}")
    last = datetime.datetime.fromisoformat(runs[0]["created_at"][:19])
    return (datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - last).total_seconds()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--references", type=int, default=1000)
    options.add_argument("--interval", type=int, default=60, help="seconds")
    options.add_argument("--window", type=int, default=120, help="seconds of the measurement")
    options.add_argument("--patience", type=int, default=3600, help="seconds for the first deployment")
    chosen, _ = options.parse_known_args()
    windlass = Windlass(LOG_LEVEL="info")
    name = unique("bench-poll")
    ref = f"{bed()['REGISTRY']}/bench/{name}"
    config = os.path.join(windlass.folder, "poll.json")  # too long for a variable
    with open(config, "w") as file:
        json.dump([{"source": "oci", "url": f"{ref}:{number}", "interval": chosen.interval,
                    "deployments": [{"name": f"{name}-{number}", "compose_files": ["compose.yaml"]}]}
                   for number in range(1, chosen.references + 1)], file)
    windlass.settings["POLL_CONFIG_FILE"] = config
    try:
        push(ref, chosen.references, os.path.join(windlass.folder, "artifact"))
        windlass.start()
        deploy_all(windlass, chosen.references, chosen.patience)
        windlass.terminate(60)
        windlass.start()
        time.sleep(chosen.interval + 15)  # every reference has been looked at once
        before, began = cpu_ms(windlass.process), time.monotonic()
        time.sleep(chosen.window)
        share = (cpu_ms(windlass.process) - before) / (time.monotonic() - began) / 10
        resident, most = memory_mb(windlass.process)
        jobs = open_runs(windlass)
        age = seconds_since_last_look(windlass)
    finally:
        windlass.close()
    print(f"poll: {chosen.references} references every {chosen.interval} s, {chosen.window} s measured, "
          f"{jobs} jobs, last look {age:.0f} s ago")
    print(f"own CPU {share:5.2f} % of one core   resident {resident:5.1f} MB   at most {most:5.1f} MB")


if __name__ == "__main__":
    main()
