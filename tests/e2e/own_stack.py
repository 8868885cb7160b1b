"""windlass in a container of its own, and the stack that has it: what the tests of both share (deploy/U2)."""

import json
import os
import shutil
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


class OwnStackCase(unittest.TestCase):
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

    def by_hand(self, model=None, **environment):
        file = os.path.join(self.data, "by-hand.yaml")
        with open(file, "w") as opened:
            opened.write(model or self.model(self.images[0], environment=environment))
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

    def releases(self):
        text = http_get(f"{self.url}/v1/api/releases?stack={self.name}", {"x-api-key": API_SECRET})[1]
        return json.loads(text)["content"]
