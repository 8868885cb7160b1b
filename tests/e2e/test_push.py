"""`windlass push` and `windlass send` on real registries, read by the other tools and deployed by the service (api 8)."""

import base64
import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import unittest

from harness import (BED_DIR, BINARY, SECRET, TESTBED, EndToEnd, bed, child_environment, compose, containers, free_port,
                     http_get, idle_service, page_project, run, until, write_tree)

TAR = "application/vnd.oci.image.layer.v1.tar"


class Ended:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


def windlass(*arguments, stdin=None, **extra):
    done = subprocess.run([BINARY, *arguments], input=stdin, env=child_environment(**extra), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return Ended(done)


class Pushing(EndToEnd):
    def setUp(self):
        super().setUp()
        self.name = self.stack("push")

    def tree(self, **files):
        write_tree(self.folder, {".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": idle_service()}),
                                 **files})
        return self.folder

    def pushed(self, *arguments, **extra):
        """The digest; what was said must hold no secret."""
        ended = windlass("push", *arguments, **extra)
        self.assertEqual(ended.code, 0, ended.err)
        return ended.out.strip().split("@")[1]

    def running(self):
        return containers(self.name)["app"]["State"]["Running"]


class Registries(Pushing):
    def config(self, content):
        folder = os.path.join(self.windlass.folder, "docker")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(content, file)
        return folder

    def login(self, kind):
        run(TESTBED, "registry", BED_DIR, kind)
        values, upper = bed(), f"REGISTRY_{kind.upper()}"
        registry, user, password = values[upper], values[upper + "_USER"], values[upper + "_PASSWORD"]
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        return registry, self.config({"auths": {registry: {"auth": auth}}}), values.get(upper + "_CA")

    def test_plain_http_on_loopback(self):
        ref = self.ref(self.name)
        ended = windlass("push", self.tree(), ref)
        self.assertEqual(ended.code, 0, ended.err)
        self.assertRegex(ended.out, rf"^{ref}@sha256:[0-9a-f]{{64}}\n$")
        self.windlass.start()
        self.succeeds(self.windlass.deploy(ref, ended.out.strip().split("@")[1]))
        self.assertTrue(self.running())

    def test_tls_and_basic_auth(self):
        registry, config, ca = self.login("basic")
        ref = f"{registry}/test/{self.name}:main"
        refused = windlass("push", self.tree(), ref, DOCKER_CONFIG=config)
        self.assertEqual(refused.code, 1)
        self.assertIn("certificate", refused.err)
        digest = self.pushed(self.folder, ref, "--ca-file", ca, DOCKER_CONFIG=config)
        self.windlass.start(DOCKER_CONFIG=config, SSL_CERT_FILE=ca)
        self.succeeds(self.windlass.deploy(ref, digest))
        self.assertTrue(self.running())

    def test_bearer_tokens(self):
        registry, config, _ = self.login("token")
        ref = f"{registry}/test/{self.name}:main"
        digest = self.pushed(self.tree(), ref, "--tag", "again", DOCKER_CONFIG=config)
        self.windlass.start(DOCKER_CONFIG=config)
        self.succeeds(self.windlass.deploy(f"{registry}/test/{self.name}:again", digest))
        self.assertTrue(self.running())

    def test_wrong_credentials_are_named_but_never_shown(self):
        registry, _, _ = self.login("token")
        wrong = base64.b64encode(b"windlass:not-this-one").decode()
        config = self.config({"auths": {registry: {"auth": wrong}}})
        ended = windlass("push", self.tree(), f"{registry}/test/{self.name}:main", DOCKER_CONFIG=config)
        self.assertEqual((ended.code, ended.out), (1, ""))
        self.assertIn("401", ended.err)
        self.assertNotIn("not-this-one", ended.err)
        self.assertNotIn(wrong, ended.err)


