"""The two shell scripts that doco-cd's manual gives its users, as people have them in their pipelines: they must work
unchanged. Names of variables, commands and their options are those of the manual (`echo -n`, `cut`, `-d`)."""

import json
import subprocess
import unittest

from harness import (SECRET, EndToEnd, child_environment, compose, containers, http, idle_service, payload, sign)

# Here-document, signature and request are the same in both; how the variables are filled differs.
SIGN_AND_SEND = r"""
SIGNATURE=$(echo -n "$PAYLOAD" | openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" -hex | cut -d' ' -f2)

curl -X POST "$WEBHOOK_URL" \
  -H "Content-Type: application/json" \
  -H "X-Doco-OCI-Signature-256: sha256=$SIGNATURE" \
  -d "$PAYLOAD"
"""

CURL_SAMPLE = r"""#!/bin/bash

WEBHOOK_URL="@URL@/v1/webhook"
WEBHOOK_SECRET="@SECRET@"
ARTIFACT="@ARTIFACT@"
DIGEST="@DIGEST@"

PAYLOAD=$(cat <<EOF
{
  "source": "oci",
  "digest": "$DIGEST",
  "artifact": "$ARTIFACT"
}
EOF
)
""" + SIGN_AND_SEND

# The `run` step of the GitHub Actions sample; the workflow's `env` fills the variables. Its registry is ghcr.io.
ACTIONS_SAMPLE = r"""
PAYLOAD=$(cat <<EOF
{
  "source": "oci",
  "digest": "${ARTIFACT_DIGEST}",
  "artifact": "ghcr.io/${ARTIFACT_REF}:${ARTIFACT_TAG}"
}
EOF
)
""" + SIGN_AND_SEND

# With `printf` and `--data-binary`: what our own manual recommends (webhook 16), and the demo does.
RECOMMENDED = r"""
PAYLOAD='{"source":"oci","digest":"'$DIGEST'","artifact":"'$ARTIFACT'"}'
SIGNATURE=$(printf '%s' "$PAYLOAD" | openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" -hex | sed 's/^.* //')
printf '%s' "$PAYLOAD" | curl -sS -X POST "$WEBHOOK_URL" \
  -H "X-Doco-OCI-Signature-256: sha256=$SIGNATURE" --data-binary @-
"""


