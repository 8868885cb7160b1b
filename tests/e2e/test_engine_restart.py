"""The engine restarts in the middle of deployments (reliability F15): each job ends, what it was about runs in the end, once."""

import atexit
import os
import subprocess
import time
import unittest

# A bed of its own: the engine of the others must not go away under them.
HERE = os.path.dirname(os.path.abspath(__file__))
TESTBED = os.path.join(HERE, "..", "testbed", "testbed")
BED = f"/var/tmp/windlass-restart-{os.getpid()}"
atexit.register(subprocess.run, [TESTBED, "down", BED], stderr=subprocess.DEVNULL)
for step in (["up", BED], ["image", BED, "busybox:1"]):
    subprocess.run([TESTBED, *step], env={**os.environ, "WINDLASS_TESTBED_ENGINE": "private"}, check=True,
                   stdout=subprocess.DEVNULL)
os.environ["WINDLASS_TESTBED"] = BED

from harness import EndToEnd, compose, containers, idle_service, until  # noqa: E402

STACKS = 8
STAGGER_SECONDS = 0.2


class EngineRestart(EndToEnd):
    settings = {"MAX_CONCURRENT_DEPLOYMENTS": str(STACKS)}

    def files(self, name, version):
        slow = idle_service(
            environment={"V": version}, restart="always", command=["sh", "-c", "sleep 0.5; touch /ready; sleep 100000"],
            healthcheck={"test": ["CMD", "test", "-e", "/ready"], "interval": "200ms", "retries": 100})
        return {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": slow, "other": slow})}

    def runs(self, name, version):
        try:
            found = containers(name)
        except AssertionError:  # the engine is away, or compose is at work
            return False
        return set(found) == {"app", "other"} and all(
            container["State"]["Running"] and f"V={version}" in container["Config"]["Env"]
            for container in found.values())

    def test_every_job_ends_and_every_stack_is_brought_up(self):
        self.windlass.start()
        names = [self.stack(f"restart{number}") for number in range(STACKS)]
        references = {name: self.ref(name) for name in names}
        jobs = [self.windlass.send(references[name], self.push(references[name], self.files(name, "one"))).job_id
                for name in names]
        for job in jobs:
            self.succeeds(self.windlass.wait_run(job))

        digests = {name: self.push(references[name], self.files(name, "two")) for name in names}
        jobs = {}
        for name in names:  # so that the engine finds each of them at another step
            jobs[name] = self.windlass.send(references[name], digests[name]).job_id
            time.sleep(STAGGER_SECONDS)
        subprocess.run([TESTBED, "restart-engine", BED], check=True, stdout=subprocess.DEVNULL)

        failed = 0
        for name, job in jobs.items():
            record = self.windlass.wait_run(job)
            failed += record["status"] == "failed"
        for name in names:  # those that failed are tried again within a minute
            until(lambda: self.runs(name, "two"), f"{name} to be brought up", 150)
        self.assertGreater(failed, 0, "the restart came too late for all of them")
        until(lambda: not self.windlass.api("runs?status=running")[1]["content"], "the last run to end", 60)
        for name in names:
            last = self.windlass.deploy(references[name], digests[name])
            self.assertIn(last["status"], ("succeeded", "skipped"), last)
            self.assertTrue(self.runs(name, "two"))
        away = self.windlass.events(level="critical")
        self.assertEqual(away, [], "an engine that restarts is no reason to stop")


if __name__ == "__main__":
    unittest.main()
