"""Registries and credentials (oci 3, 5): plain HTTP on loopback, TLS with basic auth, bearer tokens, helpers."""

import base64
import json
import os
import unittest

from harness import BED_DIR, TESTBED, EndToEnd, bed, compose, containers, idle_service, push_archive, run, write_tree


def encoded(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


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

    def artifact(self, registry, options, path="test"):
        ref = f"{registry}/{path}/{self.name}:main"
        write_tree(self.folder, {".doco-cd.yaml": f"name: {self.name}\n",
                                 "compose.yaml": compose({"app": idle_service()})})
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


if __name__ == "__main__":
    unittest.main()
