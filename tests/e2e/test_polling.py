"""Polling (config 11, oci 13, api 2.2): a push deploys by itself, and what has not moved costs one request."""

import json
import os
import time
import unittest

from counting_proxy import CountingProxy
from harness import API_SECRET, Answer, EndToEnd, bed, compose, containers, http, idle_service, run, until


class Polling(EndToEnd):
    def setUp(self):
        super().setUp()
        self.name = self.stack("poll")
        self.registry = CountingProxy(bed()["REGISTRY"])
        self.addCleanup(self.registry.stop)
        # Pushed to the registry, polled through the proxy.
        self.pushed = self.ref(self.name)
        self.polled = self.ref(self.name, registry=self.registry.address)

    def poll(self, *entries):
        """Each is an entry of POLL_CONFIG without what all of them share; none: the usual one."""
        entries = entries or ({"interval": 10},)
        config = [{"source": "oci", "url": self.polled, **entry} for entry in entries]
        self.windlass.settings["POLL_CONFIG"] = json.dumps(config)

    def push_version(self, version, **service):
        return self.push(self.pushed, {
            ".doco-cd.yaml": f"name: {self.name}\n",
            "compose.yaml": compose({"app": idle_service(environment={"V": version}, **service)})})

    def version(self, stack=None):
        """Of the one container there is; None while there is none, or an old and a new one."""
        try:
            app = containers(stack or self.name).get("app")
        except AssertionError:
            return None
        return app and next((e[2:] for e in app["Config"]["Env"] if e.startswith("V=")), None)

    def wait_for_version(self, version, seconds=60):
        until(lambda: self.version() == version, f"version {version} to run", seconds)

    def polls(self, **fields):
        """Run records of polls that were jobs or would have been, newest first."""
        status, body = self.windlass.api("runs?trigger=poll&limit=200")
        assert status == 200, body
        return [run for run in body["content"] if all(run.get(name) == value for name, value in fields.items())]

    def wait_for_poll(self, seconds=60, **fields):
        return until(lambda: self.polls(**fields), f"a poll run with {fields}", seconds)[0]

    def data_files(self):
        """Path -> what it is and since when, of every file and folder below the data folder: equal if nobody wrote."""
        found = {}
        for folder, _, names in os.walk(self.windlass.data):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                if not path.endswith("-shm"):  # memory that SQLite's readers share; never flushed
                    status = os.lstat(path)
                    found[path] = status.st_ino, status.st_mtime_ns, status.st_size
        return found

    def wait_for_looks(self, count, seconds=60):
        until(lambda: self.registry.count() >= count, f"{count} looks", seconds)

    def test_a_push_deploys_by_itself_and_nothing_else_costs_more_than_a_head(self):
        digest = self.push_version("1")
        self.poll()
        self.windlass.start()
        record = self.wait_for_poll(status="succeeded")
        self.assertEqual(self.version(), "1")
        self.assertEqual(record["revision"], f"main ({digest})")
        self.assertEqual(record["repository"], f"{self.registry.address}/test/{self.name}")  # host/path: api 3
        labels = containers(self.name)["app"]["Config"]["Labels"]
        self.assertEqual(labels["cd.doco.source.name"], f"test/{self.name}")  # oci 14
        self.assertEqual(labels["cd.windlass.source.id"], f"{self.registry.address}/test/{self.name}")
        self.assertEqual(labels["cd.doco.deployment.target.sha"], digest)
        self.assertEqual(labels["cd.doco.deployment.trigger"], digest)

        time.sleep(1)  # tidying after the job
        self.registry.take()
        before = self.data_files()
        self.wait_for_looks(2)
        looks = self.registry.take()
        for method, path, status, condition in looks:  # oci 13
            self.assertEqual((method, path, status), ("HEAD", f"/v2/test/{self.name}/manifests/main", 304))
            self.assertIn(digest, condition)
        self.assertEqual(self.data_files(), before)  # oci 13: no disk writes
        self.assertTrue(self.wait_for_poll(status="skipped", message="no changes"))  # api/N5
        self.assertEqual(len(self.polls(status="succeeded")), 1)
        container = containers(self.name)["app"]["Id"]

        self.push_version("2")
        self.wait_for_version("2")
        self.assertNotEqual(containers(self.name)["app"]["Id"], container)
        until(lambda: len(self.polls(status="succeeded")) == 2, "the second run to end")

        # A new process knows what is deployed: no job, no write but its own start.
        self.windlass.terminate()
        self.registry.take()
        self.windlass.start()
        self.wait_for_poll(status="skipped", message="no changes")
        self.assertEqual([asked[0] for asked in self.registry.take()], ["GET", "HEAD"])  # which scheme, then the look
        self.assertEqual(len(self.polls(status="succeeded")), 2)

    def test_what_was_removed_by_hand_comes_back(self):  # deploy/N17
        self.push_version("1", restart="always")
        self.poll()
        self.windlass.start()
        self.wait_for_poll(status="succeeded")
        run("docker", "rm", "-f", containers(self.name)["app"]["Id"])
        self.wait_for_version("1")

    def test_polls_and_webhooks_share_a_lane(self):  # webhook/C1
        slow = {"healthcheck": {"test": ["CMD", "true"], "interval": "3s"}}
        digest = self.push_version("1", **slow)
        self.poll({"run_once": True, "interval": 0})
        self.windlass.start()
        self.wait_for_poll(status="running")
        webhook = self.windlass.send(self.polled, digest)
        self.assertEqual(webhook.status, 202, webhook.text)
        self.assertEqual(self.windlass.run(webhook.job_id)["status"], "accepted")
        after = self.windlass.wait_run(webhook.job_id)
        poll = self.wait_for_poll(status="succeeded")
        self.assertEqual(after["status"], "skipped", after)
        self.assertGreaterEqual(after["started_at"].rstrip("Z"), poll["finished_at"].rstrip("Z"))  # zeros are left out

    def test_the_list_of_allowed_artifacts_is_for_webhooks(self):  # oci 2
        digest = self.push_version("1")
        self.poll({"run_once": True, "interval": 0})
        self.windlass.start(OCI_ALLOWED_ARTIFACTS="other.example/**")
        self.wait_for_poll(status="succeeded")
        self.assertEqual(self.version(), "1")
        refused = self.windlass.send(self.polled, digest)
        self.assertEqual((refused.status, refused.body["error"]), (403, "artifact not allowed"))
        self.push_version("2")
        self.assertEqual(self.run_polls([{"source": "oci", "url": self.polled}])[0], 200)
        self.assertEqual(self.version(), "2")

    def test_run_once(self):
        self.push_version("1")
        self.poll({"run_once": True, "interval": 10})
        self.windlass.start()
        self.wait_for_poll(status="succeeded")
        self.registry.take()
        self.push_version("2")
        time.sleep(13)
        self.assertEqual(self.registry.take(), [])
        self.assertEqual(self.version(), "1")

    def test_inline_deployments(self):  # config 5
        stack = self.stack("inline")
        self.push(self.pushed, {  # no deploy config: oci 7
            "one.yaml": compose({"app": idle_service(environment={"V": "${VERSION}"})}),
            "two.yaml": compose({"app": {"environment": {"TWO": "yes"}}})})
        self.poll({"interval": 10, "target": "prod", "deployments": [
            {"name": stack, "compose_files": ["one.yaml", "two.yaml"], "environment": {"VERSION": "inline secret"}}]})
        self.windlass.start()
        self.wait_for_poll(status="succeeded")
        app = containers(stack)["app"]["Config"]
        self.assertEqual(self.version(stack), "inline secret")
        self.assertIn("TWO=yes", app["Env"])
        self.assertEqual(app["Labels"]["cd.doco.deployment.config.target"], "prod")
        self.wait_for_poll(status="skipped", message="no changes")
        self.assertEqual(len(self.polls(status="succeeded")), 1)
        self.assertNotIn("inline secret", self.windlass.log())

        # Another configuration of the same digest is another deployment.
        self.windlass.terminate()
        self.poll({"interval": 10, "target": "prod", "deployments": [
            {"name": stack, "compose_files": ["one.yaml"], "environment": {"VERSION": "2"}}]})
        self.windlass.start()
        until(lambda: self.version(stack) == "2", "the new configuration")

    def test_an_outage_changes_nothing_and_is_told_once(self):  # reliability/P11
        self.push_version("1")
        self.poll()
        self.windlass.start()
        self.wait_for_poll(status="succeeded")
        container = containers(self.name)["app"]["Id"]
        self.registry.stop()
        until(lambda: self.windlass.events(msg="polling is held up"), "the outage to be noticed")
        self.push_version("2")
        time.sleep(12)  # a second look that fails
        self.assertEqual(containers(self.name)["app"]["Id"], container)
        self.assertEqual(len(self.windlass.events(msg="polling is held up")), 1)
        self.assertEqual(self.windlass.events(msg="polling goes on"), [])
        self.registry.start()
        self.wait_for_version("2")
        self.assertEqual(len(self.windlass.events(msg="polling is held up")), 1)
        over = self.windlass.events(msg="polling goes on")
        self.assertEqual([event["by"] for event in over], [f"registry {self.registry.address}"])

    def test_what_was_removed_by_hand_comes_back_while_the_registry_is_down(self):  # reliability/P11
        self.push_version("1", restart="always")
        self.poll()
        self.windlass.start()
        self.wait_for_poll(status="succeeded")
        self.registry.stop()
        until(lambda: self.windlass.events(msg="polling is held up"), "the outage to be noticed")
        run("docker", "rm", "-f", containers(self.name)["app"]["Id"])
        self.wait_for_version("1")
        repair = self.wait_for_poll(cause="repair", status="succeeded")
        time.sleep(12)  # the next look
        self.assertEqual(len(self.polls(cause="repair")), 1, repair)
        self.registry.start()

    def test_f55_a_registry_that_comes_back_with_older_content(self):
        """What it has lost changes nothing (P11); a tag that went back is followed, late deliveries are not (P6)."""
        first = self.push_version("1")
        self.poll()
        self.windlass.start()
        self.wait_for_poll(status="succeeded")
        second = self.push_version("2")
        self.wait_for_version("2")
        until(lambda: len(self.polls(status="succeeded")) == 2, "the second run to end")
        container = containers(self.name)["app"]["Id"]

        self.registry.stop()
        until(lambda: self.windlass.events(msg="polling is held up", by=f"registry {self.registry.address}"),
              "the outage to be noticed")
        self.registry.answer = 404, []  # it has lost its storage
        self.registry.start()
        until(lambda: self.windlass.events(msg="polling is held up", by=self.polled), "the loss to be noticed", 60)
        self.assertEqual(containers(self.name)["app"]["Id"], container)

        run("oras", "tag", "--plain-http", f"{self.pushed.rsplit(':', 1)[0]}@{first}", "main")
        self.registry.answer = None  # a backup from before the second push was put in its place
        self.wait_for_version("1", 90)
        until(lambda: len(self.polls(status="succeeded")) == 3, "the third run to end")
        late = self.windlass.deploy(self.polled, second)
        self.assertEqual((late["status"], late["message"]), ("skipped", f"superseded: main now points to {first}"))
        self.assertEqual(self.version(), "1")

    def test_a_registry_that_wants_to_be_left_alone_is(self):  # oci 3.4
        self.push_version("1")
        self.poll()
        self.registry.answer = 429, [("Retry-After", "25")]
        self.windlass.start()
        until(lambda: self.windlass.events(msg="polling is held up"), "the refusal to be noticed")
        self.registry.answer = None
        self.registry.take()
        time.sleep(20)
        self.assertEqual(self.registry.take(), [])
        self.wait_for_version("1")

    def test_a_release_that_compose_refuses_is_tried_again_and_says_so(self):
        self.push(self.pushed, {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": "services: {app: {imagine: x}}\n"})
        self.poll()
        self.windlass.start()
        again = "; the poll tries it again after 10s, and each failure doubles that, up to 1m40s"
        record = self.wait_for_poll(status="failed")
        self.assertTrue(record["message"].endswith(again), record)
        until(lambda: len(self.polls(status="failed", message=record["message"])) == 2, "the next try")
        self.push_version("1")
        self.wait_for_version("1", 90)

    def test_a_failed_release_is_not_tried_again_by_polls(self):  # deploy/V6
        self.push_version("1", command=["sh", "-c", "exit 7"])
        self.poll()
        self.windlass.start()
        failed = self.fails(self.wait_for_poll(status="failed"), "exited with code 7")
        self.assertNotIn("tries it again", failed["message"])
        self.registry.take()
        self.wait_for_looks(2)
        self.assertEqual({asked[0] for asked in self.registry.take()}, {"HEAD"})
        self.assertEqual(len(self.polls(status="failed")), 1)
        self.assertTrue(self.polls(status="skipped", message="no changes since this release failed"))

        status, body = self.run_polls([{"source": "oci", "url": self.polled}])  # an operator may
        self.assertEqual(status, 500)
        self.assertEqual(len(self.polls(status="failed", parent=body["job_id"])), 1)
        self.push_version("2")
        self.wait_for_version("2")

    # --- POST /v1/api/poll/run ---

    def run_polls(self, entries, query="", key=API_SECRET):
        answer = Answer(*http("POST", f"{self.windlass.url}/v1/api/poll/run{query}", json.dumps(entries).encode(),
                              {"x-api-key": key} if key else {}, 120))
        return answer.status, answer.body

    def test_polls_run_on_request(self):  # api/E6 to E13
        self.push_version("1")
        self.windlass.start()
        entry = {"source": "oci", "url": self.polled, "interval": 5}
        self.assertEqual(self.run_polls([entry], key="wrong")[0], 401)

        status, body = self.run_polls([entry])
        self.assertEqual((status, body["content"]), (200, "poll jobs complete"))
        self.assertEqual(self.version(), "1")
        call = self.windlass.wait_run(body["job_id"])
        self.assertEqual((call["status"], call["message"], call["trigger"]), ("succeeded", "poll jobs complete", "poll"))
        self.assertEqual(call["repository"], f"{self.registry.address}/test/{self.name}")
        (child,) = self.polls(parent=body["job_id"])
        self.assertEqual(child["status"], "succeeded")

        missing = {"source": "oci", "url": self.ref(self.name, tag="absent")}
        status, body = self.run_polls([entry, missing], "?wait=true")
        self.assertEqual((status, body["error"]), (500, "1/2 poll jobs failed"))
        self.assertEqual([end["status"] for end in body["content"]], ["skipped", "failed"])
        self.assertEqual(self.windlass.run(body["job_id"])["repository"], "multiple")

        self.push_version("2")
        status, body = self.run_polls([{"Source": "oci", "URL": self.polled}], "?wait=false")
        self.assertEqual((status, body["content"]), (202, "poll jobs started"))
        self.assertEqual(self.windlass.wait_run(body["job_id"])["status"], "succeeded")
        self.assertEqual(self.version(), "2")

        status, body = self.run_polls([{"source": "oci", "url": "not a reference"}])
        self.assertEqual((status, body["error"]), (400, "invalid poll configuration at index 0"))

    def test_a_body_over_the_limit_is_refused(self):  # api/B9
        self.windlass.settings["MAX_PAYLOAD_SIZE"] = 100
        self.windlass.start()
        status, body = self.run_polls([{"source": "oci", "url": self.polled, "reference": "x" * 200}])
        self.assertEqual((status, body["content"]), (413, "http: request body too large"))

    def test_every_fault_of_the_configuration_stops_the_start(self):  # config 11
        self.windlass.settings["POLL_CONFIG"] = json.dumps(
            [{"source": "git", "url": "https://example.com/a/b"}, {"source": "oci", "url": "UPPER/case:1", "interval": 3}])
        self.windlass.start(healthy=False)
        self.assertEqual(self.windlass.wait_end(), 1)
        faults = [event["error"] for event in self.windlass.events(msg="invalid setting")]
        self.assertTrue(any("source: git, the default, is not built yet" in fault for fault in faults), faults)
        self.assertTrue(any("invalid OCI artifact reference" in fault for fault in faults), faults)
        self.assertTrue(any("poll interval too low: must be at least 10s" in fault for fault in faults), faults)

    def test_a_stop_does_not_wait_for_a_registry_that_hangs(self):  # api/Z4
        self.push_version("1")
        self.poll()
        hang = self.registry.answer_to
        self.registry.answer_to = lambda request: (time.sleep(20), hang(request))[1]
        self.windlass.start()
        time.sleep(1)
        began = time.monotonic()
        self.assertEqual(self.windlass.terminate(), 0)
        self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    unittest.main()