def answer_of(script, **variables):
    """What curl printed: its progress is on standard error."""
    done = subprocess.run(["bash", "-e", "-c", script], env=child_environment(**variables), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class ManualPage(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("manual")
        self.artifact = self.ref(self.name)
        self.digest = self.push(self.artifact, {".doco-cd.yaml": f"name: {self.name}\n",
                                                "compose.yaml": compose({"app": idle_service()})})

    def deploys(self, answer):
        self.assertEqual(answer["content"], "job accepted", answer)
        self.succeeds(self.windlass.wait_run(answer["job_id"]))
        self.assertTrue(containers(self.name)["app"]["State"]["Running"])

    def test_the_curl_sample_deploys(self):
        script = (CURL_SAMPLE.replace("@URL@", self.windlass.url).replace("@SECRET@", SECRET)
                  .replace("@ARTIFACT@", self.artifact).replace("@DIGEST@", self.digest))
        self.deploys(answer_of(script))

    def test_the_run_step_of_the_github_actions_sample_deploys(self):
        registry, rest = self.artifact.split("/", 1)
        name, tag = rest.rsplit(":", 1)
        script = ACTIONS_SAMPLE.replace("ghcr.io", registry)  # the one line that a user of another registry changes
        self.deploys(answer_of(script, WEBHOOK_URL=f"{self.windlass.url}/v1/webhook", WEBHOOK_SECRET=SECRET,
                               ARTIFACT_REF=name, ARTIFACT_TAG=tag, ARTIFACT_DIGEST=self.digest))

    def test_the_recommended_script_deploys(self):
        self.deploys(answer_of(RECOMMENDED, WEBHOOK_URL=f"{self.windlass.url}/v1/webhook", WEBHOOK_SECRET=SECRET,
                               ARTIFACT=self.artifact, DIGEST=self.digest))

    def test_the_bare_hex_spelling_and_a_lower_case_header_deploy(self):
        body = payload(self.artifact, self.digest)
        answer = self.windlass.post(body, {"x-doco-oci-signature-256": sign(body)})
        self.assertEqual(answer.status, 202, answer.text)
        self.deploys(answer.body)


class Answers(EndToEnd):
    """The answers of webhook 11 as they arrive on the wire; the full tables are unit tests beside the sources."""

    def setUp(self):
        super().setUp()
        self.windlass.start()

    def refused(self, answer, status, error, content):
        self.assertEqual((answer.status, answer.body["error"], answer.body["content"]), (status, error, content))
        self.assertEqual(list(answer.body), ["error", "content", "job_id"])  # T7
        self.assertEqual(answer.headers["Content-Type"], "application/json; charset=utf-8")  # T6
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(answer.text.endswith("}\n"))

    def signed(self, body, **headers):
        return {"X-Doco-OCI-Signature-256": sign(body), **headers}

    def test_what_is_not_authenticated_leaves_no_run(self):
        body = "{}"
        missing = "missing signature or token header"
        self.refused(self.windlass.post(body), 400, missing, missing)  # R3
        self.refused(self.windlass.post(body, {"X-Doco-OCI-Signature-256": "0" * 64}), 401, "incorrect secret key",
                     "HMAC verification failed")  # R4
        self.refused(self.windlass.post("", self.signed("")), 400, "failed to parse payload",
                     "failed to parse payload: request body is empty")  # R11
        self.assertEqual(self.windlass.api("runs")[1]["content"], [])

    def test_a_body_over_the_limit_is_413_and_one_of_the_limit_is_read(self):
        limit = 1048576  # T5
        answer = self.windlass.post(b" " * (limit + 1), self.signed(b" " * (limit + 1)))
        self.assertEqual(answer.status, 413)
        self.assertEqual(answer.body["content"], "failed to parse payload: http: request body too large")  # R9
        answer = self.windlass.post(b" " * limit, self.signed(b" " * limit))
        self.assertEqual((answer.status, answer.body["error"]), (400, "failed to parse payload"))  # R12

    def test_the_examples_of_the_manual_page(self):
        hexes = {
            1: ("7d6c7f8e9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6", "ghcr.io/my/app:main"),
            3: ("abc123def456ghi789jkl012mno345pqr678stu901vwx234yz567abc890def",
                "docker.io/myusername/myapp-config:latest"),
        }
        for number, (digits, artifact) in hexes.items():  # H1, H3: V6
            with self.subTest(example=number):
                body = f'{{\n  "source": "oci",\n  "digest": "sha256:{digits}",\n  "artifact": "{artifact}"\n}}'
                self.refused(self.windlass.post(body, self.signed(body)), 400, "invalid field: digest",
                             f"sha256 needs 64 hex characters, got {len(digits)}")

    def test_a_git_sender_is_told_that_git_is_not_there(self):
        body = '{"ref":"refs/heads/main"}'  # R19
        answer = self.windlass.post(body, {"X-Hub-Signature-256": f"sha256={sign(body)}", "X-GitHub-Event": "push"})
        self.refused(answer, 400, "source type not enabled", "git sources are not enabled, only oci")

    def test_a_refused_field_is_a_failed_run(self):
        body = '{"source":"git"}'
        answer = self.windlass.post(body, self.signed(body))
        self.refused(answer, 400, "invalid field: source", 'must be "oci"')  # V1
        record = self.windlass.wait_run(answer.job_id)
        self.fails(record)
        self.assertEqual(record["message"], 'invalid field: source: must be "oci"')

    def test_other_methods_paths_and_targets(self):
        status, text, headers = http("GET", f"{self.windlass.url}/v1/webhook")
        self.assertEqual((status, headers["Allow"]), (405, "POST"))  # R1
        for path in ("/v1/webhook/", "/v1/webhook/a/b", "/nothing"):  # A7
            status, text, headers = http("POST", self.windlass.url + path, b"{}")
            self.assertEqual((status, text), (404, "404 page not found\n"), path)
        answer = self.windlass.post("{}", self.signed("{}"), "/v1/webhook/a%2Fb")  # A6, R7
        self.assertEqual((answer.status, answer.body["error"]), (400, "invalid target"))


if __name__ == "__main__":
    unittest.main()
