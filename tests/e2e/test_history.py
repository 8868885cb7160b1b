"""Seeing it: health, run records, history that outlives the process (api 2.1, 2.6, 3)."""

import re
import unittest

from harness import API_SECRET, BINARY, EndToEnd, compose, containers, http_get, idle_service, run, until

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z$")


class History(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("history")
        self.reference = self.ref(self.name)
        self.digest = self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\n",
                                                 "compose.yaml": compose({"app": idle_service()})})

    def test_health(self):
        status, text = http_get(f"{self.windlass.url}/v1/health")
        self.assertEqual(status, 200)
        self.assertIn('"content":"healthy"', text.replace(" ", ""))  # api/E41

    def test_the_key_is_wanted(self):
        for key in (None, "", "wrong"):
            status, body = self.windlass.api("runs", key=key)
            self.assertEqual((status, body["error"], body["content"]), (401, "invalid api key", ""))  # api/B4

    def test_a_run_from_accepted_to_succeeded(self):
        record = self.windlass.deploy(self.reference, self.digest)
        self.assertEqual({key: record.get(key) for key in ("trigger", "status", "repository", "revision", "message")}, {
            "trigger": "webhook", "status": "succeeded", "repository": f"test/{self.name}",
            "revision": f"main ({self.digest})", "message": "job completed successfully"})
        times = [record[key] for key in ("created_at", "started_at", "finished_at")]
        for time in times:
            self.assertRegex(time, TIME)
        self.assertNotIn("target", record)
        self.assertEqual(record["source"], self.reference.rsplit(":", 1)[0])  # webhook/X7
        [received] = self.windlass.events(msg="received new artifact job", artifact=self.reference)  # webhook/L2
        self.assertEqual(received["trigger"], {"commit": self.digest, "event": "webhook", "ref": "main"})
        [completed] = self.windlass.events(msg="job completed successfully", job_id=record["job_id"])  # webhook/L3
        self.assertRegex(completed["elapsed_time"], r"^[0-9.hms]+$")
        self.assertRegex(record["job_id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

    def test_a_running_job_tells_what_it_does(self):  # deploy/S19
        check = {"test": ["CMD-SHELL", "test -e /tmp/ready"], "interval": "200ms", "start_period": "60s"}
        digest = self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\n",
                                            "compose.yaml": compose({"app": idle_service(healthcheck=check)})})
        job_id = self.windlass.send(self.reference, digest).job_id
        phase = f"{self.name}: waiting for services to start"
        until(lambda: self.windlass.run(job_id).get("phase") == phase, "the phase")
        self.assertIn(phase, run(BINARY, "runs", "--url", self.windlass.url, API_SECRET=API_SECRET))
        run("docker", "exec", containers(self.name)["app"]["Id"], "touch", "/tmp/ready")
        self.assertNotIn("phase", self.succeeds(self.windlass.wait_run(job_id)))

    def test_lists_filter_and_limit(self):
        done = self.windlass.deploy(self.reference, self.digest)["job_id"]
        skipped = self.windlass.deploy(self.reference, self.digest)["job_id"]
        ids = lambda query: [record["job_id"] for record in self.windlass.api("runs" + query)[1]["content"]]
        self.assertEqual(ids(""), [skipped, done])
        self.assertEqual(ids("?limit=1"), [skipped])
        self.assertEqual(ids("?status=Succeeded"), [done])
        self.assertEqual(ids("?trigger=poll"), [])
        for query, error, content in (
                ("limit=0", "invalid parameter: limit", "'limit' parameter must be a positive integer"),  # E2
                ("limit=x", "invalid parameter: limit", "'limit' parameter must be a positive integer"),
                ("status=done", "invalid deployment run status",
                 "valid status values: accepted, running, succeeded, failed, skipped"),  # E3
                ("trigger=push", "invalid deployment run trigger",
                 "valid trigger values: webhook, poll, scheduled_job")):  # E4
            status, body = self.windlass.api(f"runs?{query}")
            self.assertEqual((status, body["error"], body["content"]), (400, error, content), query)
        status, body = self.windlass.api("run/not-there")
        self.assertEqual((status, body["error"]), (404, "run not found: not-there"))  # E5

    def test_a_job_tells_that_it_waits_for_another(self):
        slow = idle_service(healthcheck={"test": ["CMD", "false"], "interval": "30s", "retries": 100})
        digest = self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\ntimeout: 2\n",
                                            "compose.yaml": compose({"slow": slow})})
        until(lambda: self.windlass.events(msg="docker engine answers"), "jobs to be begun")
        first = self.windlass.send(self.reference, digest).job_id
        second = self.windlass.send(self.reference, digest, target="other").job_id
        self.windlass.wait_run(second)
        waits = self.windlass.events(msg="waiting for webhook artifact lock")  # webhook/C3
        self.assertEqual([event["job_id"] for event in waits], [second], first)

    def test_a_restart_keeps_the_history_and_knows_what_is_deployed(self):
        record = self.windlass.deploy(self.reference, self.digest)
        self.assertEqual(self.windlass.terminate(), 0)
        self.windlass.start()
        self.assertEqual(self.windlass.run(record["job_id"]), record)
        self.assertEqual(self.windlass.deploy(self.reference, self.digest)["status"], "skipped")


if __name__ == "__main__":
    unittest.main()
