"""Files that the real sops has encrypted: containers see plain text, nothing else does."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import (API_SECRET, EndToEnd, Answer, bed, child_environment, compose, container_ids, containers, http,
                     idle_service, run, until)

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "sops")
KEY, OTHER_KEY = os.path.join(FILES, "key.txt"), os.path.join(FILES, "other_key.txt")


def encrypted(release, name):
    with open(os.path.join(FILES, release, name), "rb") as file:
        return file.read()


class Sops(EndToEnd):
    settings = {"SOPS_AGE_KEY_FILE": KEY}

    def setUp(self):
        super().setUp()
        self.name = self.stack("sops")
        self.reference = self.ref(self.name)

    def files(self, release, **service):
        app = idle_service(environment={"PASSWORD": "${DB_PASSWORD}"}, env_file=["extra.env"],
                           secrets=["token"], volumes=["./conf:/conf:ro", "./app.yaml:/app.yaml:ro"],
                           command=["sh", "-c", "sleep 100000 # ${DB_PASSWORD}"], **service)
        return {
            ".doco-cd.yaml": f"name: {self.name}\nenv_files: [db.env]\n",
            # Of what is included the encrypted file says what is secret, its neighbour the rest.
            "compose.yaml": compose({"app": app}, secrets={"token": {"file": "./token.txt"}},
                                    include=[{"path": ["included/base.yaml", "included/included.yaml"]}]),
            "included/base.yaml": compose({"included": idle_service()}),
            "included/included.yaml": encrypted(release, "included.yaml"),
            "db.env": encrypted(release, "db.env"),
            "extra.env": encrypted(release, "extra.env"),
            "token.txt": encrypted(release, "token.txt"),
            "app.yaml": encrypted(release, "app.yaml"),
            "conf/nested/app.yaml": encrypted(release, "app.yaml"),
            "conf/README.md": "Values of sops look like ENC[AES256_GCM,data:…].\n",
            "unused.yaml": encrypted("other", "app.yaml"),  # for another machine: nobody here needs it
        }

    def deploy(self, release, **service):
        return self.windlass.deploy(self.reference, self.push(self.reference, self.files(release, **service)))

    def live(self, path):
        return os.path.join(self.windlass.data, bed()["REGISTRY"].replace(":", "_"), "test", self.name, path)

    def read_live(self, path):
        with open(self.live(path), "rb") as file:
            return file.read()

    def in_container(self, path):
        return run("docker", "exec", containers(self.name)["app"]["Id"], "cat", path)

    def run_folder(self):
        found = self.windlass.run_folders()
        self.assertEqual(len(found), 1, found)
        return found[0]

    def check_containers(self, values):
        app = containers(self.name)["app"]["Config"]["Env"]
        self.assertIn(f"PASSWORD={values}-database", app)
        self.assertIn(f"EXTRA={values}-extra", app)
        self.assertIn(f"INCLUDED={values}-included", containers(self.name)["included"]["Config"]["Env"])
        self.assertEqual(self.in_container("/run/secrets/token"), f"{values}-token")
        for path in ("/app.yaml", "/conf/nested/app.yaml"):
            self.assertEqual(self.in_container(path), f"password: {values}-mounted\nport: 5432\n")

    def places(self):
        """Where plain text must not be: all of the data folder but the files that containers mount."""
        yield "the log", self.windlass.log().encode()
        for path in ("runs", "releases", f"releases?stack={self.name}"):
            yield path, json.dumps(self.windlass.api(path)).encode()
        plan = json.dumps({"artifact": self.reference}).encode()
        yield "a plan", http("POST", f"{self.windlass.url}/v1/api/plan", plan, {"x-api-key": API_SECRET})[1].encode()
        mounted = {self.live(path) for path in ("token.txt", "app.yaml", "conf/nested/app.yaml")}
        for folder, _, files in os.walk(self.windlass.data):
            for file in files:
                path = os.path.join(folder, file)
                if path not in mounted:
                    with open(path, "rb") as opened:
                        yield path, opened.read()

    def test_containers_see_plain_text_and_nothing_else_does(self):
        self.windlass.start(DOCKER_QUIET_DEPLOY="false")
        self.succeeds(self.deploy("one"))
        self.check_containers("planted-one")
        # Only what is mounted lies there in plain text, with the mode that it has in the artifact.
        for path in ("db.env", "extra.env", "unused.yaml", "included/included.yaml"):
            self.assertIn(b"ENC[AES256_GCM", self.read_live(path), path)
        self.assertEqual(self.read_live("token.txt"), b"planted-one-token")
        self.assertEqual(os.stat(self.live("token.txt")).st_mode & 0o777, 0o644)
        self.assertIn(b"ENC[AES256_GCM", self.read_live("conf/README.md"))
        self.assertEqual(os.listdir(self.run_folder()), [])
        self.assertEqual(os.stat(self.run_folder()).st_mode & 0o777, 0o700)

        # Encrypted anew, the same values: nothing is written, nothing restarts.
        ids, inode = container_ids(self.name), os.stat(self.live("token.txt")).st_ino
        self.assertEqual(self.deploy("again")["status"], "skipped")
        self.assertEqual((container_ids(self.name), os.stat(self.live("token.txt")).st_ino), (ids, inode))

        # Other values: the services that use them restart, and the reason is told.
        self.succeeds(self.deploy("two"))
        self.check_containers("planted-two")
        reasons = [event["reason"] for event in self.windlass.events(msg="service changes", service="app")][-1]
        for reason in ("content of secret token changed", "environment changed", "content of app.yaml mounted at /app.yaml changed"):
            self.assertIn(reason, reasons)
        for place, text in self.places():
            for values in (b"planted-one", b"planted-two"):
                self.assertNotIn(values, text, f"in {place}")

    def test_the_restricted_policy_sees_what_is_encrypted(self):
        self.windlass.start(DEPLOY_POLICY="restricted")
        self.succeeds(self.deploy("one"))
        self.check_containers("planted-one")
        self.fails(self.deploy("two", privileged=True), "policy: service app: privileged")

    def test_a_release_comes_back_with_its_own_values(self):
        self.windlass.start()
        self.succeeds(self.deploy("one"))
        self.succeeds(self.deploy("two"))
        first = self.windlass.api(f"releases?stack={self.name}")[1]["content"][-1]
        answer = Answer(*http("POST", f"{self.windlass.url}/v1/api/release/{first['id']}/rollback", b"",
                              {"x-api-key": API_SECRET}))
        self.succeeds(self.windlass.wait_run(answer.job_id))
        self.check_containers("planted-one")

    def test_without_the_key_nothing_is_touched(self):
        self.windlass.start()
        self.succeeds(self.deploy("one"))
        ids = container_ids(self.name)
        before = {path: self.read_live(path) for path in ("token.txt", "db.env", "app.yaml")}
        with open(OTHER_KEY) as file:
            recipient = next(line.split()[-1] for line in file if "public key" in line)
        self.fails(self.deploy("other"), "failed to decrypt file db.env",
                   f"cannot decrypt db.env: needs one of {recipient}; configured: SOPS_AGE_KEY_FILE")
        self.assertEqual(container_ids(self.name), ids)
        self.assertEqual({path: self.read_live(path) for path in before}, before)
        self.check_containers("planted-one")

    def test_a_file_that_compose_reads_by_itself_is_told_as_well(self):
        self.windlass.start()
        files = self.files("one")
        files["extra.env"] = encrypted("other", "extra.env")
        files["compose.yaml"] = compose({"app": idle_service(env_file=["extra.env"])})
        self.fails(self.windlass.deploy(self.reference, self.push(self.reference, files)),
                   "failed to decrypt file extra.env: cannot decrypt extra.env: needs one of age1")
        files["extra.env"] = encrypted("one", "extra.env")
        files["compose.yaml"] = compose({"app": idle_service(secrets=["token"])}, secrets={"token": {"file": "./token.txt"}})
        files["token.txt"] = encrypted("other", "token.txt")
        self.fails(self.windlass.deploy(self.reference, self.push(self.reference, files)),
                   "failed to decrypt project file 'token.txt': cannot decrypt token.txt: needs one of age1")
        self.assertEqual(containers(self.name), {})

    def test_a_deploy_config_and_a_setting_may_be_encrypted(self):
        hook = os.path.join(FILES, "settings", "webhook.txt")
        self.windlass.settings.pop("WEBHOOK_SECRET")
        self.windlass.start(WEBHOOK_SECRET_FILE=hook)
        files = self.files("one")
        files["compose.yaml"] = compose({"app": idle_service(environment={"INLINE": "${INLINE}"})})
        files[".doco-cd.yaml"] = encrypted("one", "deploy.yaml")
        self.stacks.append("sops-sealed")
        digest = self.push(self.reference, files)
        self.succeeds(self.windlass.deploy(self.reference, digest, secret="the-webhook-secret-of-this-test"))
        self.assertIn("INLINE=planted-one-inline", containers("sops-sealed")["app"]["Config"]["Env"])

    def test_a_file_that_is_mounted_no_more_is_encrypted_again(self):
        self.windlass.start()
        self.succeeds(self.deploy("one"))
        files = self.files("one")
        files["compose.yaml"] = compose({"app": idle_service()})
        self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, files)))
        self.assertIn(b"ENC[AES256_GCM", self.read_live("token.txt"))
        self.assertIn(b"ENC[AES256_GCM", self.read_live("conf/nested/app.yaml"))

    def test_what_a_killed_process_left_is_gone_at_the_next_start(self):
        self.windlass.start()
        self.succeeds(self.deploy("one"))
        self.windlass.kill()
        left = os.path.join(self.run_folder(), "left")
        os.makedirs(left)
        self.windlass.start()
        self.assertEqual(os.listdir(self.run_folder()), [])
        self.assertEqual(self.windlass.terminate(), 0)
        self.assertEqual(self.windlass.run_folders(), [])

    @unittest.skipUnless(shutil.which("sops") and shutil.which("ssh-keygen"), "needs sops and ssh-keygen")
    def test_other_keys_are_the_business_of_the_command(self):
        with tempfile.TemporaryDirectory() as place:
            key = os.path.join(place, "id_ed25519")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            with open(key + ".pub") as file:
                recipient = " ".join(file.read().split()[:2])
            sealed = subprocess.run(["sops", "--config", "/dev/null", "encrypt", "--age", recipient, "--filename-override",
                                     "db.env"], input=b"DB_PASSWORD=planted-by-ssh\n", stdout=subprocess.PIPE, check=True)
            self.windlass.start(SOPS_AGE_KEY_FILE=None, SOPS_AGE_SSH_PRIVATE_KEY_FILE=key)
            files = {".doco-cd.yaml": f"name: {self.name}\nenv_files: [db.env]\n", "db.env": sealed.stdout,
                     "compose.yaml": compose({"app": idle_service(environment={"PASSWORD": "${DB_PASSWORD}"})})}
            self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, files)))
        self.assertIn("PASSWORD=planted-by-ssh", containers(self.name)["app"]["Config"]["Env"])


if __name__ == "__main__":
    unittest.main()
