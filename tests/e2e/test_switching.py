"""What a doco-cd user brings along: stacks that doco-cd made run on, images are built and pruned as before."""

import os
import tempfile
import unittest

from harness import BED_DIR, EndToEnd, bed, compose, container_ids, containers, idle_service, run, unique


class Switching(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("switch")
        self.repository = unique("switch")
        self.reference = self.ref(self.repository)

    def files(self, word="one", conf="one", config=""):
        services = {
            "plain": idle_service(environment={"WORD": word}, restart="always"),
            "mounted": idle_service(volumes=["./conf:/conf:ro"], restart="always"),
        }
        return {".doco-cd.yaml": f"name: {self.name}\n{config}", "compose.yaml": compose(services), "conf/a": conf}

    def doco_cd_deploys(self, files, digest):
        """Containers as doco-cd leaves them: compose's own, with labels that are in no compose file."""
        live = os.path.join(self.windlass.data, bed()["REGISTRY"].replace(":", "_"), "test", self.repository)
        with tempfile.TemporaryDirectory(dir=BED_DIR) as place:
            for path, text in files.items():
                for root in (live, place):
                    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                    with open(os.path.join(root, path), "w") as file:
                        file.write(text)
            project = ["docker", "compose", "-p", self.name, "--project-directory", live, "-f", f"{live}/compose.yaml"]
            run(*project, "up", "-d")
        for service, made in containers(self.name).items():
            labels = {**made["Config"]["Labels"], "cd.doco.metadata.manager": "doco-cd",
                      "cd.doco.source.name": f"test/{self.repository}", "cd.doco.deployment.name": self.name,
                      "cd.doco.deployment.target.sha": digest}
            options = [part for key, value in labels.items() for part in ("--label", f"{key}={value}")]
            options += [part for variable in made["Config"]["Env"] or [] for part in ("-e", variable)]
            options += [part for bind in made["HostConfig"]["Binds"] or [] for part in ("-v", bind)]
            options += [part for mount in made["HostConfig"].get("Mounts") or []
                        for part in ("-v", f"{mount['Source']}:{mount['Target']}:ro")]
            run("docker", "rm", "-f", made["Id"])
            run("docker", "run", "-d", "--name", made["Name"].lstrip("/"), "--network", f"{self.name}_default",
                "--restart", "always", *options, made["Config"]["Image"], *made["Config"]["Cmd"])
        return container_ids(self.name)

    def test_what_doco_cd_made_runs_on(self):
        files = self.files()
        digest = self.push(self.reference, files)
        before = self.doco_cd_deploys(files, digest)
        record = self.succeeds(self.windlass.deploy(self.reference, digest))
        self.assertIn("adopt plain", record["stacks"][0]["message"])
        self.assertEqual(container_ids(self.name), before)
        again = self.windlass.deploy(self.reference, digest)
        self.assertEqual((again["status"], again["message"]), ("skipped", f"{self.name}: no changes"))

        changed = self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, self.files(conf="two"))))
        self.assertIn("keep plain", changed["stacks"][0]["message"])
        after = container_ids(self.name)
        self.assertEqual(after["plain"], before["plain"], "compose leaves it alone as well")
        self.assertNotEqual(after["mounted"], before["mounted"])

    def test_a_stack_made_by_hand_is_taken_over_when_told(self):
        with tempfile.TemporaryDirectory(dir=BED_DIR) as place:
            with open(os.path.join(place, "compose.yaml"), "w") as file:
                file.write(compose({"plain": idle_service()}))
            run("docker", "compose", "-p", self.name, "-f", f"{place}/compose.yaml", "up", "-d")
        before = container_ids(self.name)
        refused = self.windlass.deploy(self.reference, self.push(self.reference, self.files()))
        self.fails(refused, "another stack with the same name already exists")
        self.assertEqual(container_ids(self.name), before)
        self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, self.files(config="adopt: true\n"))))
        self.assertEqual(set(containers(self.name)), {"plain", "mounted"})

    def build(self, version, config=""):
        services = {"app": idle_service(build={"context": "./app", "args": {"WORD": "file"}})}
        del services["app"]["image"], services["app"]["pull_policy"]
        files = {".doco-cd.yaml": f"name: {self.name}\n{config}", "compose.yaml": compose(services),
                 "app/version": version, "app/Dockerfile": f"FROM {bed()['REGISTRY']}/busybox:1\nARG WORD\n"
                                                            "COPY version /version\nRUN echo $WORD > /word\n"}
        return self.windlass.deploy(self.reference, self.push(self.reference, files))

    def test_images_are_built_from_the_release_and_pruned_when_old(self):
        rule = "rollback: {enabled: false, keep: 1}\nbuild: {args: {WORD: con$fig}}\n"
        self.succeeds(self.build("one", rule))
        first = containers(self.name)["app"]
        self.assertEqual(run("docker", "exec", first["Id"], "cat", "/version", "/word"), "onecon$fig\n")
        self.succeeds(self.build("two", rule))
        second = containers(self.name)["app"]
        self.assertEqual(run("docker", "exec", second["Id"], "cat", "/version", "/word"), "twocon$fig\n")
        self.assertNotIn(first["Image"], run("docker", "image", "ls", "-aq", "--no-trunc"))
        self.succeeds(self.build("three", rule + "prune_images: false\n"))
        self.assertIn(second["Image"], run("docker", "image", "ls", "-aq", "--no-trunc"))
        run("docker", "image", "rm", "-f", second["Image"], containers(self.name)["app"]["Image"], check=False)


if __name__ == "__main__":
    unittest.main()
