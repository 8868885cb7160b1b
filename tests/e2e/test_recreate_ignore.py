"""Services that keep their containers when only files they use have changed, and that are told by a signal
(labels cd.doco.deployment.recreate.ignore and .signal)."""

import unittest

from harness import EndToEnd, compose, container_ids, containers, idle_service, run, unique, until

IGNORE = "cd.doco.deployment.recreate.ignore"
# Prints what it reads when it starts and at each SIGHUP.
READER = ("show() { echo seen $$(cat /conf/app.ini /etc/app/page /run/secrets/key); }; trap show HUP; show; "
          "while :; do sleep 0.1; done")


class RecreateIgnore(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("ignore")
        self.reference = self.ref(unique("ignore"))

    def deploy(self, text, labels, image_word="one"):
        reader = idle_service(
            command=["sh", "-c", READER], environment={"WORD": image_word}, labels=labels, restart="always",
            configs=[{"source": "app", "target": "/conf/app.ini"}], secrets=["key"],
            volumes=["./page:/etc/app/page:ro"])
        files = {
            ".doco-cd.yaml": f"name: {self.name}\n",
            "compose.yaml": compose({"reader": reader}, configs={"app": {"file": "./app.ini"}},
                                    secrets={"key": {"file": "./key"}}),
            "app.ini": f"{text}\n", "page": f"{text}\n", "key": f"{text}\n",
        }
        return self.windlass.deploy(self.reference, self.push(self.reference, files))

    def seen(self, text):
        container = container_ids(self.name)["reader"]
        until(lambda: f"seen {text} {text} {text}" in run("docker", "logs", container), f"{text} to be read", 10)

    def test_a_signal_tells_of_new_content(self):
        labels = {IGNORE: "configs: [app]\nsecrets:\nbindMounts: [/etc/app/page]\n", f"{IGNORE}.signal": "SIGHUP"}
        self.succeeds(self.deploy("first", labels))
        self.seen("first")
        before = container_ids(self.name)
        record = self.succeeds(self.deploy("second", labels))
        self.seen("second")
        self.assertEqual(container_ids(self.name), before)
        self.assertIn("signal reader", record["stacks"][0]["message"])
        self.assertEqual(len(run("docker", "logs", before["reader"]).splitlines()), 2)

        changed = self.succeeds(self.deploy("third", labels, image_word="two"))
        self.assertIn("recreate reader (environment changed)", changed["stacks"][0]["message"])
        self.assertNotEqual(container_ids(self.name), before)

    def test_without_a_signal_only_the_files_change(self):
        labels = {IGNORE: "{configs: [], secrets: [], bindMounts: []}"}
        self.succeeds(self.deploy("first", labels))
        self.seen("first")
        before = container_ids(self.name)
        record = self.deploy("second", labels)
        self.assertEqual((record["status"], record["message"]), ("skipped", f"{self.name}: no changes"))
        self.assertEqual(run("docker", "exec", before["reader"], "cat", "/conf/app.ini", "/etc/app/page"), "second\n" * 2)
        self.assertEqual(container_ids(self.name), before)
        self.assertEqual(containers(self.name)["reader"]["RestartCount"], 0)

    def test_a_wrong_label_is_refused_before_anything_runs(self):
        record = self.deploy("first", {IGNORE: "images: [x]"})
        self.fails(record, "service reader: ignore config is invalid: unknown scope 'images'")
        self.assertEqual(containers(self.name), {})


if __name__ == "__main__":
    unittest.main()
