#!/usr/bin/env python3
"""A flood: 500 signed webhooks for 50 stacks, ten releases of each, sent in one second. How long until all runs have
settled, whether the newest release of each stack is what runs, and how many containers were started on the way."""

import argparse
import concurrent.futures
import http.client
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
from harness import (Windlass, bed, child_environment, compose, containers, idle_service, payload,  # noqa: E402
                     remove_project, sign, unique)
from quick_push import QuickPush  # noqa: E402


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--stacks", type=int, default=50)
    options.add_argument("--releases", type=int, default=10)
    options = options.parse_args()
    names = [unique("flood") for _ in range(options.stacks)]
    registry = QuickPush()
    windlass = Windlass(LOG_LEVEL="warn", WEBHOOK_SECRET="your-webhook-secret")

    def files(name, version):
        service = idle_service(environment={"V": str(version)}, restart="always", network_mode="none")
        bystander = idle_service(restart="always", network_mode="none")
        return {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": service, "bystander": bystander})}

    def ref(name):
        return f"{bed()['REGISTRY']}/bench/{name}:main"

    try:
        windlass.start()
        first = []
        for name in names:
            digest = registry.push(f"bench/{name}", "main", files(name, 0))
            first.append(windlass.send(ref(name), digest).job_id)
        for job in first:
            if windlass.wait_run(job, 600)["status"] != "succeeded":
                sys.exit(f"first deployment failed: {windlass.run(job)}")
        bystanders = {name: containers(name)["bystander"]["Id"] for name in names}
        digests = {name: [registry.push(f"bench/{name}", "main", files(name, version))
                          for version in range(1, options.releases + 1)] for name in names}
        started = os.path.join(windlass.folder, "started")  # the engine itself remembers 256 events
        with open(started, "w") as file:
            watch = subprocess.Popen(
                ["docker", "events", "--filter", "event=start", "--filter", "type=container", "--format",
                 '{{index .Actor.Attributes "com.docker.compose.service"}}'], stdout=file, env=child_environment())
        bodies = [[payload(ref(name), digest) for digest in digests[name]] for name in names]
        requests = [[(body, {"X-Doco-OCI-Signature-256": f"sha256={sign(body)}"}) for body in some] for some in bodies]
        begin = time.monotonic()

        def send(requests):  # in order: the last one is the newest
            connection = http.client.HTTPConnection("127.0.0.1", windlass.port)
            return [ask(connection, *request) for request in requests]

        def ask(connection, body, headers):
            connection.request("POST", "/v1/webhook", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [answer for some in pool.map(send, requests) for answer in some]
        accepted_in = time.monotonic() - begin
        odd = [text for status, text in answers if status != 202]
        jobs = [json.loads(text)["job_id"] for status, text in answers if status == 202]
        ends = [windlass.wait_run(job, 900)["status"] for job in jobs]
        settled_in = time.monotonic() - begin
        newest = sum(f"V={options.releases}" in containers(name)["app"]["Config"]["Env"] for name in names)
        untouched = sum(containers(name)["bystander"]["Id"] == bystanders[name] for name in names)
        watch.terminate()
        watch.wait()
        with open(started) as file:
            starts = file.read().split()
    finally:
        windlass.close()
        for name in names:
            remove_project(name)
    print(f"{len(answers)} webhooks for {options.stacks} stacks accepted in {accepted_in:.2f} s, {len(odd)} refused;"
          f" all settled after {settled_in:.0f} s: "
          + ", ".join(f"{ends.count(end)} {end}" for end in sorted(set(ends))))
    print(f"newest release runs: {newest} of {options.stacks}; the other service was never touched: {untouched} of"
          f" {options.stacks}; containers started: {starts.count('app')} app, {starts.count('bystander')} bystander")


if __name__ == "__main__":
    main()
