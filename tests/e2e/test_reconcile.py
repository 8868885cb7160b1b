"""Containers that change without a deployment are brought back as the stack's `reconciliation` says (deploy 15)."""

import json
import time
import unittest

from harness import EndToEnd, bed, compose, containers, idle_service, run, until

SICK_ON_DEMAND = {"test": ["CMD", "test", "!", "-e", "/sick"], "interval": "1s", "retries": 1}


class Reconcile(EndToEnd):
    def deploy(self, rule, **service):
        self.name = self.stack("reconcile")
        self.reference = self.ref(self.name)
        self.push_version(rule, **service)
        self.windlass.start()
        self.succeeds(self.windlass.deploy(self.reference, self.digest))

    def push_version(self, rule, **service):
        app = idle_service(**{"healthcheck": SICK_ON_DEMAND, "stop_grace_period": "1s", **service})
        other = idle_service(restart="always", stop_grace_period="1s")
        self.digest = self.push(self.reference, {
            ".doco-cd.yaml": f"name: {self.name}\nreconciliation: {json.dumps(rule)}\n",
            "compose.yaml": compose({"app": app, "other": other})})

    def container(self, service="app"):
        try:
            return containers(self.name).get(service)
        except AssertionError:  # an old and a new one, for a moment
            return None

    def started_at(self):
        return self.container()["State"]["StartedAt"]

    def make_sick(self):
        run("docker", "exec", self.container()["Id"], "touch", "/sick")

    def is_healthy(self):
        container = self.container()
        return container and container["State"].get("Health", {}).get("Status") == "healthy"

    def test_an_unhealthy_container_is_restarted_by_default(self):
        # where a restart loses the file
        self.deploy({}, tmpfs=["/run"], healthcheck={"test": ["CMD", "test", "!", "-e", "/run/sick"], "interval": "1s",
                                                     "retries": 1})
        before, made, other = self.started_at(), self.container()["Id"], self.container("other")["Id"]
        run("docker", "exec", made, "touch", "/run/sick")
        until(lambda: self.started_at() != before and self.is_healthy(), "the container to be well again", 30)
        self.assertEqual((self.container()["Id"], self.container("other")["Id"]), (made, other))
        self.assertTrue(self.windlass.events(msg="container restarted"))

    def test_it_is_left_alone_when_switched_off_and_after_the_limit(self):
        self.deploy({"restart_limit": 1, "restart_window": 600, "restart_timeout": 1})
        before = self.started_at()
        self.make_sick()  # which a restart does not cure
        until(lambda: self.windlass.events(msg="container restarted"), "a restart", 30)
        until(lambda: self.windlass.events(msg="auto-restart suppressed"), "the limit to be told", 30)
        self.assertNotEqual(self.started_at(), before)
        self.windlass.terminate()
        restarted = self.started_at()
        self.windlass.start()  # the count goes on
        time.sleep(3)
        self.assertEqual(self.started_at(), restarted)
        self.push_version(False)
        self.assertEqual(self.windlass.deploy(self.reference, self.digest)["status"], "skipped")

    def test_a_removed_container_comes_back(self):
        self.deploy({"events": ["destroy", "die"]})
        made, other = self.container()["Id"], self.container("other")["Id"]
        run("docker", "rm", "-f", made)
        until(lambda: self.is_healthy() and self.container()["Id"] != made, "a new container", 30)
        self.assertEqual(self.container("other")["Id"], other)
        runs = self.windlass.api("runs?limit=5")[1]["content"]
        until(lambda: self.windlass.api("runs?limit=5")[1]["content"][0]["status"] == "succeeded", "the run to end", 30)
        self.assertEqual(runs[0]["cause"], "reconcile")
        time.sleep(2)
        self.assertEqual(len(self.windlass.api("runs?limit=5")[1]["content"]), 2, "its own doing is no event")

    def test_each_of_several_unhealthy_containers_is_restarted(self):
        self.name = self.stack("reconcile")
        reference = self.ref(self.name)
        check = {"test": ["CMD", "test", "!", "-e", "/run/sick"], "interval": "1s", "retries": 1}
        service = idle_service(tmpfs=["/run"], healthcheck=check)
        digest = self.push(reference, {".doco-cd.yaml": f"name: {self.name}\n",
                                       "compose.yaml": compose({name: service for name in ("a", "b", "c")})})
        self.windlass.start()
        self.succeeds(self.windlass.deploy(reference, digest))
        before = {name: container["State"]["StartedAt"] for name, container in containers(self.name).items()}
        for container in containers(self.name).values():
            run("docker", "exec", container["Id"], "touch", "/run/sick")
        until(lambda: all(container["State"]["StartedAt"] != before[name]
                          for name, container in containers(self.name).items()), "all of them to be restarted", 40)
        until(lambda: len(self.windlass.events(msg="container restarted")) == 3, "the log to tell of each", 10)

    def test_a_replica_comes_back_alone(self):
        self.name = self.stack("reconcile")
        reference = self.ref(self.name)
        digest = self.push(reference, {
            ".doco-cd.yaml": f"name: {self.name}\nreconciliation: {{events: [die, destroy]}}\n",
            "compose.yaml": compose({"app": idle_service(scale=3, restart="unless-stopped")})})
        self.windlass.start()
        self.succeeds(self.windlass.deploy(reference, digest))

        def running():
            label = f"label=com.docker.compose.project={self.name}"
            return set(run("docker", "ps", "-q", "--no-trunc", "--filter", label).split())

        before = running()
        victim, *others = sorted(before)
        run("docker", "rm", "-f", victim)
        until(lambda: len(running()) == 3 and victim not in running(), "the third one to be back", 30)
        self.assertLess(set(others), running(), "the others run on")

    def test_a_container_of_its_image_made_by_hand_is_no_event(self):
        self.name = self.stack("reconcile")
        image, reference = f"{self.name}-image", self.ref(self.name)
        self.addCleanup(run, "docker", "image", "rm", "-f", image)
        built = {**idle_service(), "image": image, "pull_policy": "build", "build": {"context": "."}}
        digest = self.push(reference, {
            ".doco-cd.yaml": f"name: {self.name}\nreconciliation: {{events: [die, destroy]}}\n",
            "compose.yaml": compose({"app": built}),
            "Dockerfile": f"FROM {bed()['REGISTRY']}/busybox:1\n"})
        self.windlass.start()
        self.succeeds(self.windlass.deploy(reference, digest))
        labels = json.loads(run("docker", "image", "inspect", "-f", "{{json .Config.Labels}}", image))
        self.assertEqual(labels["com.docker.compose.service"], "app", "it would prove nothing")
        made = self.container()["Id"]
        run("docker", "run", "--rm", image, "true")
        time.sleep(4)
        self.assertEqual(self.container()["Id"], made)
        self.assertEqual(len(self.windlass.api("runs?limit=9")[1]["content"]), 1)

    def test_what_happened_while_nobody_listened_is_seen_at_the_start(self):
        self.deploy({"events": ["unhealthy", "destroy"]})
        self.windlass.terminate()
        for service in ("app", "other"):
            run("docker", "rm", "-f", self.container(service)["Id"])
        self.windlass.start()
        until(lambda: self.container("other") and self.is_healthy(), "the stack to be back", 30)

    def test_a_deployment_is_nobodys_event(self):
        self.deploy({"events": ["die", "destroy", "stop", "kill", "update", "unhealthy", "oom"]})
        self.push_version({"events": ["die", "destroy", "stop", "kill", "update"]}, environment={"V": "2"})
        self.succeeds(self.windlass.deploy(self.reference, self.digest))
        time.sleep(3)
        self.assertEqual(len(self.windlass.api("runs?limit=9")[1]["content"]), 2)
        self.assertEqual(self.windlass.events(msg="container restarted"), [])


if __name__ == "__main__":
    unittest.main()
