"""What a disk can do to a running service besides being full (reliability F22, F23, F26): no room while a release is
recorded, no inodes, flushes that fail, a state file that somebody else holds. Nothing is promised that is
not on disk, what ran still runs, and when it is over work goes on without a restart."""

import os
import sqlite3
import subprocess
import time
import unittest

from harness import EndToEnd, compose, containers, http_get, idle_service, preload, until


def as_root(*command):
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *command], check=True)


class DiskFaults(EndToEnd):
    def setUp(self):
        super().setUp()
        self.name = self.stack("disk")
        self.reference = self.ref(self.name)

    def mount(self, options):
        data = self.windlass.data
        as_root("mount", "-t", "tmpfs", "-o", f"size=32m,mode=0755,uid={os.geteuid()},{options}", "tmpfs", data)
        self.addCleanup(as_root, "umount", "-l", data)

    def push_version(self, version, **service):
        app = idle_service(environment={"V": str(version)}, restart="always", **service)
        return self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": app})})

    def deploy(self, version):
        return self.succeeds(self.windlass.deploy(self.reference, self.push_version(version)))

    def container(self):
        return containers(self.name)["app"]

    def runs_version(self, version):
        try:
            container = self.container()
        except (AssertionError, KeyError):  # an old and a new one, for a moment
            return False
        return f"V={version}" in container["Config"]["Env"] and container["State"]["Running"]

    def health(self):
        status, text = http_get(f"{self.windlass.url}/v1/health")
        return status, text

    def is_refused(self, version):
        """Nothing is accepted and nothing changes; health says why."""
        answer = self.windlass.send(self.reference, self.push_version(version))
        self.assertEqual(answer.status, 503, answer.text)
        self.assertIn("cannot persist job", answer.text)
        status, text = self.health()
        self.assertEqual(status, 503)
        self.assertIn("journal not writable", text)
        self.assertTrue(self.runs_version(1))

    def goes_on(self, version):
        until(lambda: self.health()[0] == 200, "the service to be well again", 15)
        self.deploy(version)
        self.assertTrue(self.runs_version(version))

    def test_full_while_the_release_is_recorded(self):
        self.mount("nr_inodes=0")
        self.windlass.start()
        self.deploy(1)
        slow = {"test": ["CMD", "true"], "interval": "4s"}
        answer = self.windlass.send(self.reference, self.push_version(2, healthcheck=slow))
        until(lambda: self.runs_version(2), "the new container to run")
        filler = os.path.join(self.windlass.data, "filler")
        with open(filler, "wb") as file:
            room = os.statvfs(self.windlass.data)
            file.write(b"\0" * room.f_bavail * room.f_frsize)
        time.sleep(7)  # it is healthy by now, and nobody can write that down
        self.assertTrue(self.runs_version(2))
        self.assertEqual(self.windlass.run(answer.job_id)["status"], "running")
        made = self.container()["Id"]
        os.remove(filler)
        self.succeeds(self.windlass.wait_run(answer.job_id))
        release = self.windlass.api(f"releases?stack={self.name}")[1]["content"][0]
        self.assertEqual(release["state"], "succeeded", release)
        self.assertEqual(self.container()["Id"], made)

    def test_no_inodes(self):
        self.mount("nr_inodes=220")
        self.windlass.start()
        self.deploy(1)
        fillers = os.path.join(self.windlass.data, "filler")
        os.mkdir(fillers)
        with self.assertRaises(OSError):
            for number in range(1000):
                open(os.path.join(fillers, str(number)), "x").close()
        record = self.windlass.deploy(self.reference, self.push_version(2))
        self.fails(record, "no space left on device")
        self.assertTrue(self.runs_version(1))
        for name in os.listdir(fillers):
            os.remove(os.path.join(fillers, name))
        self.goes_on(2)

    def test_a_flush_that_fails_is_no_success(self):
        fault = os.path.join(self.windlass.folder, "fault")
        self.windlass.start(LD_PRELOAD=preload("failing_flush", self.windlass.folder), FLUSH_FAULT=fault)
        self.deploy(1)
        open(fault, "x").close()
        self.is_refused(2)
        os.remove(fault)
        self.goes_on(2)
        self.windlass.kill()
        self.windlass.start()
        self.assertEqual(self.windlass.deploy(self.reference, self.push_version(2))["status"], "skipped")

    def test_a_flush_that_fails_in_a_deployment(self):
        fault = os.path.join(self.windlass.folder, "fault")
        self.windlass.start(LD_PRELOAD=preload("failing_flush", self.windlass.folder), FLUSH_FAULT=fault)
        self.deploy(1)
        slow = {"test": ["CMD", "true"], "interval": "2s"}
        answer = self.windlass.send(self.reference, self.push_version(2, healthcheck=slow))
        until(lambda: self.runs_version(2), "the new container to run")
        open(fault, "x").close()
        time.sleep(4)
        self.assertNotEqual(self.windlass.run(answer.job_id)["status"], "succeeded")
        os.remove(fault)
        until(lambda: self.windlass.run(answer.job_id)["status"] in ("succeeded", "failed"), "the run to end", 60)
        self.goes_on(3)
        self.assertEqual(self.windlass.api(f"releases?stack={self.name}")[1]["content"][0]["state"], "succeeded")

    def test_a_state_file_that_somebody_else_holds(self):
        self.windlass.start()
        self.deploy(1)
        state = os.path.join(self.windlass.data, ".windlass", "state.db")
        other = sqlite3.connect(state, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        answer = self.windlass.send(self.reference, self.push_version(2))
        self.assertEqual(answer.status, 503, answer.text)
        self.assertAlmostEqual(time.monotonic() - begin, 5, delta=2)  # so long it is waited for
        self.assertTrue(self.runs_version(1))
        other.execute("ROLLBACK")
        self.goes_on(2)


if __name__ == "__main__":
    unittest.main()
