"""Registries announce pushes in their own words: a real registry's notifications, and senders that sign or carry a token."""

import hashlib
import hmac
import json
import os
import subprocess
import unittest

from harness import EndToEnd, compose, containers, free_port, http_get, idle_service, until
from test_trust import Signer, policy_of

NOTIFY = "Bearer of-the-registry"
HOOKS = """
- {format: distribution, secret: "Bearer of-the-registry", allow: ["127.0.0.1:%d/team/*"]}
- {format: gitea-package, secret: key-of-gitea, allow: ["127.0.0.1:%d/**"]}
- {format: dockerhub, secret: token-in-the-url, allow: ["**"], registry_host: "127.0.0.1:%d"}
"""


class RegistryEvents(EndToEnd):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        hooks = HOOKS % (self.port, self.port, self.port)
        self.windlass.settings.update(REGISTRY_WEBHOOKS=hooks, WEBHOOK_SECRET=None)
        self.windlass.start()
        self.start_registry()
        self.name = self.stack("event")

    def start_registry(self):
        """docker-registry that tells windlass of every event, as docs/registries/distribution.md says."""
        config = os.path.join(self.windlass.folder, "registry.yml")
        with open(config, "w") as file:
            file.write(f"""
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {self.windlass.folder}/registry}}}}
http: {{addr: "{self.address}"}}
notifications:
  endpoints:
    - name: windlass
      url: {self.windlass.url}/v1/webhook
      headers: {{Authorization: ["{NOTIFY}"]}}
      timeout: 2s
      threshold: 3
      backoff: 1s
""")
        self.registry = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.registry.wait)
        self.addCleanup(self.registry.kill)
        until(self.registry_answers, "the registry to answer")

    def registry_answers(self):
        try:
            return http_get(f"http://{self.address}/v2/")[0] == 200
        except OSError:
            return False

    def push_version(self, version, repository="team", tag="main"):
        return self.push(f"{self.address}/{repository}/{self.name}:{tag}", {
            ".doco-cd.yaml": f"name: {self.name}\n",
            "compose.yaml": compose({"app": idle_service(environment={"V": version})})})

    def version(self):
        app = containers(self.name)["app"]
        return next(entry for entry in app["Config"]["Env"] if entry.startswith("V="))

    def runs(self):
        return self.windlass.api("runs")[1]["content"]

    def test_a_push_to_a_registry_is_enough(self):
        for count, version in enumerate(("one", "two"), 1):
            digest = self.push_version(version)
            until(lambda: len(self.runs()) == count, "a run of the push")
            record = self.succeeds(self.windlass.wait_run(self.runs()[0]["job_id"]))
            self.assertEqual(record["revision"], f"main ({digest})")
            self.assertEqual(self.version(), f"V={version}")
        self.assertEqual([run["status"] for run in self.runs()], ["succeeded", "succeeded"], "one run a push")

    def test_a_signature_that_comes_after_the_push_is_waited_for(self):
        signer = Signer(self.windlass.folder, "late")
        self.windlass.terminate()
        self.windlass.start(OCI_TRUST_POLICY=policy_of(signer))
        digest = self.push_version("one")
        waiting = until(lambda: self.windlass.events(
            msg="announced artifact is not trusted yet: its signature may still come"), "the signature to be missed")
        self.assertEqual(waiting[0]["digest"], digest)
        self.assertEqual(containers(self.name), {})
        signer.sign(f"{self.address}/team/{self.name}@{digest}")
        self.succeeds(self.windlass.wait_run(self.runs()[0]["job_id"]))
        self.assertEqual(self.version(), "V=one")
        self.assertEqual(len(self.runs()), 1, "the push of the signature is no deployment")

    def test_what_is_not_allowed_is_passed_over(self):
        self.push_version("one", repository="strangers")
        until(lambda: [event for event in self.windlass.events(msg="registry event ignored")
                       if event.get("reason") == "not_allowed"], "the event to come")
        self.assertEqual(self.runs(), [])
        self.assertEqual(containers(self.name), {})

    def gitea(self, version, action="created"):
        body = json.dumps({"action": action, "package": {
            "type": "container", "name": self.name, "version": version, "owner": {"login": "Team"},
            "html_url": f"http://{self.address}/team/-/packages/container/{self.name}"}}, indent=2)
        signature = hmac.new(b"key-of-gitea", body.encode(), hashlib.sha256).hexdigest()
        return body, {"X-Gitea-Event": "package", "X-Gitea-Signature": signature, "X-GitHub-Event": "package"}

    def test_a_signed_event_without_a_digest_deploys_what_the_tag_points_to(self):
        self.registry_is_silent()
        digest = self.push_version("one")
        body, headers = self.gitea("main")
        answer = self.windlass.post(body, headers)
        self.assertEqual(answer.status, 202, answer.text)
        self.assertEqual(answer.body["jobs"][0]["artifact"], f"{self.address}/team/{self.name}:main")
        record = self.succeeds(self.windlass.wait_run(answer.job_id))
        self.assertEqual(record["revision"], f"main ({digest})")
        self.assertEqual(self.windlass.post(body + " ", headers).status, 401)
        body, headers = self.gitea("main", "deleted")
        self.assertEqual(self.windlass.post(body, headers).body["content"], "ignored: action_not_push")

    def registry_is_silent(self):
        """From now on events of the registry itself come with a wrong credential."""
        self.windlass.terminate()
        self.windlass.settings["REGISTRY_WEBHOOKS"] = self.windlass.settings["REGISTRY_WEBHOOKS"].replace(
            "Bearer of-the-registry", "Bearer of-another")
        self.windlass.start()

    def test_a_token_in_the_url(self):
        self.registry_is_silent()
        self.push_version("one")
        body = json.dumps({"push_data": {"tag": "main"}, "repository": {"repo_name": f"team/{self.name}"}})
        path = "/v1/webhook?token="
        self.assertEqual(self.windlass.post(body, path=path + "guess").status, 401)
        answer = self.windlass.post(body, path=path + "token-in-the-url")
        self.assertEqual(answer.status, 202, answer.text)
        self.succeeds(self.windlass.wait_run(answer.job_id))
        self.assertNotIn("token-in-the-url", self.windlass.log())

    def test_git_providers_are_told_that_there_are_no_git_sources(self):
        self.windlass.terminate()
        self.windlass.start(WEBHOOK_SECRET="git-secret")
        body = json.dumps({"ref": "refs/heads/main", "after": "2" * 40})
        signature = hmac.new(b"git-secret", body.encode(), hashlib.sha256).hexdigest()
        for headers in ({"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"},
                        {"X-Gitea-Event": "push", "X-Gitea-Signature": signature},
                        {"X-Forgejo-Event": "push", "X-Forgejo-Signature": signature},
                        {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": "git-secret"},
                        {"X-Gogs-Event": "push", "X-Gogs-Signature": signature}):
            answer = self.windlass.post(body, headers)
            self.assertEqual((answer.status, answer.body["error"]), (400, "source type not enabled"), headers)


if __name__ == "__main__":
    unittest.main()
