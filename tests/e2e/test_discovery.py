"""Auto-discovery and destroy on a real engine: stacks come with their folders and go with them, and take what they should."""

import os
import unittest

from harness import EndToEnd, bed, compose, containers, idle_service, run, unique


class Discovery(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.reference = self.ref(unique("found"))
        self.one, self.two = self.stack("one"), self.stack("two")

    def app(self, **service):
        return compose({"app": idle_service(volumes=["data:/data", "./conf:/conf:ro"], **service)}, volumes={"data": {}})

    def files(self, *stacks, rules="delete: true"):
        files = {".doco-cd.yaml": f"working_dir: apps\nauto_discovery: {{enabled: true, {rules}}}\n"}
        for stack in stacks:
            files[f"apps/{stack}/compose.yaml"] = self.app()
            files[f"apps/{stack}/conf/name"] = stack
        return files

    def deploy(self, files):
        return self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, files)))

    def volumes(self, stack):
        return run("docker", "volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={stack}").split()

    def live(self, *path):
        repository = self.reference.rsplit(":", 1)[0].replace(bed()["REGISTRY"], bed()["REGISTRY"].replace(":", "_"))
        return os.path.join(self.windlass.data, repository, *path)

    def test_stacks_come_and_go_with_their_folders(self):
        self.deploy(self.files(self.one, self.two))
        self.assertEqual([list(containers(stack)) for stack in (self.one, self.two)], [["app"], ["app"]])
        first = containers(self.one)["app"]["Id"]
        record = self.deploy(self.files(self.one))
        self.assertEqual(containers(self.two), {})
        self.assertEqual(len(self.volumes(self.two)), 1, "volumes stay unless remove_volumes says otherwise")
        self.assertEqual(containers(self.one)["app"]["Id"], first, "the other one is left alone")
        self.assertIn(self.two, [stack["name"] for stack in record["stacks"]])
        self.assertFalse(os.path.exists(self.live("apps", self.two, "compose.yaml")))

    def test_a_nested_file_has_the_last_word(self):
        files = self.files(self.one, self.two)
        third = self.stack("third")
        files[f"apps/{self.two}/.doco-cd.yaml"] = f"name: {third}\nenvironment: {{WORD: nested}}\n"
        files[f"apps/{self.two}/compose.yaml"] = compose({"app": idle_service(environment={"WORD": "${WORD}"})})
        self.deploy(files)
        self.assertEqual(containers(self.two), {})
        self.assertIn("WORD=nested", containers(third)["app"]["Config"]["Env"])

    def test_destroy_takes_what_it_is_told_to(self):
        image = f"{bed()['REGISTRY']}/test/{unique('gone')}:1"
        run("docker", "build", "-q", "-t", image, "-", DOCKER_BUILDKIT="0",
            stdin=f"FROM {bed()['REGISTRY']}/busybox:1\nRUN echo {image} > /x\n")
        files = {".doco-cd.yaml": f"name: {self.one}\n", "conf/name": "x",
                 "compose.yaml": self.app(image=image, pull_policy="never")}
        self.deploy(files)
        run("docker", "exec", containers(self.one)["app"]["Id"], "sh", "-c", "echo kept > /data/kept")
        with open(self.live("written-by-hand"), "w") as file:
            file.write("mine")
        files[".doco-cd.yaml"] += "destroy: true\n"
        self.deploy(files)
        self.assertEqual(containers(self.one), {})
        self.assertEqual(self.volumes(self.one), [])
        self.assertNotIn("Id", run("docker", "image", "inspect", image, check=False))
        self.assertEqual(os.listdir(self.live()), ["written-by-hand"], "only what a release put there goes")
        files[".doco-cd.yaml"] += "# again\n"
        record = self.windlass.deploy(self.reference, self.push(self.reference, files))
        self.assertEqual((record["status"], record["message"]), ("skipped", f"{self.one}: nothing to take down"))

    def test_destroy_leaves_an_image_that_others_use(self):
        self.deploy(self.files(self.one, self.two))
        files = self.files(self.two)
        files[".doco-cd.yaml"] += f"---\nname: {self.one}\ndestroy: {{enabled: true, remove_volumes: false}}\n"
        self.deploy(files)
        self.assertEqual(containers(self.one), {})
        self.assertEqual(len(self.volumes(self.one)), 1)
        self.assertTrue(containers(self.two)["app"]["State"]["Running"])
        self.assertIn("Id", run("docker", "image", "inspect", f"{bed()['REGISTRY']}/busybox:1"))


if __name__ == "__main__":
    unittest.main()