class Artifacts(Pushing):
    def test_the_same_folder_has_the_same_digest_everywhere(self):
        self.tree(**{"conf/app.ini": "x=1\n", "conf/run.sh": "#!/bin/sh\n"})
        first = self.pushed(self.folder, self.ref(self.name))
        copy = os.path.join(self.windlass.folder, "copy")
        shutil.copytree(self.folder, copy)
        for folder, _, files in os.walk(copy):
            os.chmod(folder, 0o700)
            for file in files:
                os.chmod(os.path.join(folder, file), 0o600)
                os.utime(os.path.join(folder, file), (1, 1))
        os.makedirs(os.path.join(copy, ".git/objects"))
        ended = windlass("push", copy, self.ref(self.name + "-copy"), TZ="Asia/Tokyo")
        self.assertTrue(ended.out.endswith(f"@{first}\n"), ended.out)
        self.assertIn(".git is left out", ended.err)
        again = windlass("push", copy, self.ref(self.name), "--tag", "other")
        self.assertTrue(again.out.endswith(f"@{first}\n"), again.out)
        self.assertEqual(again.err.count("was there:"), 2, again.err)
        self.assertNotIn("uploaded", again.err)

    def test_tags_json_and_a_file_with_the_digest(self):
        ref, file = self.ref(self.name, "1.0.0"), os.path.join(self.windlass.folder, "digest")
        ended = windlass("push", self.tree(), ref, "--tag", "1.0", "--tag", "latest", "--json", "--quiet",
                         "--digest-file", file, "--annotation", "org.opencontainers.image.revision=abc")
        self.assertEqual((ended.code, ended.err), (0, ""))
        told = json.loads(ended.out)
        self.assertEqual((told["reference"], told["tags"]), (ref, ["1.0.0", "1.0", "latest"]))
        with open(file) as written:
            self.assertEqual(written.read(), told["digest"] + "\n")
        for tag in told["tags"]:
            got = run("oras", "resolve", "--plain-http", self.ref(self.name, tag))
            self.assertEqual(got.strip(), told["digest"])
        manifest = json.loads(run("oras", "manifest", "fetch", "--plain-http", ref))
        self.assertEqual(manifest["annotations"], {"org.opencontainers.image.revision": "abc"})

    def test_every_compression_deploys(self):
        self.windlass.start()
        for compression, media_type in (("none", TAR), ("zstd", TAR + "+zstd"), ("gzip", TAR + "+gzip")):
            with self.subTest(compression):
                ref = self.ref(self.name, compression)
                service = idle_service(environment={"COMPRESSION": compression})  # the same stack would have nothing to do
                digest = self.pushed(self.tree(**{"compose.yaml": compose({"app": service})}), ref, "--compression",
                                     compression)
                manifest = json.loads(run("oras", "manifest", "fetch", "--plain-http", ref))
                self.assertEqual(manifest["layers"][0]["mediaType"], media_type)
                self.succeeds(self.windlass.deploy(ref, digest))

    def test_other_tools_read_it(self):
        ref = self.ref(self.name)
        self.tree(**{"conf/app.ini": "x=1\n"})
        os.symlink("conf/app.ini", os.path.join(self.folder, "current"))
        digest = self.pushed(self.folder, ref)
        pulled = os.path.join(self.windlass.folder, "pulled")
        os.makedirs(pulled)
        run("oras", "pull", "--plain-http", "-o", pulled, ref)
        compared = subprocess.run(["diff", "-r", "--no-dereference", self.folder, pulled], text=True,
                                  stdout=subprocess.PIPE)
        self.assertEqual(compared.stdout, "")
        seen = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{ref}"))
        self.assertEqual((seen["Digest"], len(seen["Layers"])), (digest, 1))
        layout = os.path.join(self.windlass.folder, "layout")
        run("skopeo", "copy", "--src-tls-verify=false", f"docker://{ref}", f"oci:{layout}:main")
        run("docker", "pull", "-q", ref)
        run("docker", "image", "rm", "-f", ref)

    def test_a_large_folder_needs_little_memory(self):
        self.tree()
        with open(os.path.join(self.folder, "noise"), "wb") as file:
            for _ in range(150):
                file.write(os.urandom(1 << 20))
        done = subprocess.run(["/usr/bin/env", "python3", "-c", MEASURE, BINARY, "push", self.folder, self.ref(self.name)],
                              env=child_environment(), text=True, stdout=subprocess.PIPE, timeout=120)
        peak_kib = int(done.stdout.splitlines()[-1])
        self.assertLess(peak_kib, 40 << 10)


