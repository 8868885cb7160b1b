"""A stack that has the container windlass itself runs in is deployed by it, and it lives on (deploy/U2, U4)."""

import json
import os
import signal
import unittest

from harness import bed, compose, containers, idle_service, run, unique, until
from own_stack import ENDED, OwnStackCase


class OwnStack(OwnStackCase):
    def test_it_replaces_itself_and_reports(self):
        before = self.own()["Id"]
        record = self.wait_run(self.send(self.model(self.images[1])))
        self.assertEqual(record["status"], "succeeded", record)
        self.assertNotEqual(self.own()["Id"], before)
        self.assertEqual(self.version(), "VERSION=2")
        self.assertEqual(self.own()["State"]["Status"], "running")
        self.assertIn("app", containers(self.neighbour))
        self.assert_helper_is_gone()
        states = [release["state"] for release in self.releases()]
        self.assertEqual(states[0], "succeeded", states)

        # as it is: nothing restarts, and a change beside it neither
        before = self.own()["Id"]
        self.assertEqual(self.wait_run(self.send(self.model(self.images[1]), neighbour="two"))["status"], "succeeded")
        self.assertEqual(self.own()["Id"], before)

    def test_what_does_not_work_is_taken_back(self):
        bad = self.model(self.images[1], environment={"LOG_LEVEL": "loud"})  # stops the start
        record = self.wait_run(self.send(bad))
        self.assertEqual(record["status"], "failed", record)
        self.assertIn("the new windlass does not work, the one before is brought back", record["message"])
        self.assertIn("LOG_LEVEL", record["message"], "its last words")
        self.assertEqual(self.version(), "VERSION=1")
        self.assertIn("app", containers(self.neighbour))
        self.assert_helper_is_gone()
        # and works: a good release comes through
        self.assertEqual(self.wait_run(self.send(self.model(self.images[1])))["status"], "succeeded")
        self.assertEqual(self.version(), "VERSION=2")

    def test_mounts_are_the_same_in_the_helper_and_in_what_is_taken_back(self):
        api = run("docker", "version", "-f", "{{.Server.APIVersion}}").strip()
        if tuple(map(int, api.split("."))) < (1, 45):
            self.skipTest("this engine mounts no part of a volume")
        run("docker", "volume", "create", self.name)
        self.addCleanup(lambda: run("docker", "volume", "rm", "-f", self.name, check=False))
        run("docker", "run", "--rm", "-v", f"{self.name}:/all", f"{bed()['REGISTRY']}/busybox:1", "mkdir", "/all/part")
        volumes = ({"type": "volume", "source": self.name, "target": "/part", "volume": {"subpath": "part"}},
                   {"type": "volume", "target": "/scratch"},
                   {"type": "bind", "source": self.data, "target": "/again", "read_only": True})
        self.assertEqual(self.wait_run(self.send(self.model(self.images[0], *volumes)))["status"], "succeeded")

        def mounts():
            return [json.loads(run("docker", "inspect", "-f", "{{json .%s}}" % which, self.own()["Id"]))
                    for which in ("HostConfig.Mounts", "Mounts")]

        def scratch(mounted):
            return next(mount["Name"] for mount in mounted if mount["Destination"] == "/scratch")

        asked, mounted = mounts()
        self.assertIn({"Subpath": "part"}, [mount.get("VolumeOptions") for mount in asked])
        job_id = self.send(self.model(self.images[1], *volumes, entrypoint=["/no-such-program"]))
        helper = json.loads(run("docker", "inspect", until(self.helpers, "the helper", 60)[0]))[0]
        self.assertIn({"Subpath": "part"}, [mount.get("VolumeOptions") for mount in helper["HostConfig"]["Mounts"]])
        self.assertEqual(scratch(helper["Mounts"]), scratch(mounted))
        self.assertEqual(self.wait_run(job_id)["status"], "failed")
        self.assertEqual(self.version(), "VERSION=1")
        again, mounted_again = mounts()
        self.assertEqual([mount.get("VolumeOptions") for mount in again if mount["Target"] == "/part"],
                         [{"Subpath": "part"}])
        self.assertEqual(scratch(mounted_again), scratch(mounted))
        self.assertEqual({mount["Destination"]: mount["RW"] for mount in mounted_again},
                         {mount["Destination"]: mount["RW"] for mount in mounted})

    def test_what_cannot_be_started_is_taken_back(self):
        record = self.wait_run(self.send(self.model(self.images[1], entrypoint=["/no-such-program"])))
        self.assertEqual(record["status"], "failed", record)
        self.assertIn("no-such-program", record["message"])
        self.assertEqual(self.version(), "VERSION=1")
        self.assertEqual(self.own()["Name"], f"/{self.name}-windlass-1")
        self.assert_helper_is_gone()

    def test_a_helper_that_is_killed_goes_on(self):
        job_id = self.send(self.model(self.images[1]))
        helper = until(self.helpers, "the helper", 60)[0]
        arguments = json.loads(run("docker", "inspect", helper))[0]
        self.assertEqual((arguments["Path"], arguments["Args"]), ("/windlass", ["take-over"]))
        pid = until(lambda: int(run("docker", "inspect", "-f", "{{.State.Pid}}", helper)), "its process")
        os.kill(pid, signal.SIGKILL)
        record = self.wait_run(job_id)
        self.assertEqual(record["status"], "succeeded", record)
        self.assertEqual(self.version(), "VERSION=2")
        self.assert_helper_is_gone()

    def test_windlass_that_is_killed_meanwhile_finds_its_helper(self):
        job_id = self.send(self.model(self.images[1]))
        until(self.helpers, "the helper", 60)
        own = run("docker", "ps", "-q", "--no-trunc", "--filter", f"label=com.docker.compose.project={self.name}").split()
        pids = [int(run("docker", "inspect", "-f", "{{.State.Pid}}", each, check=False) or 0) for each in own]
        for pid in filter(None, pids):
            os.kill(pid, signal.SIGKILL)
        record = self.wait_run(job_id)
        self.assertEqual(record["status"], "succeeded", record)
        self.assertEqual(self.version(), "VERSION=2")
        self.assert_helper_is_gone()

    def test_a_helper_that_somebody_removes_is_missed(self):
        job_id = self.send(self.model(self.images[1], environment={"SHUTDOWN_GRACE": "1s"}))
        helper = until(self.helpers, "the helper", 60)[0]
        run("docker", "rm", "-f", helper)
        until(lambda: (self.record(job_id) or {}).get("status") in ENDED, "an end", 120)
        self.assertEqual(self.own()["State"]["Status"], "running")

    def test_no_stranger_takes_its_place(self):
        model = json.loads(self.model(self.images[0], environment={"DEPLOY_POLICY": "restricted"}))
        model["services"]["windlass"]["volumes"][1] = "data:/data"  # as in packaging/compose.yaml
        model["volumes"]["data"] = {}
        self.by_hand(json.dumps(model))
        before = self.own()["Id"]
        stranger = compose({"windlass": idle_service(volumes=["data:/data"])}, volumes={"data": {}})
        record = self.wait_run(self.send(stranger))
        self.assertEqual(record["status"], "failed", record)
        self.assertIn(f"only ADOPT_ALLOW={self.name}={self.ref.removesuffix(':main')}", record["message"])
        self.assertEqual(self.own()["Id"], before)
        self.assertEqual(self.helpers(), [])

    def test_the_word_of_something_else_is_not_enough(self):
        says_taken = ("cd /data/.windlass/handover; id=$$(sed 's/.*\"order\":\"\\([^\"]*\\)\".*/\\1/' order); "
                      "printf '{\"id\":\"%s 1\"}' \"$$id\" > taken; sleep 100000")
        stranger = compose({"windlass": idle_service(command=["sh", "-c", says_taken], volumes=[f"{self.data}:/data"])})
        record = self.wait_run(self.send(stranger))
        self.assertEqual(record["status"], "failed", record)
        self.assertIn("/windlass healthcheck in it:", record["message"])
        with open(os.path.join(self.data, ".windlass/handover/taken")) as taken:
            self.assertIn(record["job_id"], taken.read(), "it was said")
        self.assertEqual(self.version(), "VERSION=1")
        self.assertTrue(self.answers())
        self.assert_helper_is_gone()

    def test_damaged_notes_stop_nothing_and_name_no_helper(self):
        image, notes = f"{bed()['REGISTRY']}/busybox:1", os.path.join(self.data, ".windlass/handover")
        victim, left = unique("victim"), f"windlass-helper-{self.name}-1"
        labels = [f"--label=cd.windlass.helper{text}" for text in ("=job", f".data={self.data}")]
        for name, its in ((victim, []), (left, labels)):
            run("docker", "create", "--name", name, *its, image, "true")
            self.addCleanup(lambda name=name: run("docker", "rm", "-f", name, check=False))
        os.makedirs(notes, exist_ok=True)
        for name, text in (("result", "garbage"), ("order", json.dumps({
                "order": "job digest", "number": 1, "helper": victim, "own_container": self.own()["Id"]}))):
            with open(os.path.join(notes, name), "w") as file:
                file.write(text)
        run("docker", "restart", "-t", "10", self.own()["Id"])
        until(lambda: not self.helpers(), "the old helper to go", 60)
        until(self.answers, "windlass again", 60)
        self.assertIn(victim, run("docker", "ps", "-a", "--format", "{{.Names}}").split())
        self.assertEqual(self.wait_run(self.send(self.model(self.images[1])))["status"], "succeeded")
        self.assertEqual(self.version(), "VERSION=2")
        self.assert_helper_is_gone()

    def test_it_does_not_take_itself_down(self):  # U4
        self.assertEqual(self.wait_run(self.send(self.model(self.images[0])))["status"], "succeeded")
        before = self.own()["Id"]
        record = self.wait_run(self.send(self.model(self.images[0]), config="destroy: true\n"))
        self.assertEqual(record["status"], "failed", record)
        self.assertIn("is windlass itself, which cannot remove its own container", record["message"])
        self.assertEqual(self.own()["Id"], before)


if __name__ == "__main__":
    unittest.main()
