"""What a deployment would do is told before it is done, by the API and by `windlass plan`, and nothing is changed by it."""

import json
import os
import subprocess
import threading
import time
import unittest

from fault_proxy import FaultProxy, always, stalled
from harness import (API_SECRET, BINARY, EndToEnd, bed, compose, container_ids, free_port, http, idle_service, page_project, unique,
                     until)


class Plan(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        until(lambda: self.windlass.events(msg="docker engine answers"), "the service to be ready")
        self.name = self.stack("plan")
        self.reference = self.ref(self.name)

    def plan(self, reference=None, **fields):
        body = json.dumps({"artifact": reference or self.reference, **fields}).encode()
        status, text, _ = http("POST", f"{self.windlass.url}/v1/api/plan", body, {"x-api-key": API_SECRET})
        return status, json.loads(text)

    def only_stack(self):
        status, answer = self.plan()
        self.assertEqual(status, 200, answer)
        return answer["content"]["stacks"][0]

    def command(self, *arguments):
        environment = {**os.environ, "API_SECRET": API_SECRET, "WINDLASS_URL": self.windlass.url}
        done = subprocess.run([BINARY, *arguments], env=environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def state(self):
        live = sorted(os.path.join(folder, file) for folder, _, files in os.walk(self.windlass.data)
                      if ".windlass" not in folder for file in files)
        return container_ids(self.name), live, self.windlass.api("releases")[1]["content"], self.windlass.api("runs")[1]

    def test_a_first_deployment(self):
        self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\n",
                                   "compose.yaml": compose({"app": idle_service(), "db": idle_service()})})
        before = self.state()
        stack = self.only_stack()
        self.assertEqual((stack["name"], stack["decision"]), (self.name, "deploy"))
        self.assertEqual([(service["service"], service["action"]) for service in stack["services"]],
                         [("app", "create"), ("db", "create")])
        self.assertEqual(self.state()[:3], before[:3], "nothing is changed")
        self.assertEqual(self.state()[3]["content"], [], "and no run is made")

    def test_an_unknown_key(self):
        self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\ntiemout: 45\n",
                                   "compose.yaml": compose({"app": idle_service()})})
        warning = '.doco-cd.yaml:2: unknown key "tiemout", did you mean "timeout"?'
        self.assertEqual(self.plan()[1]["content"]["warnings"], [warning])
        code, out, _ = self.command("plan", self.reference)
        self.assertEqual(code, 0, out)
        self.assertIn(f"\n! {warning}\n", out)

    def test_a_change_and_its_reasons(self):
        port = free_port()
        files = page_project(self.name, port, environment={"PASSWORD": "swordfish-one"})
        digest = self.push(self.reference, files)
        self.succeeds(self.windlass.deploy(self.reference, digest))
        self.assertEqual(self.only_stack()["decision"], "no changes")
        files = page_project(self.name, port, "two", environment={"PASSWORD": "swordfish-two"}, hostname="other")
        self.push(self.reference, files)
        before = self.state()
        status, answer = self.plan()
        stack = answer["content"]["stacks"][0]
        self.assertEqual(stack["services"][0]["action"], "recreate")
        reasons = " ".join(stack["services"][0]["reasons"])
        for reason in ("environment changed", "hostname added", "content of www"):
            self.assertIn(reason, reasons)
        changes = {change["path"]: (change["before"], change["after"]) for change in stack["changes"]}
        self.assertEqual(changes["services.web.hostname"], ("", '"other"'))
        self.assertIn("services.web.environment.PASSWORD", changes)
        self.assertNotIn("swordfish", json.dumps(answer))
        self.assertEqual(self.state()[:3], before[:3])
        code, out, err = self.command("plan", self.reference)
        self.assertEqual(code, 0, err)
        self.assertIn(f"{self.name}: deploy\n  recreate  web  (", out)
        self.assertIn('  + services.web.hostname: "other"\n', out)
        code, out, err = self.command("status")
        self.assertEqual(code, 0, err)
        self.assertIn("service  healthy\nrunning  0\n", out)
        self.assertIn(self.name, out)

    def test_a_folder_that_is_no_artifact_yet(self):
        files = {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": idle_service()})}
        self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, files)))
        with open(os.path.join(self.folder, "compose.yaml"), "w") as file:
            file.write(compose({"app": idle_service(hostname="other"), "more": idle_service()}))
        before = self.state()
        code, out, err = self.command("plan", self.folder, "--as", self.reference)
        self.assertEqual(code, 0, err)
        self.assertIn("  recreate  app  (hostname added)\n  create    more", out)
        self.assertEqual(self.state()[:3], before[:3])
        self.assertEqual(self.command("plan", self.folder)[0], 2)
        for elsewhere in (f"oci://{bed()['REGISTRY']}/x/y$SECRET:1", f"http://{bed()['REGISTRY']}/x/y.git"):
            with open(os.path.join(self.folder, "compose.yaml"), "w") as file:
                file.write(json.dumps({"include": [elsewhere], "services": {"app": idle_service()}}))
            code, out, err = self.command("plan", self.folder, "--as", self.reference)
            self.assertEqual(code, 1, out + err)
            self.assertIn("are not followed for files that are no artifact yet", out + err)
        with open(os.path.join(self.folder, ".doco-cd.yaml"), "w") as file:
            file.write("name: A B\n")
        code, _, err = self.command("plan", self.folder, "--as", self.reference)
        self.assertEqual(code, 1)
        self.assertIn("is not a valid name", err)

    def test_what_would_fail(self):
        self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\ntimeout: soon\n", "compose.yaml": "services: {}"})
        status, answer = self.plan()
        self.assertEqual((status, answer["error"]), (500, "planning failed"))
        self.assertIn(".doco-cd.yaml:2: timeout", answer["content"])
        status, answer = self.plan(self.ref(unique("none")))
        self.assertEqual(status, 500)
        self.assertIn("not found", answer["content"])
        self.assertEqual(self.plan("UPPER/x")[0], 400)
        code, _, err = self.command("plan", self.reference)
        self.assertEqual(code, 1)
        self.assertIn("timeout", err)

    def test_a_stop_does_not_wait_for_one_that_asks_in_vain(self):
        proxy = FaultProxy(bed()["REGISTRY"])
        self.addCleanup(proxy.close)
        self.push(self.reference, {".doco-cd.yaml": f"name: {self.name}\n",
                                   "compose.yaml": compose({"app": idle_service()})})
        proxy.on("GET", "/blobs/", always(stalled(10)))
        answers = []

        def ask():
            try:
                answers.append(self.plan(self.ref(self.name, registry=proxy.address)))
            except OSError:
                answers.append(None)  # the service was gone first

        asker = threading.Thread(target=ask)
        asker.start()
        until(lambda: proxy.requests("GET", "/blobs/"), "the registry to be asked")
        begin = time.monotonic()
        self.assertEqual(self.windlass.terminate(), 0)
        self.assertLess(time.monotonic() - begin, 15)  # 10 s are given to open requests (api Z1)
        asker.join()
        self.assertEqual(len(answers), 1)

    def test_history_and_rollback_by_command(self):
        port = free_port()
        for page in ("one", "two"):
            self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference,
                                                                          page_project(self.name, port, page))))
        code, out, _ = self.command("history", self.name)
        self.assertEqual((code, out.count("succeeded")), (0, 2), out)
        code, _, err = self.command("rollback", self.name, "--dry-run")
        self.assertEqual(code, 0)
        self.assertIn(f"would bring back {self.name}", err)
        code, out, err = self.command("rollback", self.name)
        self.assertEqual(code, 0, err)
        self.assertEqual(self.windlass.run(out.strip())["cause"], "rollback")
        self.assertEqual(http("GET", f"http://127.0.0.1:{port}/")[1], "one")
        code, out, _ = self.command("runs", "--json")
        self.assertEqual((code, len(json.loads(out))), (0, 3))
        self.assertEqual(self.command("history", "nobody")[0], 1)


if __name__ == "__main__":
    unittest.main()
