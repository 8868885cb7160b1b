"""A stack that has the container windlass itself runs in is deployed by it, and it lives on (deploy/U2, U4)."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import (API_SECRET, BED_DIR, BINARY, SECRET, bed, child_environment, compose, containers, free_port, http,
                     http_get, idle_service, payload, push_archive, remove_project, run, sign, unique, until, write_tree)

ENDED = ("succeeded", "failed", "skipped")


def compose_plugin():
    folders = ("/usr/local/lib/docker", "/usr/local/libexec/docker", "/usr/lib/docker", "/usr/libexec/docker")
    return next(path for path in (f"{folder}/cli-plugins/docker-compose" for folder in folders) if os.path.exists(path))


def make_image(name, version):
    """windlass, the libraries it was linked with and compose: no Debian has to be made for that."""
    with tempfile.TemporaryDirectory(dir=BED_DIR) as tree:
        libraries = subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True).stdout.split()
        for path in {word for word in libraries if word.startswith("/")}:
            os.makedirs(tree + os.path.dirname(path), exist_ok=True)
            shutil.copy(os.path.realpath(path), tree + path)
        plugins = tree + "/usr/libexec/docker/cli-plugins"
        os.makedirs(plugins)
        shutil.copy(compose_plugin(), plugins)
        subprocess.run(["strip", "-o", f"{tree}/windlass", BINARY], check=True)
        for folder in ("tmp", "data", "var/run", "root"):
            os.makedirs(f"{tree}/{folder}")
        command = ["docker", "import", "--change", 'ENTRYPOINT ["/windlass"]', "--change", f"ENV VERSION={version}", "-",
                   name]
        with subprocess.Popen(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE) as pack:
            subprocess.run(command, stdin=pack.stdout, env=child_environment(), check=True, capture_output=True)


class OwnStack(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.images = [f"windlass-own:{os.getpid()}-{version}" for version in (1, 2)]
        for version, image in enumerate(cls.images, 1):
            make_image(image, version)

    @classmethod
    def tearDownClass(cls):
        run("docker", "image", "rm", "-f", *cls.images, check=False)

    def setUp(self):
        self.name, self.neighbour = unique("own"), unique("neighbour")
        self.data, self.port, self.metrics_port = tempfile.mkdtemp(dir=BED_DIR), free_port(), free_port()
        self.url, self.ref = f"http://127.0.0.1:{self.port}", f"{bed()['REGISTRY']}/test/{self.name}:main"
        self.addCleanup(self.clean)
        self.by_hand()

    def clean(self):
        result = getattr(self._outcome, "result", None)
        if result and any(test is self for test, _ in result.failures + result.errors):
            for container in run("docker", "ps", "-aq").split():
                print(run("docker", "logs", "--tail", "40", container, check=False)[-6000:])
        for helper in self.helpers():
            run("docker", "rm", "-f", helper, check=False)
        remove_project(self.name)
        remove_project(self.neighbour)
        shutil.rmtree(self.data, ignore_errors=True)

    def model(self, image, *volumes, **changes):
        environment = {"HTTP_PORT": str(self.port), "METRICS_PORT": str(self.metrics_port), "WEBHOOK_SECRET": SECRET,
                       "API_SECRET": API_SECRET, "HOME": "/root", **changes.pop("environment", {})}
        socket = bed()["DOCKER_HOST"].removeprefix("unix://")
        named = {one["source"]: {"external": True} for one in volumes if one["type"] == "volume" and "source" in one}
        return compose({"windlass": {
            "image": image, "pull_policy": "never", "network_mode": "host", "restart": "unless-stopped",
            "environment": environment, "volumes": [f"{socket}:/var/run/docker.sock", f"{self.data}:/data", *volumes],
            "healthcheck": {"test": ["CMD", "/windlass", "healthcheck"], "interval": "1s", "timeout": "5s",
                            "start_period": "10s"}, **changes}}, volumes=named)

    def by_hand(self, model=None):
        file = os.path.join(self.data, "by-hand.yaml")
        with open(file, "w") as opened:
            opened.write(model or self.model(self.images[0]))
        run("docker", "compose", "-p", self.name, "-f", file, "up", "-d")
        until(self.answers, "windlass in its container", 60)

    def answers(self):
        try:
            return http_get(f"{self.url}/v1/health", timeout=5)[0] == 200
        except OSError:
            return False

    def send(self, model, neighbour="one", config=""):
        folder = os.path.join(self.data, "artifact")
        write_tree(folder, {
            ".doco-cd.yaml": f"name: {self.neighbour}\ncompose_files: [neighbour.yaml]\n---\nname: {self.name}\n"
                             f"adopt: true\ntimeout: 40\nprune_images: false\n{config}",
            "compose.yaml": model,
            "neighbour.yaml": compose({"app": idle_service(environment={"A": neighbour})})})
        body = payload(self.ref, push_archive(folder, self.ref))
        answer = http("POST", f"{self.url}/v1/webhook", body.encode(), {"X-Doco-OCI-Signature-256": sign(body)})
        self.assertEqual(answer[0], 202, answer[1])
        return json.loads(answer[1])["job_id"]

    def record(self, job_id):
        try:
            status, text = http_get(f"{self.url}/v1/api/run/{job_id}", {"x-api-key": API_SECRET}, timeout=5)
        except OSError:
            return None  # nobody is there just now
        return json.loads(text)["content"] if status == 200 else None

    def wait_run(self, job_id, seconds=150):
        def ended():
            record = self.record(job_id)
            return record if record and record["status"] in ENDED else None

        return until(ended, f"run {job_id} to end", seconds)

    def helpers(self):
        return run("docker", "ps", "-aq", "--filter", "label=cd.windlass.helper").split()

    def own(self):
        return containers(self.name)["windlass"]

    def version(self):
        return next(item for item in self.own()["Config"]["Env"] if item.startswith("VERSION="))

    def assert_helper_is_gone(self):
        until(lambda: not self.helpers(), "the helper to go", 30)
        with open(os.path.join(self.data, ".windlass/handover/order")) as file:
            self.assertNotIn("sealed", file.read())

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

    def releases(self):
        text = http_get(f"{self.url}/v1/api/releases?stack={self.name}", {"x-api-key": API_SECRET})[1]
        return json.loads(text)["content"]

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
