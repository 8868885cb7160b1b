"""Planted secrets: a marker of its own in everything that is secret, looked for in everything that comes out."""

import base64
import json
import os
import unittest

from harness import (BED_DIR, TESTBED, ArgumentLists, EndToEnd, bed, compose, containers, http, idle_service, payload,
                     push_archive, run, sign, unique, until, write_tree)


def marker(name):
    return f"planted-{name}-{unique('x')}"


class Secrets(EndToEnd):
    def setUp(self):
        super().setUp()
        run(TESTBED, "registry", BED_DIR, "basic")
        values = bed()
        self.basic, self.ca = values["REGISTRY_BASIC"], values["REGISTRY_BASIC_CA"]
        self.user, self.password = values["REGISTRY_BASIC_USER"], values["REGISTRY_BASIC_PASSWORD"]
        self.webhook, self.previous, self.api_key = marker("webhook"), marker("previous"), marker("api")
        self.hook, self.token = marker("hook"), marker("token")
        auth = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        self.secrets = [self.webhook, self.previous, self.api_key, self.hook, self.token, auth]
        hooks = [{"format": "distribution", "secret": self.hook, "allow": ["**"]},
                 {"format": "dockerhub", "secret": self.token, "allow": ["**"]}]
        self.windlass.settings.update(
            WEBHOOK_SECRET=self.webhook, WEBHOOK_SECRET_PREVIOUS=self.previous, API_SECRET=self.api_key,
            REGISTRY_WEBHOOKS=json.dumps(hooks), SSL_CERT_FILE=self.ca, LOG_LEVEL="debug",
            DOCKER_AUTH_CONFIG=json.dumps({"auths": {self.basic: {"auth": auth}}}))
        self.answers, self.argument_lists = [], ArgumentLists()

    def ask(self, method, path, body=None, headers=None):
        status, text, answered = http(method, self.windlass.url + path, body, headers or {})
        self.answers.append(text + str(answered))
        return status

    def wait_run(self, job_id):
        def ended():
            _, text, _ = http("GET", f"{self.windlass.url}/v1/api/run/{job_id}", None, {"x-api-key": self.api_key})
            self.answers.append(text)
            record = json.loads(text)["content"]
            return record if record["status"] in ("succeeded", "failed", "skipped") else None

        return until(ended, "the run to end", 60)

    def deploy(self, name, environment, command):
        ref = self.ref(name, registry=self.basic)
        write_tree(self.folder, {
            ".doco-cd.yaml": f"name: {name}\nenvironment: {{INNER: {environment}}}\n",
            "compose.yaml": compose({"app": idle_service(command=command, environment={"PASSWORD": "${INNER}"})})})
        digest = push_archive(self.folder, ref, "-u", self.user, "-p", self.password, "--ca-file", self.ca)
        body = payload(ref, digest).encode()
        answer = self.windlass.post(body, {"X-Doco-OCI-Signature-256": f"sha256={sign(body, self.webhook)}"})
        self.answers.append(answer.text)
        return self.wait_run(answer.job_id)

    def test_nothing_that_is_secret_comes_out(self):
        self.windlass.start()
        name, inner = self.stack("secret"), marker("environment")
        with self.argument_lists:
            self.succeeds(self.deploy(name, inner, ["sleep", "100000"]))
            self.fails(self.deploy(name, inner, ["sh", "-c", "exit 3"]), "exited with code 3")
            key = {"x-api-key": self.api_key}
            for path in ("runs", "releases", f"releases?stack={name}"):
                self.assertEqual(self.ask("GET", f"/v1/api/{path}", headers=key), 200)
            plan = json.dumps({"artifact": self.ref(name, registry=self.basic)}).encode()
            self.assertEqual(self.ask("POST", "/v1/api/plan", plan, key), 200)
            self.ask("GET", "/v1/api/runs", headers={"x-api-key": self.api_key + "x"})
            event = b'{"events":[{"action":"push","target":{"repository":"a","tag":"b"}}]}'
            self.ask("POST", "/v1/webhook", event, {"Authorization": self.hook})
            self.ask("POST", "/v1/webhook", event, {"Authorization": self.hook + "x"})
            hub = b'{"push_data":{"tag":"x"},"repository":{"repo_name":"a/b"}}'
            self.ask("POST", f"/v1/webhook?token={self.token}", hub)
            self.ask("POST", f"/v1/webhook?token={self.token}x", hub)
            self.ask("GET", f"/v1/webhook?token={self.token}")
        self.assertIn("PASSWORD=" + inner, containers(name)["app"]["Config"]["Env"])
        self.assertEqual(self.windlass.terminate(), 0)
        self.secrets.append(inner)
        for place, text in self.places(name):
            for secret in self.secrets:
                self.assertNotIn(secret.encode(), text, f"in {place}")

    def places(self, name):
        yield "the log", self.windlass.log().encode()
        yield "an answer", "\n".join(self.answers).encode()
        yield "an argument list", b"\n".join(self.argument_lists.seen)
        live = os.path.join(self.windlass.data, self.basic.replace(":", "_"))
        blobs = os.path.join(self.windlass.data, ".windlass/oci/blobs")
        for folder, _, files in os.walk(self.windlass.data):
            if folder.startswith((live, blobs)):  # what the artifact itself holds
                continue
            for file in files:
                with open(os.path.join(folder, file), "rb") as opened:
                    yield os.path.join(folder, file), opened.read()


if __name__ == "__main__":
    unittest.main()