# Runs a program and prints its peak of resident memory.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Refused(Pushing):
    def refused(self, *texts, options=()):
        ref = self.ref(self.name)
        ended = windlass("push", self.folder, ref, *options)
        self.assertEqual((ended.code, ended.out), (1, ""), ended.err)
        for text in texts:
            self.assertIn(f"windlass push: {text}\n", ended.err)
        registry, path = ref.rsplit(":", 1)[0].split("/", 1)
        self.assertEqual(http_get(f"http://{registry}/v2/{path}/tags/list")[0], 404, "something was pushed")
        return ended

    def test_hostile_folders(self):
        self.tree()
        os.symlink("/etc/passwd", os.path.join(self.folder, "passwd"))
        os.symlink("../../secret", os.path.join(self.folder, "up"))
        os.mkfifo(os.path.join(self.folder, "pipe"))
        with open(os.path.join(self.folder, "back\\slash"), "w"):
            pass
        self.refused("passwd: path traversal detected: link target is absolute",
                     "up: path traversal detected: link target '../../secret' leaves the artifact",
                     "pipe: pipes are not allowed", "back\\slash: backslash in the name")

    def test_a_folder_over_the_budget(self):
        self.tree(big="x" * 1000)
        ended = windlass("push", self.folder, self.ref(self.name), OCI_MAX_FILE_BYTES="999")
        self.assertEqual((ended.code, ended.err), (1, "windlass push: big: file of 1000 bytes, limit 999\n"))

    def test_every_fault_of_the_configuration(self):
        write_tree(self.folder, {
            ".doco-cd.yaml": f"name: {self.name}\ntimeout: soon\n",
            ".doco-cd.prod.yml": f"name: {self.name}\ncompose_files: [compose.yaml, gone.yaml]\n",
            ".doco-cd.test.yml": f"name: {self.name}\n",
            "compose.yaml": "services:\n  web: [\n"})
        self.refused(
            "invalid deploy configuration: failed to decode yaml: .doco-cd.yaml:2: timeout: expected an integer, got text "
            '"soon"',
            f".doco-cd.prod.yml: stack {self.name}: invalid deploy configuration: could not find compose file: gone.yaml",
            "compose.yaml:3:1: flow sequence without a closing bracket")

    def test_a_folder_without_a_configuration(self):
        write_tree(self.folder, {"compose.yaml": compose({"app": idle_service()})})
        self.refused("no .doco-cd.yaml, .doco-cd.yml or .doco-cd.<target>.yaml in the folder")
        self.pushed(self.folder, self.ref(self.name), "--no-config")

    def test_wrong_usage(self):
        self.tree()
        for arguments in (["push", self.folder], ["push", self.folder, "UPPER/case:1"],
                          ["push", self.folder, self.ref(self.name) + "@sha256:" + "a" * 64],
                          ["push", self.folder, self.ref(self.name), "--tag", "-x"],
                          ["push", self.folder, self.ref(self.name), "--notify", "https://cd.example"],  # no secret
                          ["send", self.ref(self.name), "--url", "https://cd.example"]):
            ended = windlass(*arguments)
            self.assertEqual((ended.code, ended.out), (2, ""), ended.err)

    def test_a_registry_that_is_not_there(self):
        ended = windlass("push", self.tree(), f"127.0.0.1:{free_port()}/a/b:1")
        self.assertEqual((ended.code, ended.out), (1, ""))
        self.assertIn("connection refused", ended.err)


