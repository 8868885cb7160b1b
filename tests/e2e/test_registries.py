"""Registries and credentials (oci 3, 5): plain HTTP on loopback, TLS with basic auth, bearer tokens, helpers."""

import base64
import json
import os
import unittest

from connect_proxy import ConnectProxy
from fault_proxy import FaultProxy, always, passed, sent_on, status
from harness import (BED_DIR, TESTBED, EndToEnd, bed, compose, containers, idle_service, push_archive, run, unique,
                     write_tree)


def encoded(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def asks_who(handler, upstream):
    """As a private registry: whoever shows a password is let in."""
    answer = passed if "Authorization" in handler.headers else status(401, WWW_Authenticate='Basic realm="private"')
    answer(handler, upstream)


def shown(proxy):
    """What the requests so far had to prove themselves with."""
    return {headers.get("Authorization") for headers in proxy.requests("*", "/")}


class Registries(EndToEnd):
    def setUp(self):
        super().setUp()
        self.name = self.stack("registry")
        self.config = os.path.join(self.windlass.folder, "docker")
        os.makedirs(self.config)
        self.write_config({})
        self.windlass.settings["DOCKER_CONFIG"] = self.config

    def write_config(self, content):
        path = os.path.join(self.config, "config.json")
        with open(path + ".new", "w") as file:
            json.dump(content, file)
        os.rename(path + ".new", path)

    def registry(self, kind):
        """Address, user and password, and how oras reaches it."""
        run(TESTBED, "registry", BED_DIR, kind)
        values, upper = bed(), f"REGISTRY_{kind.upper()}"
        options = ["-u", values[upper + "_USER"], "-p", values[upper + "_PASSWORD"]]
        if kind == "basic":
            options += ["--ca-file", values[upper + "_CA"]]
            self.windlass.settings["SSL_CERT_FILE"] = values[upper + "_CA"]
        return values[upper], values[upper + "_USER"], values[upper + "_PASSWORD"], options

    def artifact(self, registry, options, path="test", version="1"):
        ref = f"{registry}/{path}/{self.name}:main"
        write_tree(self.folder, {".doco-cd.yaml": f"name: {self.name}\n",
                                 "compose.yaml": compose({"app": idle_service(environment={"V": version})})})
        return ref, push_archive(self.folder, ref, *options)

    def deploys(self, ref, digest):
        self.succeeds(self.windlass.deploy(ref, digest))
        self.assertTrue(containers(self.name)["app"]["State"]["Running"])

    def test_plain_http_on_loopback(self):
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        self.windlass.start()
        self.deploys(ref, digest)

    def test_tls_and_basic_auth(self):
        registry, user, password, options = self.registry("basic")
        ref, digest = self.artifact(registry, options)
        self.write_config({"auths": {registry: {"auth": encoded(user, password)}}})
        self.windlass.start()
        self.deploys(ref, digest)

    def test_user_and_password_fields(self):
        registry, user, password, options = self.registry("basic")
        ref, digest = self.artifact(registry, options)
        self.write_config({"auths": {registry: {"username": user, "password": password}}})
        self.windlass.start()
        self.deploys(ref, digest)

    def test_bearer_tokens(self):
        registry, user, password, options = self.registry("token")
        ref, digest = self.artifact(registry, options)
        self.write_config({"auths": {registry: {"auth": encoded(user, password)}}})
        self.windlass.start()
        self.deploys(ref, digest)

    def test_bearer_tokens_for_everybody(self):
        registry, _, _, options = self.registry("token")
        ref, digest = self.artifact(registry, options, path="public")
        self.windlass.start()
        self.deploys(ref, digest)

    def test_a_config_file_that_changes_is_read_again(self):
        registry, user, password, options = self.registry("basic")
        ref, digest = self.artifact(registry, options)
        self.write_config({"auths": {registry: {"auth": encoded(user, "wrong")}}})
        self.windlass.start()
        record = self.fails(self.windlass.deploy(ref, digest), registry, "401")
        self.assertNotIn("wrong", record["message"].replace("wrong user", ""))
        self.write_config({"auths": {registry: {"auth": encoded(user, password)}}})
        self.deploys(ref, digest)
        log = self.windlass.log()
        self.assertNotIn(password, log)
        self.assertNotIn(encoded(user, password), log)

    def helper(self, name, user, password):
        """docker-credential-<name> in a folder that is put on the PATH."""
        folder = os.path.join(self.windlass.folder, "bin")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"docker-credential-{name}")
        with open(path, "w") as file:
            file.write('#!/bin/sh\n[ "$1" = get ] || exit 1\nread -r server\n'
                       f'printf \'{{"ServerURL":"%s","Username":"{user}","Secret":"{password}"}}\' "$server"\n')
        os.chmod(path, 0o755)
        self.windlass.settings["PATH"] = f"{folder}:{os.environ['PATH']}"

    def test_a_credential_helper_of_the_registry(self):
        registry, user, password, options = self.registry("basic")
        ref, digest = self.artifact(registry, options)
        self.helper("mine", user, password)
        self.write_config({"credHelpers": {registry: "mine"}})
        self.windlass.start()
        self.deploys(ref, digest)

    def test_a_credential_store_for_all(self):
        registry, user, password, options = self.registry("token")
        ref, digest = self.artifact(registry, options)
        self.helper("safe", user, password)
        self.write_config({"credsStore": "safe"})
        self.windlass.start()
        self.deploys(ref, digest)

    def test_a_missing_helper_does_not_stop_public_pulls(self):
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        self.write_config({"credsStore": "not-there"})
        self.windlass.start()
        self.deploys(ref, digest)
        self.assertIn("docker-credential-not-there", self.windlass.log())

    def test_podmans_file_where_there_is_no_docker_file(self):
        registry, user, password, options = self.registry("basic")
        auths = json.dumps({"auths": {registry: {"auth": encoded(user, password)}}})
        os.remove(os.path.join(self.config, "config.json"))
        for variable, place, path in (("REGISTRY_AUTH_FILE", "auth.json", "auth.json"),
                                      ("XDG_RUNTIME_DIR", "", "containers/auth.json"),
                                      ("XDG_CONFIG_HOME", "", "containers/auth.json")):
            with self.subTest(variable):
                ref, digest = self.artifact(registry, options, version=variable)
                folder = os.path.join(self.windlass.folder, variable)
                write_tree(folder, {path: auths})
                self.windlass.start(**{variable: os.path.join(folder, place)})
                try:
                    self.deploys(ref, digest)
                finally:
                    self.windlass.terminate()

    def test_credentials_from_the_environment_come_first(self):
        registry, user, password, options = self.registry("basic")
        ref, digest = self.artifact(registry, options)
        self.write_config({"auths": {registry: {"auth": encoded(user, "wrong")}}})
        self.windlass.start(DOCKER_AUTH_CONFIG=json.dumps({"auths": {registry: {"auth": encoded(user, password)}}}))
        self.deploys(ref, digest)

    def registries_file(self, entries):
        path = os.path.join(self.windlass.folder, "registries.yaml")
        with open(path, "w") as file:
            json.dump(entries, file)
        self.windlass.settings["OCI_REGISTRIES_FILE"] = path

    def test_a_client_certificate(self):
        run(TESTBED, "registry", BED_DIR, "client")
        values = bed()
        registry, ca = values["REGISTRY_CLIENT"], values["REGISTRY_CLIENT_CA"]
        certificate, key = values["REGISTRY_CLIENT_CERT"], values["REGISTRY_CLIENT_KEY"]
        ref, digest = self.artifact(registry, ["--ca-file", ca, "--cert-file", certificate, "--key-file", key])
        self.registries_file([{"prefix": registry, "ca_file": ca}])
        self.windlass.start()
        self.fails(self.windlass.deploy(ref, digest), registry)
        self.windlass.terminate()
        self.registries_file([{"prefix": registry, "ca_file": ca, "client_cert": certificate, "client_key": key}])
        self.windlass.start()
        self.deploys(ref, digest)

    def test_a_registry_whose_certificate_is_not_checked(self):
        registry, user, password, options = self.registry("basic")
        del self.windlass.settings["SSL_CERT_FILE"]
        ref, digest = self.artifact(registry, options)
        self.write_config({"auths": {registry: {"auth": encoded(user, password)}}})
        self.windlass.start()
        self.fails(self.windlass.deploy(ref, digest), "SSL certificate problem")  # reliability/F53
        self.windlass.terminate()
        self.windlass.start(OCI_INSECURE_REGISTRIES=registry)
        self.deploys(ref, digest)
        self.assertIn("no certificate is checked of these registries", self.windlass.log())

    def test_mirrors_serve_what_is_named_by_digest(self):
        name = unique("mirror")
        mirror = run(TESTBED, "registry", BED_DIR, "plain", name).split()[-1]
        self.addCleanup(run, TESTBED, "stop", BED_DIR, name)
        primary = FaultProxy(bed()["REGISTRY"])
        self.addCleanup(primary.close)
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        copy = ref.replace(bed()["REGISTRY"], f"{mirror}/cache")
        run("oras", "cp", "--from-plain-http", "--to-plain-http", ref, copy)
        reference = ref.replace(bed()["REGISTRY"], primary.address)
        primary.on("GET", "/blobs/", always(status(503)))
        self.registries_file([{"prefix": primary.address, "mirrors": ["127.0.0.1:1/dead", f"{mirror}/cache"]}])
        self.windlass.start()
        self.deploys(reference, digest)
        self.assertEqual(primary.requests("GET", "/v2/.+"), [])
        self.assertEqual(len(primary.requests("HEAD", "/manifests/main")), 1)  # only the primary says what a tag is
        live = os.path.join(self.windlass.data, primary.address.replace(":", "_"), "test", self.name)
        self.assertTrue(os.path.isfile(os.path.join(live, "compose.yaml")))
        labels = containers(self.name)["app"]["Config"]["Labels"]  # oci 6: they never name a mirror
        self.assertEqual(labels["cd.windlass.source.id"], f"{primary.address}/test/{self.name}")
        self.assertEqual(labels["cd.doco.source.url"], reference)
        self.assertEqual(labels["cd.doco.source.name"], f"test/{self.name}")

    def test_the_primary_serves_what_no_mirror_has(self):
        name = unique("mirror")
        mirror = run(TESTBED, "registry", BED_DIR, "plain", name).split()[-1]
        self.addCleanup(run, TESTBED, "stop", BED_DIR, name)
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        self.registries_file([{"prefix": bed()["REGISTRY"], "mirrors": [mirror]}])
        self.windlass.start()
        self.deploys(ref, digest)

    def http_and_https(self):
        """Two doors to the plain registry, with credentials known for both."""
        self.registry("basic")  # for its certificate
        plain = FaultProxy(bed()["REGISTRY"])
        secure = FaultProxy(bed()["REGISTRY"], os.path.dirname(self.windlass.settings["SSL_CERT_FILE"]))
        self.addCleanup(plain.close)
        self.addCleanup(secure.close)
        known = {"auth": encoded("pat", "door-pass")}
        self.write_config({"auths": {plain.address: known, secure.address: known}})
        return plain, secure

    def test_plain_http_that_leads_to_https_at_another_port(self):
        plain, secure = self.http_and_https()
        plain.on("*", "/", always(sent_on(f"https://{secure.address}")))
        self.windlass.start()
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        self.deploys(ref.replace(bed()["REGISTRY"], plain.address), digest)
        self.assertTrue(secure.requests("GET", "/blobs/"))
        secure.on("*", "/", always(asks_who))
        ref, digest = self.artifact(bed()["REGISTRY"], [], version="2")
        self.fails(self.windlass.deploy(ref.replace(bed()["REGISTRY"], plain.address), digest), plain.address, "401")
        self.assertEqual(shown(plain) | shown(secure), {None})  # anybody on the way could have written the redirect
        self.name = self.stack("registry")
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        self.deploys(ref.replace(bed()["REGISTRY"], secure.address), digest)  # named as it is over HTTPS
        self.assertEqual(shown(secure), {None, f"Basic {encoded('pat', 'door-pass')}"})

    def test_https_that_leads_to_plain_http(self):
        plain, secure = self.http_and_https()
        secure.on("*", "/", always(sent_on(f"http://{plain.address}")))
        self.windlass.start()
        ref, digest = self.artifact(bed()["REGISTRY"], [])
        self.fails(self.windlass.deploy(ref.replace(bed()["REGISTRY"], secure.address), digest),
                   f"https://{secure.address}/v2/test/{self.name}/manifests/", "redirect to plain HTTP refused")
        self.assertEqual(plain.requests("*", "/"), [])
        self.assertEqual(shown(secure), {None})

    def test_a_proxy(self):
        registry, user, password, options = self.registry("basic")
        ref, digest = self.artifact(registry, options)
        proxy = ConnectProxy({"registry.test:443": registry}, "pat", "proxy-pass")
        self.addCleanup(proxy.close)
        reference = ref.replace(registry, "registry.test")  # a name that nobody but the proxy knows
        self.write_config({"auths": {"registry.test": {"auth": encoded(user, password)}}})
        self.windlass.start(HTTPS_PROXY=f"http://pat:proxy-pass@{proxy.address}")
        self.deploys(reference, digest)
        self.assertEqual(set(proxy.asked), {"registry.test:443"})
        self.assertNotIn("proxy-pass", self.windlass.log())
        self.windlass.terminate()
        self.windlass.start(HTTPS_PROXY=f"http://pat:wrong@{proxy.address}", JOB_TIMEOUT="5s")
        _, digest = self.artifact(registry, options, version="2")
        self.fails(self.windlass.deploy(reference, digest), "407")


if __name__ == "__main__":
    unittest.main()
