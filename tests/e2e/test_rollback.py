"""A release that does not become healthy goes back to the last good one; an operator brings any good one back."""

import json
import time
import unittest

from harness import (API_SECRET, BED_DIR, TESTBED, Answer, EndToEnd, bed, compose, container_ids, containers, free_port, http,
                     http_get, idle_service, page_project, run, unique, until)

SICK = {"healthcheck": {"test": ["CMD", "false"], "interval": "200ms", "timeout": "2s", "retries": 2}}
RULE = "rollback: {stable_for: 1s}\n"


class Rollback(EndToEnd):
    def setUp(self):
        super().setUp()
        registry = unique("back")
        self.registry = registry
        self.address = run(TESTBED, "registry", BED_DIR, "plain", registry).split()[-1]
        self.addCleanup(run, TESTBED, "stop", BED_DIR, registry)
        self.name = self.stack("back")
        self.reference = self.ref(self.name, registry=self.address)
        self.port = free_port()

    def version(self, page, rule=RULE, **service):
        files = page_project(self.name, self.port, page, **service)
        files[".doco-cd.yaml"] += rule
        return self.push(self.reference, files)

    def page(self):
        return http_get(f"http://127.0.0.1:{self.port}/")[1]

    def good_release(self, page="one", **service):
        self.digest = self.version(page, **service)
        self.succeeds(self.windlass.deploy(self.reference, self.digest))
        self.assertEqual(self.page(), page)

    def releases(self):
        return self.windlass.api(f"releases?stack={self.name}")[1]["content"]

    def post(self, path):
        return Answer(*http("POST", f"{self.windlass.url}/v1/api/{path}", b"", {"x-api-key": API_SECRET}))

    def test_an_unhealthy_release_goes_back_without_the_registry(self):
        self.windlass.start()
        self.good_release()
        bad = self.version("two", **SICK)
        answer = self.windlass.send(self.reference, bad)
        until(lambda: self.page_is_gone_or("two"), "the bad release to be brought up")
        run(TESTBED, "stop", BED_DIR, self.registry)  # the way back needs no registry
        record = self.fails(self.windlass.wait_run(answer.job_id), "service web", "is unhealthy",
                            f"; rolled back to main ({self.digest})")
        self.assertEqual(record["stacks"][0]["status"], "failed")
        self.assertEqual(self.page(), "one")
        self.assertEqual(containers(self.name)["web"]["State"]["Health"]["Status"], "healthy")
        states = [(release["digest"], release["state"], release.get("cause", "")) for release in self.releases()]
        self.assertEqual(states, [(self.digest, "succeeded", "rollback"), (bad, "failed", ""),
                                  (self.digest, "succeeded", "")])

    def page_is_gone_or(self, text):
        try:
            return self.page() == text
        except OSError:
            return True

    def test_a_release_that_fails_later_goes_back_within_stable_for(self):
        self.windlass.start()
        self.good_release()
        dies = ["sh", "-c", "httpd -h /www; sleep 3; exit 7"]  # healthy at first
        bad = self.version("two", rule="rollback: {stable_for: 20s}\n", command=dies)
        self.fails(self.windlass.deploy(self.reference, bad), "exited with code 7", "(within 20s of its start)",
                   f"rolled back to main ({self.digest})")
        self.assertEqual(self.page(), "one")

    def test_a_release_that_is_never_ready_goes_back(self):
        self.windlass.start()
        self.good_release()
        slow = {"healthcheck": {"test": ["CMD", "false"], "interval": "100ms", "start_period": "10m"}}
        bad = self.version("two", rule=RULE + "timeout: 3\n", **slow)
        self.fails(self.windlass.deploy(self.reference, bad), "timed out after 3s", "rolled back to")
        self.assertEqual(self.page(), "one")

    def test_a_stack_that_compose_cannot_start_goes_back(self):
        self.windlass.start()
        self.good_release()
        bad = self.version("two", command=["/no/such/program"])
        self.fails(self.windlass.deploy(self.reference, bad), "no/such/program", "rolled back to")
        self.assertEqual(self.page(), "one")

    def test_a_first_release_stays_for_inspection(self):
        self.windlass.start()
        bad = self.version("one", **SICK)
        self.fails(self.windlass.deploy(self.reference, bad), "is unhealthy",
                   "there is no earlier good release to go back to")
        self.assertIn("web", containers(self.name))

    def test_nothing_goes_back_unless_asked_for(self):
        self.windlass.start()
        self.good_release()
        bad = self.version("two", rule="", **SICK)
        record = self.fails(self.windlass.deploy(self.reference, bad), "is unhealthy")
        self.assertNotIn("rolled back", record["message"])
        self.assertEqual(self.page(), "two")

    def test_auto_rollback_is_the_default_for_all(self):
        self.windlass.start(AUTO_ROLLBACK="true")
        self.good_release(page="one")
        bad = self.version("two", rule="", **SICK)
        self.fails(self.windlass.deploy(self.reference, bad), "rolled back to")
        self.assertEqual(self.page(), "one")

    def test_volumes_are_never_touched(self):
        self.windlass.start()
        services = {"db": idle_service(volumes=["data:/data"])}

        def push(extra=None, **service):
            services["db"] = idle_service(volumes=["data:/data"], **service)
            return self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\n{RULE}",
                                              "compose.yaml": compose(services, volumes={"data": {}})})

        self.succeeds(self.windlass.deploy(self.reference, push()))
        run("docker", "exec", containers(self.name)["db"]["Id"], "sh", "-c", "echo before > /data/kept")
        bad = push(command=["sh", "-c", "echo new > /data/written; exit 4"])
        self.fails(self.windlass.deploy(self.reference, bad), "rolled back to")
        database = containers(self.name)["db"]["Id"]
        self.assertEqual(run("docker", "exec", database, "cat", "/data/kept", "/data/written"), "before\nnew\n")

    def test_a_poll_leaves_a_bad_release_alone_until_the_next(self):
        self.digest = self.version("one")
        polls = json.dumps([{"source": "oci", "url": self.reference, "interval": 10}])
        self.windlass.start(POLL_CONFIG=polls)
        until(lambda: self.page_is("one"), "the first release", 60)
        bad = self.version("two", **SICK)
        until(lambda: any(run["status"] == "failed" for run in self.runs()), "the bad release to fail", 60)
        until(lambda: self.page_is("one"), "the first release to be back")
        ids, count = container_ids(self.name), len(self.releases())
        seen = self.windlass.log().count('"no changes')
        time.sleep(12)  # at least one tick more
        self.assertEqual(container_ids(self.name), ids, f"{bad} was tried again")
        self.assertEqual(len(self.releases()), count, seen)
        self.version("three")
        until(lambda: self.page_is("three"), "the next release", 60)

    def runs(self):
        return self.windlass.api("runs?trigger=poll")[1]["content"]

    def page_is(self, text):
        try:
            return self.page() == text
        except OSError:
            return False

    def test_an_operator_brings_a_release_back(self):
        self.windlass.start()
        self.good_release("one")
        first = self.releases()[0]
        self.good_release("two")
        run(TESTBED, "stop", BED_DIR, self.registry)
        answer = self.post(f"release/{first['id']}/rollback?wait=true")
        self.assertEqual((answer.status, answer.body["content"]), (200, "job completed successfully"), answer.text)
        self.assertEqual(self.page(), "one")
        record = self.windlass.run(answer.job_id)
        self.assertEqual((record["status"], record["cause"]), ("succeeded", "rollback"))
        again = self.post(f"release/{first['id']}/rollback?wait=true")  # nothing is left to do
        self.assertEqual(again.status, 200)
        self.assertEqual(self.post("release/none/rollback").status, 404)

    def test_the_same_image_name_means_the_image_of_then(self):
        """The bad release moved a tag that both use: the way back moves it again."""
        self.windlass.start()
        image = f"{self.address}/test/{unique('tool')}:latest"

        def build(word):
            run("docker", "build", "-q", "-t", image, "-", DOCKER_BUILDKIT="0",
                stdin=f"FROM {bed()['REGISTRY']}/busybox:1\nRUN echo {word} > /word\n")

        build("old")
        self.addCleanup(run, "docker", "image", "rm", "-f", image, check=False)
        self.good_release(image=image, pull_policy="never")
        old = containers(self.name)["web"]["Image"]
        build("new")
        bad = self.version("two", image=image, pull_policy="never", **SICK)
        self.fails(self.windlass.deploy(self.reference, bad), "rolled back to")
        self.assertEqual(containers(self.name)["web"]["Image"], old)


if __name__ == "__main__":
    unittest.main()
