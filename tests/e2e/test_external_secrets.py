"""external_secrets: values come from a store, and are found nowhere but in containers."""

import os
import signal
import unittest

from apprise import URLS, Apprise
from harness import (API_SECRET, BINARY, ArgumentLists, EndToEnd, compose, container_ids, containers, idle_service, run,
                     unique, until)
from secret_store import AWS_KEY, BITWARDEN_ID, BITWARDEN_TOKEN, TOKEN, SecretStore

STORES = """
stores:
  items:
    url: {url}/item/{{{{ .remote_ref.item }}}}
    headers: {{Authorization: 'Bearer {{{{ .auth.token }}}}'}}
    json_path: "data.fields[?name=='{{{{ .remote_ref.field }}}}'].value"
"""


class ExternalSecrets(EndToEnd):
    def setUp(self):
        super().setUp()
        self.store = SecretStore()
        self.addCleanup(self.store.close)
        self.planted = [TOKEN]
        self.argument_lists = ArgumentLists()
        self.name = self.stack("external")
        self.windlass.settings.update(LOG_LEVEL="debug", SECRET_REFRESH_INTERVAL="0")

    def value(self, name):
        value = f"planted-{unique(name)}-$x"
        self.planted.append(value)
        return value

    def use_openbao(self):
        self.windlass.settings.update(SECRET_PROVIDER="openbao", SECRET_PROVIDER_SITE_URL=self.store.url,
                                      SECRET_PROVIDER_ACCESS_TOKEN=TOKEN)

    def push_stack(self, secrets, **services):
        lines = "".join(f"  {name}: {reference}\n" for name, reference in secrets.items())
        return self.push(self.ref(self.name), {
            ".doco-cd.yaml": f"name: {self.name}\nexternal_secrets:\n{lines}",
            "compose.yaml": compose(services, secrets={"pass": {"environment": "PASSWORD"}})})

    def deploy_with(self, digest):
        return self.windlass.deploy(self.ref(self.name), digest)

    def wait_for_deployments(self, count):
        def deployed():
            records = self.windlass.api("runs?trigger=poll&limit=50")[1]["content"]
            return sum(record["status"] == "succeeded" for record in records) >= count

        until(deployed, f"{count} deployments", 90)

    def file_in(self, service):
        return run("docker", "exec", containers(self.name)[service]["Id"], "cat", "/run/secrets/pass")

    def environment_of(self, service):
        return dict(item.split("=", 1) for item in containers(self.name)[service]["Config"]["Env"])

    def assert_no_trace(self):
        """Not in the log, the API's answers, state, live directories or argument lists."""
        places = {"log": self.windlass.log().encode(), "arguments": b"\n".join(self.argument_lists.seen)}
        for path in ("runs", "releases"):
            places[path] = str(self.windlass.api(path)).encode()
        for folder, _, files in os.walk(self.windlass.data):
            for file in files:
                with open(os.path.join(folder, file), "rb") as opened:
                    places[os.path.join(folder, file)] = opened.read()
        for place, text in places.items():
            for secret in self.planted:
                self.assertNotIn(secret.encode(), text, f"in {place}")

    def test_values_of_openbao_reach_containers_and_nothing_else(self):
        self.use_openbao()
        password, token = self.value("password"), self.value("token")
        self.store.secrets["app"] = {"password": password, "token": token}
        with self.argument_lists:
            self.windlass.start()
            digest = self.push_stack(
                {"PASSWORD": "kv:kv:app:password", "TOKEN": "kv:kv:app:token"},
                web=idle_service(environment={"TOKEN": "${TOKEN}"}),
                db=idle_service(secrets=["pass"]), cache=idle_service())
            self.succeeds(self.deploy_with(digest))
            self.assertEqual(self.environment_of("web")["TOKEN"], token)
            self.assertEqual(self.file_in("db"), password)
            self.assertEqual(len(self.store.asked), 1)  # both keys at once

            before = container_ids(self.name)
            self.assertEqual(self.deploy_with(digest)["status"], "skipped")
            self.store.secrets["app"]["password"] = changed = self.value("changed")
            record = self.succeeds(self.deploy_with(digest))
            self.assertIn("recreate db (content of secret pass changed)", str(record))
            after = container_ids(self.name)
            self.assertEqual(self.file_in("db"), changed)
            self.assertNotEqual(after["db"], before["db"])
            self.assertEqual((after["web"], after["cache"]), (before["web"], before["cache"]))

            self.store.secrets["app"]["token"] = self.value("token")
            self.succeeds(self.deploy_with(digest))
            self.assertEqual(self.environment_of("web")["TOKEN"], self.store.secrets["app"]["token"])
            self.assertEqual(container_ids(self.name)["db"], after["db"])
        self.assert_no_trace()

    def test_values_of_a_webhook_store(self):
        password = self.value("password")
        self.store.secrets["my item"] = {"login": password}
        self.windlass.settings.update(SECRET_PROVIDER="webhook", SECRET_PROVIDER_AUTH_TOKEN=TOKEN,
                                      SECRET_PROVIDER_WEBHOOK_STORES=STORES.format(url=self.store.url))
        self.windlass.start()
        digest = self.push_stack(
            {"PASSWORD": "{store_ref: items, remote_ref: {item: my item, field: login}}"},
            web=idle_service(environment={"PASSWORD": "${PASSWORD}"}), db=idle_service(secrets=["pass"]))
        self.succeeds(self.deploy_with(digest))
        self.assertEqual(self.environment_of("web")["PASSWORD"], password)
        self.assertEqual(self.file_in("db"), password)
        self.assertEqual(self.store.asked[0][1], "/item/my%20item")
        self.assert_no_trace()

    def test_values_of_every_other_provider(self):
        password = self.value("password")
        self.store.secrets["app"] = {"password": password}
        url = self.store.url
        op = os.path.join(self.windlass.folder, "op")  # plays the command: fills its template
        with open(op, "w") as file:
            file.write(f"#!/bin/sh\n[ \"$OP_SERVICE_ACCOUNT_TOKEN\" = {TOKEN} ] || exit 1\n"
                       f"exec sed \"s|{{{{ op://vault/app/password }}}}|{password.replace('$', chr(92) + '$')}|\"\n")
        os.chmod(op, 0o755)
        self.planted += [AWS_KEY, BITWARDEN_TOKEN]
        providers = {
            "1password": ("op://The vault/app/password",
                          {"CONNECT_HOST": url, "CONNECT_TOKEN": TOKEN}),
            "infisical": ("project:prod:password",
                          {"SITE_URL": url, "CLIENT_ID": "client", "CLIENT_SECRET": TOKEN}),
            "aws_sm": ("app#password",
                       {"REGION": "eu-central-1", "ACCESS_KEY_ID": "AKID", "SECRET_ACCESS_KEY": AWS_KEY}),
            "bitwarden_sm": (BITWARDEN_ID,
                             {"API_URL": url, "IDENTITY_URL": url + "/identity", "ACCESS_TOKEN": BITWARDEN_TOKEN}),
            "1password ": ("op://vault/app/password", {"ACCESS_TOKEN": TOKEN}),
        }
        for provider, (reference, settings) in providers.items():
            with self.subTest(provider):
                extra = {f"SECRET_PROVIDER_{name}": value for name, value in settings.items()}
                self.windlass.start(SECRET_PROVIDER=provider.strip(), AWS_ENDPOINT_URL_SECRETS_MANAGER=url,
                                    PATH=f"{self.windlass.folder}:{os.environ['PATH']}", **extra)
                digest = self.push_stack({"PASSWORD": f"'{reference}'"},
                                         db=idle_service(secrets=["pass"], environment={"PROVIDER": provider}))
                self.succeeds(self.deploy_with(digest))
                self.assertEqual(self.file_in("db"), password)
                self.assert_no_trace()
                self.assertEqual(self.windlass.terminate(), 0)

    def test_a_secret_that_is_not_there_changes_nothing(self):
        self.use_openbao()
        self.store.secrets["app"] = {"password": self.value("password")}
        self.windlass.start()
        reference = {"PASSWORD": "kv:kv:app:password"}
        service = idle_service(secrets=["pass"])
        self.succeeds(self.deploy_with(self.push_stack(reference, db=service)))
        before = container_ids(self.name)
        self.fails(self.deploy_with(self.push_stack({"PASSWORD": "kv:kv:app:other"}, db=service)),
                   "secret not found: PASSWORD (kv:kv:app:other): key other not found in secret app")
        self.store.down = True
        record = self.fails(self.deploy_with(self.push_stack(reference, db=idle_service(secrets=["pass"], tty=True))),
                            "external secret PASSWORD (kv:kv:app:password): GET", "status 400")
        self.assertNotIn("planted", str(record))
        self.assertEqual(container_ids(self.name), before)
        self.assert_no_trace()

    def test_a_container_that_tells_its_password_does_not_tell_it_to_us(self):
        self.use_openbao()
        self.store.secrets["app"] = {"password": self.value("password")}
        self.windlass.start()
        digest = self.push_stack({"PASSWORD": "kv:kv:app:password"},
                                 db=idle_service(environment={"P": "${PASSWORD}"},
                                                 command=["sh", "-c", 'echo "bad password $$P"; exit 3']))
        self.fails(self.deploy_with(digest), "exited with code 3", "bad password ***")
        self.assert_no_trace()

    def test_nor_does_one_that_prints_a_key_line_by_line(self):
        self.use_openbao()
        lines = [self.value(f"line-{number}") for number in (1, 2)]
        self.store.secrets["app"] = {"password": "\n".join(lines) + "\n"}
        self.windlass.start()
        digest = self.push_stack({"PASSWORD": "kv:kv:app:password"},
                                 db=idle_service(secrets=["pass"],
                                                 command=["sh", "-c", "cat /run/secrets/pass; exit 3"]))
        self.fails(self.deploy_with(digest), "exited with code 3; last log lines: ***")
        self.assert_no_trace()

    def test_a_reference_leads_nowhere_else(self):
        self.use_openbao()
        self.store.secrets["app"] = {"password": self.value("password")}
        self.windlass.start()
        for reference in ("kv:kv:../../auth/token/lookup-self:id", "kv:kv/..:app:password", "kv:kv:a/./b:c"):
            digest = self.push_stack({"PASSWORD": reference}, db=idle_service())
            self.fails(self.deploy_with(digest), '"." and ".." are no names')
        self.assertEqual(self.store.asked, [])

    def test_a_poll_notices_a_rotated_value(self):
        self.use_openbao()
        self.store.secrets["app"] = {"password": self.value("password")}
        self.push_stack({"PASSWORD": "kv:kv:app:password"}, db=idle_service(secrets=["pass"]))
        self.windlass.settings.update(
            SECRET_REFRESH_INTERVAL="1s",
            POLL_CONFIG=f"[{{source: oci, url: '{self.ref(self.name)}', interval: 10}}]")
        self.windlass.start()
        self.wait_for_deployments(1)
        before = container_ids(self.name)
        self.store.secrets["app"]["password"] = rotated = self.value("rotated")
        self.wait_for_deployments(2)
        self.assertNotEqual(container_ids(self.name), before)
        self.assertEqual(self.file_in("db"), rotated)
        self.assertIn("external secret has another value", self.windlass.log())
        self.assert_no_trace()

    def test_a_value_that_never_stays_the_same_is_a_loop(self):  # deploy/U1
        apprise = Apprise()
        apprise.up()
        self.addCleanup(apprise.down)
        self.use_openbao()
        self.store.secrets["app"] = {"password": self.value("password")}
        self.windlass.settings.update(APPRISE_API_URL=apprise.url, APPRISE_NOTIFY_URLS=URLS)
        self.windlass.start(MAX_DEPLOYMENT_LOOP_COUNT="1")
        digest = self.push_stack({"PASSWORD": "kv:kv:app:password"}, db=idle_service(secrets=["pass"]),
                                 web=idle_service())

        def next_run():
            self.store.secrets["app"]["password"] = self.value("password")
            return self.deploy_with(digest)

        self.succeeds(next_run())
        web = container_ids(self.name)["web"]
        self.windlass.kill()
        self.windlass.start(MAX_DEPLOYMENT_LOOP_COUNT="1")
        self.succeeds(next_run())
        self.assertNotEqual(container_ids(self.name)["web"], web, "all services are made anew once")
        before = container_ids(self.name)
        self.fails(next_run(), "it is looping: 2 deployments", "(db: content of secret pass changed)")
        until(lambda: "❌ Deployment Failed" in apprise.titles(), "the notification")
        self.assertIn("so would the next (db: content of secret pass changed)", apprise.messages[-1]["body"])
        for _ in range(2):
            self.assertEqual(next_run()["status"], "skipped")
        self.assertEqual(container_ids(self.name), before)
        self.assertEqual(apprise.titles().count("❌ Deployment Failed"), 1)
        loop = next(r for r in self.windlass.api("releases")[1]["content"] if r["stack"] == self.name)["loop"]
        self.assertEqual((loop["deployments"], loop["looping"]), (2, True))
        status = run(BINARY, "status", "--url", self.windlass.url, API_SECRET=API_SECRET)
        self.assertIn("looping", status)
        self.assertIn("deployed 2 times in a row and left alone now: db: content of secret pass changed", status)
        self.assertIn(f"{self.name} is left alone since ", status)
        self.assertIn(f"windlass rollback {self.name} --to ", status)

        self.succeeds(self.deploy_with(self.push_stack({"PASSWORD": "kv:kv:app:password"},
                                                       db=idle_service(secrets=["pass"], tty=True), web=idle_service())))
        self.assert_no_trace()

    def test_a_new_token_counts_from_a_reload_on(self):
        path = os.path.join(self.windlass.folder, "token")

        def reload_with(token, phrase):
            with open(path + ".new", "w") as file:
                file.write(token)
            os.rename(path + ".new", path)
            seen = len(self.windlass.events(msg=phrase))
            self.windlass.process.send_signal(signal.SIGHUP)
            until(lambda: len(self.windlass.events(msg=phrase)) > seen, phrase)
            return self.windlass.events(msg=phrase)[-1]

        with open(path, "w") as file:
            file.write("s.token-that-is-not-good-any-more")
        self.planted.append("s.token-that-is-not-good-any-more")
        self.use_openbao()
        self.windlass.settings.update(SECRET_PROVIDER_ACCESS_TOKEN=None, SECRET_PROVIDER_ACCESS_TOKEN_FILE=path)
        self.store.secrets["app"] = {"password": self.value("password")}
        self.windlass.start()
        until(lambda: self.windlass.events(msg="docker engine answers"), "the start to end")
        digest = self.push_stack({"PASSWORD": "kv:kv:app:password"}, db=idle_service(secrets=["pass"]))
        self.fails(self.deploy_with(digest), "external secret PASSWORD (kv:kv:app:password): ", "403")
        refused = reload_with("", "settings were not reloaded: those before still count")
        self.assertIn("SECRET_PROVIDER_ACCESS_TOKEN", refused["error"])
        self.assertEqual(reload_with(TOKEN, "settings reloaded")["changed"], "SECRET_PROVIDER_ACCESS_TOKEN_FILE")
        self.succeeds(self.deploy_with(digest))
        self.assertEqual(self.file_in("db"), self.store.secrets["app"]["password"])
        self.assert_no_trace()

    def test_the_key_needs_a_provider(self):
        self.windlass.start()
        digest = self.push_stack({"PASSWORD": "kv:kv:app:password"}, db=idle_service(secrets=["pass"]))
        self.fails(self.deploy_with(digest), "external_secrets needs SECRET_PROVIDER")


if __name__ == "__main__":
    unittest.main()