class Signing(Pushing):
    """Signed by windlass, verified by cosign."""

    def keys(self, name, password="pass-word"):
        """Files of a private and a public key."""
        folder = os.path.join(self.windlass.folder, name)
        os.makedirs(folder)
        subprocess.run(["cosign", "generate-key-pair"], cwd=folder, check=True, timeout=60, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=child_environment(COSIGN_PASSWORD=password))
        return os.path.join(folder, "cosign.key"), os.path.join(folder, "cosign.pub")

    def verified(self, ref, public_key):
        done = subprocess.run(["cosign", "verify", "--key", public_key, "--insecure-ignore-tlog=true",
                               "--allow-http-registry", ref], env=child_environment(), text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def test_cosign_verifies_it(self):
        ref = self.ref(self.name)
        key, public_key = self.keys("ours")
        digest = self.pushed(self.tree(), ref, "--sign", key, COSIGN_PASSWORD="pass-word")
        (seen,) = self.verified(ref, public_key)
        self.assertEqual(seen["critical"]["image"]["docker-manifest-digest"], digest)
        self.assertIsNone(self.verified(ref, self.keys("others")[1]))

    def test_a_plain_key_and_one_of_another_signer(self):
        ref = self.ref(self.name)
        key, public_key = self.keys("first")
        digest = self.pushed(self.tree(), ref)
        run("cosign", "sign", "--yes", "--key", key, "--tlog-upload=false", "--allow-http-registry",
            f"{ref}@{digest}", COSIGN_PASSWORD="pass-word")
        plain = os.path.join(self.windlass.folder, "plain.key")
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", plain)
        run("openssl", "pkey", "-in", plain, "-pubout", "-out", plain + ".pub")
        for _ in range(2):  # the second time nothing is added
            self.pushed(self.folder, ref, "--sign", plain)
            self.assertEqual(len(self.verified(ref, public_key)), 1)
            self.assertEqual(len(self.verified(ref, plain + ".pub")), 1)
            tag = self.ref(self.name, digest.replace(":", "-") + ".sig")
            manifest = json.loads(run("oras", "manifest", "fetch", "--plain-http", tag))
            self.assertEqual(len(manifest["layers"]), 2)

    def test_the_password_comes_from_a_file_or_standard_input(self):
        key, public_key = self.keys("ours")
        self.tree()
        ended = windlass("push", self.folder, self.ref(self.name, "a"), "--sign", key, "--sign-password-file", "-",
                         stdin="pass-word\n")
        self.assertEqual(ended.code, 0, ended.err)
        self.assertTrue(self.verified(self.ref(self.name, "a"), public_key))
        wrong = windlass("push", self.folder, self.ref(self.name, "b"), "--sign", key, COSIGN_PASSWORD="another-one")
        self.assertEqual((wrong.code, wrong.out), (2, ""))
        self.assertIn("password", wrong.err)
        self.assertNotIn("another-one", wrong.err)


    def test_what_push_has_signed_is_deployed_under_a_policy(self):
        key, public_key = self.keys("ours")
        with open(public_key) as file:
            policy = json.dumps({"enabled": True, "ignore_tlog": True, "public_keys": [file.read()]})
        ref = self.ref(self.name)
        write_tree(self.folder, page_project(self.name, free_port(), "signed"))
        self.windlass.start(OCI_TRUST_POLICY=policy)
        self.fails(self.windlass.deploy(ref, self.pushed(self.folder, ref)), "signature verification failed")
        digest = self.pushed(self.folder, ref, "--sign", key, COSIGN_PASSWORD="pass-word")
        self.succeeds(self.windlass.deploy(ref, digest))


class Notifying(Pushing):
    def test_one_command_deploys(self):
        port = free_port()
        write_tree(self.folder, page_project(self.name, port, "pushed"))
        self.windlass.start()
        ended = windlass("push", self.folder, self.ref(self.name), "--notify", self.windlass.url, "--wait",
                         WEBHOOK_SECRET=SECRET)
        self.assertEqual(ended.code, 0, ended.err)
        self.assertIn("job completed successfully (job ", ended.err)
        self.assertEqual(http_get(f"http://127.0.0.1:{port}/")[1], "pushed")
        self.assertNotIn(SECRET, ended.out + ended.err)

    def test_push_and_send_are_two_steps_of_it(self):
        self.windlass.start()
        artifact = windlass("push", self.tree(), self.ref(self.name)).out.strip()
        secret = os.path.join(self.windlass.folder, "secret")
        with open(secret, "w") as file:
            file.write(SECRET + "\n")
        sent = windlass("send", artifact, "--secret-file", secret, WEBHOOK_URL=self.windlass.url)
        self.assertEqual((sent.code, sent.err), (0, "job accepted\n"))
        self.succeeds(self.windlass.wait_run(sent.out.strip()))
        self.assertTrue(self.running())
        sent = windlass("send", *artifact.rsplit("@", 1)[:1], "--digest", artifact.rsplit("@", 1)[1], "--wait", "--url",
                        self.windlass.url, "--secret-file", "-", stdin=SECRET)
        self.assertEqual(sent.code, 0, sent.err)

    def test_a_target(self):
        self.windlass.start()
        write_tree(self.folder, {".doco-cd.prod.yaml": f"name: {self.name}\n",
                                 "compose.yaml": compose({"app": idle_service()})})
        ended = windlass("push", self.folder, self.ref(self.name), "--notify", self.windlass.url, "--target", "prod",
                         "--wait", WEBHOOK_SECRET=SECRET)
        self.assertEqual(ended.code, 0, ended.err)
        self.assertTrue(self.running())

    def test_a_deployment_that_fails_is_the_exit_code(self):
        self.windlass.start()
        write_tree(self.folder, {".doco-cd.yaml": f"name: {self.name}\ntimeout: 20\n",
                                 "compose.yaml": compose({"app": idle_service(command=["sh", "-c", "exit 3"])})})
        ended = windlass("push", self.folder, self.ref(self.name), "--notify", self.windlass.url, "--wait",
                         WEBHOOK_SECRET=SECRET)
        self.assertEqual(ended.code, 1)
        self.assertIn("/v1/webhook: 500: deployment failed: ", ended.err)
        self.assertIn("app", ended.err)
        self.assertTrue(ended.out.startswith(self.ref(self.name) + "@"), "it was pushed all the same")

    def test_what_is_wrong_is_said(self):
        self.windlass.start()
        artifact = windlass("push", self.tree(), self.ref(self.name)).out.strip()
        wrong = windlass("send", artifact, "--url", self.windlass.url, WEBHOOK_SECRET="another")
        self.assertEqual((wrong.code, wrong.out), (1, ""))
        self.assertIn("401: incorrect secret key: HMAC verification failed: the secret is not that of the service",
                      wrong.err)
        path = windlass("send", artifact, "--url", self.windlass.url + "/hook", WEBHOOK_SECRET=SECRET)
        self.assertEqual(path.code, 1)
        self.assertIn("404: no webhook endpoint there", path.err)
        away = windlass("send", artifact, "--url", f"http://127.0.0.1:{free_port()}", "--timeout", "2s",
                        WEBHOOK_SECRET=SECRET)
        self.assertEqual(away.code, 1)
        self.assertIn("connection refused", away.err)

    def test_a_service_that_is_starting_is_waited_for(self):
        artifact = windlass("push", self.tree(), self.ref(self.name)).out.strip()
        sender = subprocess.Popen([BINARY, "send", artifact, "--url", self.windlass.url, "--wait"], text=True,
                                  env=child_environment(WEBHOOK_SECRET=SECRET), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        time.sleep(0.5)
        self.windlass.start()
        out, err = sender.communicate(timeout=90)
        self.assertEqual(sender.returncode, 0, err)
        self.assertIn("connection refused; again in ", err)
        self.assertTrue(self.running())

    def test_no_secret_is_on_the_command_line(self):
        asked, answer = threading.Event(), threading.Event()

        class Slow(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.set()
                answer.wait(30)
                body = b'{"content":"job accepted","job_id":"j"}'
                self.send_response(202)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Slow)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        pusher = subprocess.Popen([BINARY, "push", self.tree(), self.ref(self.name), "--notify",
                                   f"http://127.0.0.1:{server.server_port}", "--secret-file", "-"],
                                  env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        pusher.stdin.write(SECRET)
        pusher.stdin.close()
        pusher.stdin = None
        until(asked.is_set, "the webhook")
        with open(f"/proc/{pusher.pid}/cmdline") as line:
            self.assertNotIn(SECRET, line.read())
        answer.set()
        out, err = pusher.communicate(timeout=30)
        self.assertEqual(pusher.returncode, 0, err)
        self.assertNotIn(SECRET, out + err)


if __name__ == "__main__":
    unittest.main()
