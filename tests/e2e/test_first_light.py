"""The main job: push, webhook, healthy; version 2 replaces version 1; what did not change is not touched."""

import os
import unittest

from harness import (EndToEnd, bed, compose, container_ids, containers, free_port, http_get, idle_service, page_project,
                     push_scratch, write_tree)


class FirstLight(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()

    def test_a_pushed_artifact_runs_and_version_2_replaces_it(self):
        name, port = self.stack("light"), free_port()
        ref = self.ref(name)
        write_tree(self.folder, page_project(name, port, "one"))
        first = push_scratch(self.folder, ref)
        answer = self.windlass.send(ref, first)
        self.assertEqual(answer.status, 202)
        self.assertEqual(answer.body["content"], "job accepted")  # webhook/R20
        record = self.succeeds(self.windlass.wait_run(answer.job_id))
        self.assertEqual(record["message"], "job completed successfully")
        self.assertEqual(record["repository"], f"test/{name}")
        self.assertEqual(record["revision"], f"main ({first})")
        self.assertEqual(http_get(f"http://127.0.0.1:{port}/"), (200, "one"))
        self.assertEqual(containers(name)["web"]["State"]["Health"]["Status"], "healthy")

        write_tree(self.folder, page_project(name, port, "two"))
        self.succeeds(self.windlass.deploy(ref, push_scratch(self.folder, ref)))
        self.assertEqual(http_get(f"http://127.0.0.1:{port}/"), (200, "two"))

    def test_wait_answers_when_the_stack_is_healthy(self):
        name, port = self.stack("wait"), free_port()
        ref = self.ref(name)
        digest = self.push(ref, page_project(name, port))
        answer = self.windlass.send(ref, digest, wait=True)
        self.assertEqual((answer.status, answer.body["content"]), (201, "job completed successfully"))  # webhook/R21
        self.assertEqual(containers(name)["web"]["State"]["Health"]["Status"], "healthy")
        answer = self.windlass.send(ref, digest, wait=True)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.body["content"].startswith("job skipped: "), answer.text)

    def test_containers_carry_the_labels_of_their_release(self):
        name = self.stack("labels")
        ref = self.ref(name)
        digest = self.push(ref, {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"web": idle_service()})})
        self.succeeds(self.windlass.deploy(ref, digest))
        labels = containers(name)["web"]["Config"]["Labels"]
        expected = {  # deploy 6, oci 14
            "cd.doco.metadata.manager": "doco-cd",
            "cd.doco.deployment.name": name,
            "cd.doco.deployment.target.ref": "main",
            "cd.doco.deployment.target.sha": digest,
            "cd.doco.deployment.trigger": digest,
            "cd.doco.source": "oci",
            "cd.doco.source.name": f"test/{name}",
            "cd.doco.source.url": ref,
            "cd.windlass.source.id": f"{bed()['REGISTRY']}/test/{name}",
        }
        self.assertEqual({key: labels.get(key) for key in expected}, expected)

    def test_an_unchanged_artifact_restarts_nothing_and_starts_no_child(self):
        name, port = self.stack("same"), free_port()
        ref = self.ref(name)
        digest = self.push(ref, page_project(name, port))
        self.succeeds(self.windlass.deploy(ref, digest))
        before = containers(name)["web"]
        children = child_processes_started(self.windlass.process.pid)
        record = self.windlass.deploy(ref, digest)
        self.assertEqual(record["status"], "skipped", record)
        self.assertEqual(child_processes_started(self.windlass.process.pid), children)  # deploy/N2b
        after = containers(name)["web"]
        self.assertEqual((after["Id"], after["State"]["StartedAt"]), (before["Id"], before["State"]["StartedAt"]))

    def test_a_new_digest_with_the_same_content_restarts_nothing(self):
        name, port = self.stack("repack"), free_port()
        ref = self.ref(name)
        files = page_project(name, port)
        self.succeeds(self.windlass.deploy(ref, self.push(ref, files)))
        before = container_ids(name)
        write_tree(self.folder, files)
        self.windlass.deploy(ref, push_scratch(self.folder, ref))
        self.assertEqual(container_ids(name), before)

    def test_a_changed_mounted_file_recreates_just_its_service(self):
        name = self.stack("mount")
        ref = self.ref(name)

        def files(text):
            return {
                ".doco-cd.yaml": f"name: {name}\n",
                "compose.yaml": compose({
                    "reader": idle_service(volumes=["./conf/app.conf:/etc/app.conf:ro"]),
                    "other": idle_service(),
                }),
                "conf/app.conf": text,
            }

        self.succeeds(self.windlass.deploy(ref, self.push(ref, files("a=1\n"))))
        before = container_ids(name)
        job = self.succeeds(self.windlass.deploy(ref, self.push(ref, files("a=2\n"))))
        after = container_ids(name)
        self.assertNotEqual(after["reader"], before["reader"])
        self.assertEqual(after["other"], before["other"])
        told = [event for event in self.windlass.events(job_id=job["job_id"]) if "conf/app.conf" in str(event)]
        self.assertTrue(told, "no log line of the job gives conf/app.conf as the reason")
        self.assertTrue(any("reader" in str(event) for event in told), told)

    def test_a_changed_setting_recreates_just_its_service_and_removed_ones_go(self):
        name = self.stack("setting")
        ref = self.ref(name)
        config = {".doco-cd.yaml": f"name: {name}\n"}
        first = compose({"a": idle_service(environment={"X": "1"}), "b": idle_service(), "c": idle_service()})
        self.succeeds(self.windlass.deploy(ref, self.push(ref, {**config, "compose.yaml": first})))
        before = container_ids(name)
        second = compose({"a": idle_service(environment={"X": "2"}), "b": idle_service()})
        self.succeeds(self.windlass.deploy(ref, self.push(ref, {**config, "compose.yaml": second})))
        after = container_ids(name)
        self.assertEqual(sorted(after), ["a", "b"])
        self.assertNotEqual(after["a"], before["a"])
        self.assertEqual(after["b"], before["b"])

    def test_what_containers_wrote_into_the_live_directory_survives(self):
        name = self.stack("data")
        ref = self.ref(name)

        def files(version):
            return {
                ".doco-cd.yaml": f"name: {name}\n",
                "compose.yaml": compose({"app": idle_service(
                    command=["sh", "-c", "echo kept > /data/mine; exec sleep 100000"],
                    volumes=["./data:/data"], environment={"V": version})}),
                "data/shipped": "s",
            }

        self.succeeds(self.windlass.deploy(ref, self.push(ref, files("1"))))
        live = os.path.join(self.windlass.data, bed()["REGISTRY"].replace(":", "_"), "test", name)
        inode = os.stat(os.path.join(live, "data/shipped")).st_ino
        self.succeeds(self.windlass.deploy(ref, self.push(ref, files("2"))))
        self.assertTrue(os.path.exists(os.path.join(live, "data/mine")))  # oci 10, S6
        self.assertEqual(os.stat(os.path.join(live, "data/shipped")).st_ino, inode)  # S3

    def test_one_artifact_with_two_stacks_targets_env_and_profiles(self):
        one, two = self.stack("first"), self.stack("second")
        ref = self.ref(one)
        digest = self.push(ref, {
            ".doco-cd.prod.yaml": f"name: {one}\nworking_dir: app\nenvironment: {{WHO: prod}}\nprofiles: [extra]\n"
                                  f"---\nname: {two}\ncompose_files: [two.yaml]\nenv_files: [two.env]\n",
            "app/compose.yaml": compose({"a": idle_service(environment={"WHO": "${WHO}"}),
                                         "x": idle_service(profiles=["extra"]),
                                         "y": idle_service(profiles=["never"])}),
            "two.yaml": compose({"b": idle_service(environment={"WHO": "${WHO}"})}),
            "two.env": "WHO=two\n",
        })
        record = self.succeeds(self.windlass.deploy(ref, digest, target="prod"))
        self.assertEqual(record["target"], "prod")
        self.assertEqual(sorted(containers(one)), ["a", "x"])
        self.assertIn("WHO=prod", containers(one)["a"]["Config"]["Env"])
        self.assertIn("WHO=two", containers(two)["b"]["Config"]["Env"])


def child_processes_started(pid):
    """Grows with every child that was waited for: the page faults of all of them, counted by the kernel (cminflt)."""
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[8])


if __name__ == "__main__":
    unittest.main()
