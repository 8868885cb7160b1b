"""Compose applications (oci 4), as `docker compose publish` makes them: nothing but compose files, so the deployments are
those of the poll."""

import hashlib
import json
import os
import unittest

from harness import EndToEnd, compose, containers, idle_service, run, until, write_tree
from image_layout import MANIFEST, Layout


class ComposeApplications(EndToEnd):
    PROJECT = "application/vnd.docker.compose.project"
    FILE = "application/vnd.docker.compose.file+yaml"
    VARIABLES = "application/vnd.docker.compose.envfile"

    def setUp(self):
        super().setUp()
        self.name = self.stack("application")
        self.reference = self.ref(self.name)
        self.layout = Layout(self.folder)

    def file(self, text, kind="file", media_type=None, **annotations):
        return self.layout.blob(text.encode(), media_type or self.FILE, annotations={
            f"com.docker.compose.{kind}": f"{hashlib.sha256(text.encode()).hexdigest()}.{kind}",
            **{f"com.docker.compose.{name}": value for name, value in annotations.items()}})

    def publish(self, *layers):
        config = self.layout.blob(b"{}", "application/vnd.oci.empty.v1+json")
        root = self.layout.blob({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": self.PROJECT,
                                 "config": config, "layers": list(layers)}, MANIFEST)
        return self.layout.push_artifact(root, self.reference)

    def poll(self, *entries):
        """The runs of the polls at the start, each a reference and the stack it becomes; none: the usual one."""
        entries = entries or ((self.reference, self.name),)
        self.windlass.settings["POLL_CONFIG"] = json.dumps([{
            "source": "oci", "url": reference, "interval": 0, "run_once": True,
            "deployments": [{"name": stack}]} for reference, stack in entries])
        self.windlass.start()

        def finished():
            runs = [run for run in self.windlass.api("runs?trigger=poll")[1]["content"]
                    if run["status"] in ("succeeded", "failed", "skipped")]
            return runs if len(runs) == len(entries) else None
        return until(finished, "the polls to end", 60)

    def test_files_are_joined_and_run(self):
        variables = self.file("VALUE=from the file\n", "envfile", self.VARIABLES)
        base = self.file(compose({"base": idle_service()}), extends="true")
        named = {layer["digest"]: layer["annotations"] for layer in (variables, base)}
        first = json.dumps({"services": {"app": {
            "extends": {"file": named[base["digest"]]["com.docker.compose.file"], "service": "base"},
            "env_file": named[variables["digest"]]["com.docker.compose.envfile"]}}})
        second = json.dumps({"services": {"app": {"environment": {"ADDED": "by the second"}}}})
        self.publish(self.file(first), base, variables, self.file(second))
        self.succeeds(*self.poll())
        environment = containers(self.name)["app"]["Config"]["Env"]
        self.assertIn("VALUE=from the file", environment)
        self.assertIn("ADDED=by the second", environment)

    def test_names_that_lead_elsewhere_are_refused(self):
        evil = self.file("x: 1", extends="true")
        evil["annotations"]["com.docker.compose.file"] = "../evil.yaml"
        self.publish(self.file(compose({"app": idle_service()})), evil)
        self.fails(*self.poll(), "com.docker.compose.file '../evil.yaml'", "path traversal detected")
        self.assertEqual(containers(self.name), {})

    def publish_by_compose(self, ref, oci_version):
        place = os.path.join(self.windlass.folder, "project")
        write_tree(place, {"one.yaml": compose({"app": idle_service()}),
                           "two.yaml": compose({"app": {"labels": {"added": "by two.yaml"}}})})
        files = ["-f", os.path.join(place, "one.yaml"), "-f", os.path.join(place, "two.yaml")]
        is_known = "publish" in run("docker", "compose", "--help").split()  # else an experiment of compose before 2.34
        version = run("docker", "compose", "version", "--short").strip().lstrip("v")
        plain_http = ["--insecure-registry"] if int(version.split(".")[0]) >= 5 else []  # older ones know loopback
        run("docker", "compose", *files, *([] if is_known else ["alpha"]), "publish", "--oci-version", oci_version,
            *plain_http, ref)

    def test_what_docker_compose_publishes(self):
        # In this order: with 1.0 compose 2.26 pushes the empty config that it leaves out with 1.1.
        stacks = {self.ref(self.name, version): self.stack("application") for version in ("1.0", "1.1")}
        for ref in stacks:
            self.publish_by_compose(ref, ref.rsplit(":", 1)[1])
        for record in self.poll(*stacks.items()):
            self.succeeds(record)
        for ref, stack in stacks.items():
            with self.subTest(ref):
                app = containers(stack)["app"]
                self.assertTrue(app["State"]["Running"])
                self.assertEqual(app["Config"]["Labels"]["added"], "by two.yaml")

    def test_a_webhook_alone_has_no_deployments(self):
        digest = self.publish(self.file(compose({"app": idle_service()})))
        self.windlass.start()
        self.fails(self.windlass.deploy(self.reference, digest), "configuration file not found in repository: .doco-cd")
        self.assertEqual(containers(self.name), {})


if __name__ == "__main__":
    unittest.main()
