"""People are told through Apprise what became of a deployment (api 6)."""

import json
import time
import unittest

from apprise import URLS, Apprise
from harness import EndToEnd, compose, containers, idle_service, run, until


class Notify(EndToEnd):
    def setUp(self):
        super().setUp()
        self.apprise = Apprise()
        self.apprise.up()
        self.addCleanup(self.apprise.down)
        self.addCleanup(self.apprise.answers.set)
        self.windlass.settings.update(APPRISE_API_URL=self.apprise.url, APPRISE_NOTIFY_URLS=URLS)
        self.name = self.stack("notify")
        self.reference = self.ref(self.name)

    def deploy(self, **service):
        files = {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": idle_service(**service)})}
        return self.windlass.deploy(self.reference, self.push(self.reference, files))

    def deploy_bad(self, number):
        """A stack that cannot be, each time another artifact and the same message."""
        files = {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": f"services: {{app: {{}}}} # {number}\n"}
        return self.fails(self.windlass.deploy(self.reference, self.push(self.reference, files)))

    def wait_titles(self, *titles, seconds=30):
        until(lambda: len(self.apprise.messages) >= len(titles), f"{len(titles)} notifications", seconds)
        time.sleep(0.3)  # and not one more
        self.assertEqual(self.apprise.titles(), list(titles))

    def test_a_deployment_is_told(self):
        self.windlass.start(APPRISE_NOTIFY_LEVEL="info")
        record = self.succeeds(self.deploy())
        self.wait_titles("ℹ️ Deployment started", "✅ Deployment completed")
        message = self.apprise.messages[1]
        self.assertEqual((message["urls"], message["type"]), (URLS, "success"))
        lines = message["body"].splitlines()
        self.assertEqual(lines[:2], [f"Successfully deployed stack {self.name}", ""])
        self.assertEqual([line.split(": ")[0] for line in lines[2:]],
                         ["duration", "job_id", "repository", "revision", "stack"])
        self.assertIn(f"job_id: {record['job_id']}", lines)
        self.assertIn(f"repository: {self.reference.rsplit(':', 1)[0]}", lines)
        self.deploy()  # as it was: skipped
        time.sleep(0.5)
        self.assertEqual(len(self.apprise.messages), 2)
        self.assertNotIn("token-a", self.windlass.log())

    def test_a_failure_is_told_once_until_it_is_over(self):
        self.windlass.start()
        record = self.deploy_bad(1)
        self.wait_titles("❌ Deployment Failed")
        message = self.apprise.messages[0]
        self.assertEqual(message["type"], "failure")
        self.assertIn(f"stack: {self.name}", message["body"])
        self.assertIn(message["body"].splitlines()[0], record["message"])
        self.deploy_bad(2)
        self.windlass.terminate()
        self.windlass.start()  # still known
        self.deploy_bad(3)
        self.wait_titles("❌ Deployment Failed")
        self.succeeds(self.deploy())
        self.deploy_bad(4)
        self.wait_titles("❌ Deployment Failed", "✅ Deployment completed", "❌ Deployment Failed")

    def test_a_failure_is_told_once_the_receiver_is_back(self):
        self.apprise.down()
        self.windlass.start()
        self.deploy_bad(1)
        until(lambda: self.windlass.events(msg="notification was not delivered"), "the tries to be over", 30)
        self.apprise.up()
        self.deploy_bad(2)
        self.wait_titles("❌ Deployment Failed")

    def test_a_refusal_is_logged_without_secrets(self):
        self.apprise.status = 400
        self.windlass.start()
        self.deploy_bad(1)
        event = until(lambda: self.windlass.events(msg="notification was not delivered"), "the refusal")[0]
        self.assertEqual(event["error"], 'apprise answered 400: {"error":"no answer from [REDACTED_URL]",'
                                         '"token":"[REDACTED]"}')

    def test_no_deployment_waits_for_a_receiver_that_hangs(self):
        self.apprise.answers.clear()
        self.windlass.start(APPRISE_NOTIFY_LEVEL="info")
        self.succeeds(self.deploy())
        self.assertEqual(self.windlass.events(msg="notification sent"), [])
        self.assertEqual(len(self.apprise.messages), 1)

    def test_a_failure_is_told_by_the_next_start_after_a_kill(self):  # reliability/F12
        self.windlass.start()
        self.apprise.answers.clear()
        record = self.deploy_bad(1)
        until(lambda: self.apprise.messages, "the first try")
        self.windlass.kill()
        self.apprise.answers.set()
        self.windlass.start()
        self.wait_titles("❌ Deployment Failed", "❌ Deployment Failed")
        self.assertEqual(self.windlass.run(record["job_id"])["status"], "failed")
        self.windlass.terminate()
        self.windlass.start()
        time.sleep(1)
        self.assertEqual(len(self.apprise.messages), 2)

    def test_a_release_that_goes_back_is_one_failure(self):
        config = f"name: {self.name}\nrollback: {{stable_for: 0s}}\n"
        good, bad = idle_service(), idle_service(command=["sh", "-c", "exit 5"])
        self.windlass.start()
        for service in (good, bad):
            files = {".doco-cd.yaml": config, "compose.yaml": compose({"app": service})}
            record = self.windlass.deploy(self.reference, self.push(self.reference, files))
        self.fails(record, "rolled back to")
        self.wait_titles("✅ Deployment completed", "❌ Deployment Failed")
        self.assertIn("rolled back to", self.apprise.messages[1]["body"])

    def test_a_source_that_cannot_be_polled_is_told(self):
        polls = json.dumps([{"source": "oci", "url": self.reference, "interval": 10}])
        self.windlass.start(POLL_CONFIG=polls)
        self.wait_titles("❌ Poll Job failed")
        self.assertIn("not found", self.apprise.messages[0]["body"])
        files = {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": idle_service()})}
        self.push(self.reference, files)
        self.wait_titles("❌ Poll Job failed", "✅ Deployment completed", seconds=60)

    def test_the_body_follows_a_template(self):
        template = "{{.Emoji}} {{.Stack}}{{range $i, $s := .ChangedServices}}{{if $i}},{{end}} {{$s}}{{end}}\n"
        self.windlass.start(APPRISE_NOTIFY_BODY_TEMPLATE=template)
        self.succeeds(self.deploy())
        self.wait_titles("✅ Deployment completed")
        self.assertEqual(self.apprise.messages[0]["body"], f"✅ {self.name} app\n")

    def test_a_template_that_is_wrong_stops_the_start(self):
        self.windlass.start(healthy=False, APPRISE_NOTIFY_BODY_TEMPLATE="{{.Stack}}\n{{template \"x\"}}")
        self.assertEqual(self.windlass.wait_end(), 1)
        self.assertIn("failed to configure notifications: APPRISE_NOTIFY_BODY_TEMPLATE: line 2: {{template}} is not "
                      "supported", self.windlass.log())

    def test_a_restart_of_a_container_is_told(self):
        self.windlass.start()
        self.succeeds(self.deploy(tmpfs=["/run"], healthcheck={"test": ["CMD", "test", "!", "-e", "/run/sick"],
                                                               "interval": "1s", "retries": 1}))
        container = containers(self.name)["app"]
        run("docker", "exec", container["Id"], "touch", "/run/sick")
        self.wait_titles("✅ Deployment completed", "✅ [R] Container restarted", seconds=60)
        lines = self.apprise.messages[1]["body"].splitlines()
        name = container["Name"].lstrip("/")
        self.assertEqual(lines[0], f'Container {name} ({container["Id"][:12]}) was restarted successfully on "unhealthy" '
                                   "event")
        self.assertEqual(lines[-4:], ["reconciliation:", f"  container_id: {container['Id'][:12]}",
                                      f"  container_name: {name}", "  event: unhealthy"])


if __name__ == "__main__":
    unittest.main()
