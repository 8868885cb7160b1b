"""SIGHUP: the files that settings name are read again, all of them or none (config 1, 14 #16; reliability F69)."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import threading
import time
import unittest

from apprise import Apprise
from counting_proxy import CountingProxy
from harness import API_SECRET, EndToEnd, bed, compose, containers, idle_service, payload, sign, until

FIRST, SECOND = "the first of two webhook secrets", "the second of two webhook secrets"
ABSENT = "sha256:" + "0" * 64


class Reload(EndToEnd):
    def file(self, name, content):
        """A file of a setting, replaced as a whole; its path."""
        path = os.path.join(self.windlass.folder, name)
        with open(path + ".new", "w") as file:
            file.write(content)
        os.rename(path + ".new", path)
        return path

    def ends(self):
        """Reloads that have ended, in order: log lines."""
        ends = ("settings reloaded", "settings were not reloaded")
        return [event for event in self.windlass.events() if event["msg"].startswith(ends)]

    def reload(self):
        """Asks for it; the line that tells how it ended."""
        before = len(self.ends())
        self.windlass.process.send_signal(signal.SIGHUP)
        until(lambda: len(self.ends()) > before, "the reload to end")
        return self.ends()[-1]

    def changes(self, *variables):
        event = self.reload()
        self.assertEqual((event["msg"], event.get("changed")), ("settings reloaded", ", ".join(variables)))

    def is_refused(self, *texts):
        event = self.reload()
        self.assertEqual(event["level"], "error", event)
        for text in texts:
            self.assertIn(text, event["error"])

    def knows(self, secret):
        """Somebody who knows the secret gets as far as the fault of the reference."""
        return self.windlass.send("not a reference", ABSENT, secret=secret).status == 400

    def start(self, **files):
        """With NAME_FILE for each of them."""
        for name, content in files.items():
            self.windlass.settings.update({name: None, f"{name}_FILE": self.file(name, content)})
        self.windlass.start()
        until(lambda: self.windlass.events(msg="docker engine answers"), "the start to end")


class Secrets(Reload):
    def test_a_webhook_secret_is_changed_under_load_and_nothing_is_lost(self):
        self.start(WEBHOOK_SECRET=FIRST, WEBHOOK_SECRET_PREVIOUS="")
        known, stop, answers, faults = [FIRST], threading.Event(), [], []

        def send(number):
            body = payload(f"127.0.0.1:1/test/load-{number}:main", ABSENT)
            connection = http.client.HTTPConnection("127.0.0.1", self.windlass.port, timeout=30)
            while not stop.is_set():
                secret = known[0]
                try:
                    connection.request("POST", f"/v1/webhook/t{number}", body,
                                       {"X-Doco-OCI-Signature-256": f"sha256={sign(body, secret)}"})
                    answer = connection.getresponse()
                    answers.append((answer.status, json.loads(answer.read())["job_id"]))
                except Exception as fault:  # noqa: BLE001: told below
                    faults.append(fault)
                    break
            connection.close()

        senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for sender in senders:
            sender.start()
        try:
            for secret, previous in ((SECOND, FIRST), (FIRST, SECOND), (SECOND, FIRST)):
                time.sleep(0.3)
                self.file("WEBHOOK_SECRET", secret)
                self.file("WEBHOOK_SECRET_PREVIOUS", previous)
                self.assertEqual(self.reload()["msg"], "settings reloaded")
                known[0] = secret  # the senders change over
            time.sleep(0.3)
            self.file("WEBHOOK_SECRET_PREVIOUS", "")  # its time has an end
            self.changes("WEBHOOK_SECRET_PREVIOUS_FILE")
            time.sleep(0.3)
        finally:
            stop.set()
            for sender in senders:
                sender.join()
        self.assertEqual(faults, [])
        self.assertGreater(len(answers), 100)
        self.assertEqual({status for status, _ in answers}, {202})
        self.assertFalse(self.knows(FIRST))
        self.assertTrue(self.knows(SECOND))
        self.windlass.kill()
        self.windlass.start()
        for _, job_id in answers[::max(1, len(answers) // 100)]:
            self.assertIsNotNone(self.windlass.run(job_id))
        for secret in (FIRST, SECOND):
            self.assertNotIn(secret, self.windlass.log())

    def test_the_key_of_the_api_is_changed(self):
        self.start(API_SECRET=API_SECRET)
        self.file("API_SECRET", "another key of the api")
        self.changes("API_SECRET_FILE")
        self.assertEqual(self.windlass.api("runs")[0], 401)
        self.assertEqual(self.windlass.api("runs", key="another key of the api")[0], 200)

    def test_a_registry_is_let_in(self):
        entry = "- {format: doco-oci, secret: Bearer let-me-in, allow: ['**']}\n"
        self.start(REGISTRY_WEBHOOKS=entry)
        body = payload("127.0.0.1:1/test/app:main", ABSENT)

        def send(token):
            return self.windlass.post(body, {"Authorization": token}, "/v1/webhook?format=doco-oci").status

        self.assertEqual(send("Bearer let-me-in"), 202)
        self.assertEqual(send("Bearer and-me"), 401)
        self.file("REGISTRY_WEBHOOKS", entry + entry.replace("let-me-in", "and-me"))
        self.changes("REGISTRY_WEBHOOKS entries", "REGISTRY_WEBHOOKS_FILE")
        self.assertEqual(send("Bearer and-me"), 202)


class AllOrNothing(Reload):
    def test_one_fault_keeps_everything_as_it_was(self):
        self.start(WEBHOOK_SECRET=FIRST, POLL_CONFIG="- {source: oci, url: 'r.example/app:1', interval: 0}\n")
        self.file("WEBHOOK_SECRET", SECOND)
        self.file("POLL_CONFIG", "- {source: oci, url: 'r.example/app:1', interval: 3}\n")
        self.is_refused("invalid poll configuration: POLL_CONFIG_FILE:1", "poll interval too low")
        self.assertTrue(self.knows(FIRST))
        self.assertFalse(self.knows(SECOND))
        self.file("POLL_CONFIG", "- {source: oci, url: 'r.example/app:1', interval: 0}\n")
        self.changes("WEBHOOK_SECRET_FILE")
        self.assertTrue(self.knows(SECOND))
        self.assertFalse(self.knows(FIRST))

    def test_a_file_that_is_gone_or_empty_keeps_everything_as_it_was(self):
        self.start(WEBHOOK_SECRET=FIRST, OCI_TRUST_POLICY="enabled: false\n")
        os.remove(self.windlass.settings["WEBHOOK_SECRET_FILE"])
        self.file("OCI_TRUST_POLICY", "")
        self.is_refused("WEBHOOK_SECRET_FILE: reading ", "no such file")
        self.file("WEBHOOK_SECRET", FIRST)
        self.is_refused("OCI_TRUST_POLICY_FILE: the file is empty and was not before")
        self.assertTrue(self.knows(FIRST))

    def test_what_the_start_alone_does_is_refused(self):
        self.start(WEBHOOK_SECRET=FIRST, APPRISE_NOTIFY_URLS="")
        self.file("APPRISE_NOTIFY_URLS", "json://somebody")
        self.reload()  # without APPRISE_API_URL that switches nothing on
        self.windlass.terminate()
        self.file("APPRISE_NOTIFY_URLS", "")
        self.windlass.start(APPRISE_API_URL="http://127.0.0.1:1/notify")
        until(lambda: len(self.windlass.events(msg="docker engine answers")) == 2, "the start to end")
        self.file("APPRISE_NOTIFY_URLS", "json://somebody")
        self.file("WEBHOOK_SECRET", SECOND)
        self.is_refused("APPRISE_NOTIFY_URLS_FILE: notifications are switched on by a restart only")
        self.assertTrue(self.knows(FIRST))

    def test_without_a_changed_file_nothing_changes(self):
        self.start(WEBHOOK_SECRET=FIRST)
        self.assertIn("variables change with a restart", self.reload()["msg"])
        self.assertTrue(self.knows(FIRST))

    def test_a_storm_of_signals(self):
        self.start(WEBHOOK_SECRET=FIRST)
        for number in range(200):
            self.file("WEBHOOK_SECRET", SECOND if number % 2 else FIRST)
            self.windlass.process.send_signal(signal.SIGHUP)
        until(lambda: self.knows(SECOND), "the last one to count")
        self.assertEqual(self.windlass.terminate(), 0)
        self.assertEqual(self.windlass.events(msg="settings were not reloaded: those before still count"), [])

    def test_signals_before_the_start_has_ended_and_while_it_ends(self):
        self.windlass.settings.update(WEBHOOK_SECRET=None, WEBHOOK_SECRET_FILE=self.file("WEBHOOK_SECRET", FIRST))
        self.windlass.start()
        self.file("WEBHOOK_SECRET", SECOND)
        self.windlass.process.send_signal(signal.SIGHUP)
        until(lambda: self.knows(SECOND), "the reload")
        name = self.stack("slow")
        ref = self.ref(name)
        slow = idle_service(healthcheck={"test": ["CMD", "test", "-e", "/ready"], "interval": "200ms", "retries": 100},
                            command=["sh", "-c", "sleep 3; touch /ready; exec sleep 100000"])
        digest = self.push(ref, {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": slow})})
        self.windlass.settings["SHUTDOWN_GRACE"] = "30s"
        job = self.windlass.send(ref, digest, secret=SECOND).job_id
        until(lambda: containers(name), "the container to be made")
        self.windlass.process.send_signal(signal.SIGTERM)
        while self.windlass.process.poll() is None:
            self.windlass.process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
        self.assertEqual(self.windlass.process.returncode, 0)
        self.windlass.start()
        self.succeeds(self.windlass.run(job))


class Tls(Reload):
    def certificate(self, name):
        """A new certificate and key, made beside the ones in use; their paths."""
        key, certificate = (os.path.join(self.windlass.folder, f"{name}.{kind}") for kind in ("key", "crt"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        return certificate, key

    def shown(self, port):
        """Who the certificate is of that a new connection gets."""
        text = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], stdin=subprocess.DEVNULL,
                              text=True, capture_output=True).stdout
        return next((line.rpartition("CN = ")[2] for line in text.splitlines() if line.startswith("subject")), "")

    def test_a_renewed_certificate_is_shown_to_new_connections_and_open_ones_go_on(self):
        windlass = self.windlass
        used = self.certificate("before")
        renewed = self.certificate("after")
        windlass.settings.update(HTTP_TLS_CERT_FILE=used[0], HTTP_TLS_KEY_FILE=used[1])
        windlass.start(healthy=False)
        until(lambda: windlass.events(msg="docker engine answers"), "the start to end")
        self.assertEqual([self.shown(port) for port in (windlass.port, windlass.metrics_port)], ["before"] * 2)
        tls = ssl._create_unverified_context()
        open_one = http.client.HTTPSConnection("127.0.0.1", windlass.port, context=tls, timeout=30)
        self.addCleanup(open_one.close)
        open_one.request("GET", "/v1/health")
        self.assertEqual(open_one.getresponse().read()[:1], b"{")

        os.replace(renewed[0], used[0])
        self.is_refused("HTTP_TLS_CERT_FILE, HTTP_TLS_KEY_FILE: loading key", "key values mismatch")
        self.assertEqual(self.shown(windlass.port), "before")
        os.replace(renewed[1], used[1])
        self.changes("HTTP_TLS_CERT_FILE", "HTTP_TLS_KEY_FILE")
        for port in (windlass.port, windlass.metrics_port):
            until(lambda: self.shown(port) == "after", "the renewed certificate", 5)
        socket_before = open_one.sock
        open_one.request("GET", "/v1/health")
        self.assertEqual(open_one.getresponse().status, 200)
        self.assertIs(open_one.sock, socket_before)


class Polls(Reload):
    def test_polls_come_and_go_and_the_others_stay_as_they_are(self):
        registry = CountingProxy(bed()["REGISTRY"])
        self.addCleanup(registry.stop)
        kept, gone, new, once = (self.stack(name) for name in ("kept", "gone", "new", "once"))
        for name in (kept, gone, new, once):
            self.push(self.ref(name), {".doco-cd.yaml": f"name: {name}\n",
                                       "compose.yaml": compose({"app": idle_service()})})

        def polls(*entries):
            return json.dumps([{"source": "oci", "url": self.ref(name, registry=registry.address), **keys}
                               for name, keys in entries])

        def asked(name):
            return registry.count(path_part=f"/test/{name}/")

        of_once = (once, {"run_once": True})
        self.start(POLL_CONFIG=polls((kept, {"interval": 600}), (gone, {"interval": 10}), of_once))
        for name in (kept, gone, once):
            until(lambda: containers(name), f"{name} to run", 60)
        until(lambda: not self.windlass.api("runs?status=running")[1]["content"], "the jobs to end")
        before = {name: asked(name) for name in (kept, once)}
        self.file("POLL_CONFIG", polls(of_once, (new, {"interval": 10}), (kept, {"interval": 600})))
        self.changes("POLL_CONFIG_FILE")
        until(lambda: containers(new), "the new one to run", 60)
        looks = asked(gone)
        time.sleep(12)  # its interval
        self.assertEqual(asked(gone), looks)
        self.assertEqual({name: asked(name) for name in (kept, once)}, before)
        self.assertTrue(containers(gone), "its stack stays")
        self.file("POLL_CONFIG", polls((kept, {"interval": 590})))
        self.changes("POLL_CONFIG_FILE")
        until(lambda: asked(kept) == before[kept] + 1, "a look at what was configured anew")


class Others(Reload):
    def test_a_trust_policy_counts_for_the_next_job(self):
        name = self.stack("trust")
        ref = self.ref(name)
        files = {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": idle_service()})}
        self.start(OCI_TRUST_POLICY="enabled: false\n")
        digest = self.push(ref, files)
        self.succeeds(self.windlass.deploy(ref, digest))
        key = subprocess.run("openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout", shell=True,
                             text=True, capture_output=True, check=True).stdout
        self.file("OCI_TRUST_POLICY", json.dumps({"enabled": True, "ignore_tlog": True, "public_keys": [key]}))
        self.changes("OCI_TRUST_POLICY_FILE")
        self.fails(self.windlass.deploy(ref, digest), "signature verification failed")
        self.assertTrue(containers(name)["app"]["State"]["Running"])
        self.file("OCI_TRUST_POLICY", "enabled: false\n")
        self.changes("OCI_TRUST_POLICY_FILE")
        self.assertEqual(self.windlass.deploy(ref, digest)["status"], "skipped")

    def test_others_are_told(self):
        apprise = Apprise()
        apprise.up()
        self.addCleanup(apprise.down)
        self.windlass.settings["APPRISE_API_URL"] = apprise.url
        self.start(APPRISE_NOTIFY_URLS="json://one", APPRISE_NOTIFY_BODY_TEMPLATE="one: {{.Title}}")
        self.windlass.wait_run(self.windlass.send(f"{bed()['REGISTRY']}/test/absent:main", ABSENT).job_id)
        until(lambda: apprise.messages, "the first message")
        self.file("APPRISE_NOTIFY_BODY_TEMPLATE", "two: {{.Title")
        self.is_refused("APPRISE_NOTIFY_BODY_TEMPLATE")
        self.file("APPRISE_NOTIFY_URLS", "json://two")
        self.file("APPRISE_NOTIFY_BODY_TEMPLATE", "two: {{.Title}}")
        self.changes("APPRISE_NOTIFY_BODY_TEMPLATE_FILE", "APPRISE_NOTIFY_URLS_FILE")
        self.windlass.wait_run(self.windlass.send(f"{bed()['REGISTRY']}/test/absent:other", ABSENT).job_id)
        until(lambda: len(apprise.messages) == 2, "the second message")
        self.assertEqual([message["urls"] for message in apprise.messages], ["json://one", "json://two"])
        self.assertEqual([message["body"][:4] for message in apprise.messages], ["one:", "two:"])


if __name__ == "__main__":
    unittest.main()
