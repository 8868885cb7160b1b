"""The container image: builds from packaging/Dockerfile, runs, deploys to the engine whose socket it is given."""

import json
import os
import subprocess
import tempfile
import unittest

from harness import (API_SECRET, BED_DIR, HERE, SECRET, bed, containers, free_port, http, http_get, page_project,
                     payload, push_scratch, remove_project, run, sign, unique, until, write_tree)

ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
IMAGE = "windlass:check"


def debian_base():
    """debian:12 as pulled, or the like of it made by debootstrap where nothing can be pulled."""
    name = "debian:12"
    if "No such image" not in run("docker", "image", "inspect", name, check=False):
        return name
    if subprocess.run(["docker", "pull", "-q", name], env={**os.environ, **bed()}, capture_output=True).returncode == 0:
        return name
    name = "windlass-base:12"
    if "No such image" in run("docker", "image", "inspect", name, check=False):
        with tempfile.TemporaryDirectory(dir=BED_DIR) as place:
            tree = os.path.join(place, "tree")
            slow("debootstrap", "--variant=minbase", "bookworm", tree, mirror())
            slow("bash", "-c", f"tar -C {tree} --exclude=./var/cache/apt/archives/*.deb -c . | docker import - {name}")
    return name


def mirror():
    """The machine's own Debian mirror, by the rule of tools/setup."""
    return slow("bash", "-c", f"{ROOT}/tools/setup mirror").split()[-1]


def slow(*command):
    done = subprocess.run(command, env={**os.environ, **bed(), "DOCKER_BUILDKIT": "0"}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}"
    return done.stdout


class ContainerImage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        slow("docker", "build", "--network", "host", "-f", f"{ROOT}/packaging/Dockerfile", "--build-arg",
             f"BASE={debian_base()}", "-t", IMAGE, ROOT)

    def test_image_says_how_it_is_watched_and_reached(self):
        config = json.loads(run("docker", "image", "inspect", IMAGE))[0]["Config"]
        self.assertEqual(sorted(config["ExposedPorts"]), ["80/tcp", "9120/tcp"])  # api/L4
        self.assertEqual(config["Healthcheck"], {"Test": ["CMD", "/windlass", "healthcheck"], "Interval": 30 * 10**9,
                                                 "Timeout": 5 * 10**9, "StartPeriod": 15 * 10**9, "Retries": 3})
        self.assertIn("windlass", run("docker", "run", "--rm", "--entrypoint", "/doco-cd", IMAGE, "--version"))

    def test_container_deploys_to_its_engine(self):
        stack, me, port, page = unique("image"), unique("windlass"), free_port(), free_port()
        # Not below /data on the host: bind mounts must be mapped to the path that the engine sees (deploy/P3).
        data = tempfile.mkdtemp(dir=BED_DIR)
        socket = bed()["DOCKER_HOST"].removeprefix("unix://")
        self.addCleanup(remove_project, stack)
        self.addCleanup(run, "docker", "rm", "-fv", me, check=False)
        run("docker", "run", "-d", "--name", me, "--network", "host", "-v", f"{socket}:/var/run/docker.sock",
            "-v", f"{data}:/data", "-e", f"HTTP_PORT={port}", "-e", f"WEBHOOK_SECRET={SECRET}",
            "-e", f"API_SECRET={API_SECRET}", IMAGE)
        url = f"http://127.0.0.1:{port}"

        def healthy():
            try:
                return http_get(f"{url}/v1/health")[0] == 200
            except OSError:
                running = run("docker", "inspect", "-f", "{{.State.Running}}", me).strip()
                self.assertEqual(running, "true", run("docker", "logs", me))
                return False

        until(healthy, "windlass in its container")
        run("docker", "exec", me, "/windlass", "healthcheck")

        folder, ref = os.path.join(data, "artifact"), f"{bed()['REGISTRY']}/test/{stack}:main"
        write_tree(folder, page_project(stack, page, "from the image"))
        body = payload(ref, push_scratch(folder, ref))
        signature = {"X-Doco-OCI-Signature-256": sign(body)}
        answer = http("POST", f"{url}/v1/webhook?wait=true", body.encode(), signature, 120)
        self.assertEqual(answer[0], 201, answer[1] + run("docker", "logs", me))
        self.assertEqual(http_get(f"http://127.0.0.1:{page}/"), (200, "from the image"))
        mounts = {mount["Destination"]: mount["Source"] for mount in containers(stack)["web"]["Mounts"]}
        self.assertTrue(mounts["/www"].startswith(data + "/"), mounts)


if __name__ == "__main__":
    unittest.main()
