"""A damaged state file: the start is refused, and --rebuild-state knows again what is deployed (reliability F25)."""

import os
import random
import subprocess
import unittest

from harness import BINARY, EndToEnd, child_environment, compose, container_ids, idle_service, unique, until


class Rebuild(EndToEnd):
    def setUp(self):
        super().setUp()
        self.repository = unique("rebuild")
        self.one, self.two = self.stack("one"), self.stack("two")
        self.main, self.next = self.ref(self.repository, "main"), self.ref(self.repository, "next")

    def files(self, stack, version="1"):
        return {".doco-cd.yaml": f"name: {stack}\n", "conf/version": version,
                "compose.yaml": compose({"app": idle_service(volumes=["./conf:/conf:ro"], restart="always"),
                                         "other": idle_service(restart="always")})}

    def state_file(self):
        return os.path.join(self.windlass.data, ".windlass/state.db")

    def start_fails(self, *arguments):
        environment = child_environment(**self.windlass.settings)
        done = subprocess.run([BINARY, "serve", *arguments], env=environment, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stdout

    def test_what_is_deployed_is_known_again(self):
        self.windlass.start()
        first = self.push(self.main, self.files(self.one))
        self.succeeds(self.windlass.deploy(self.main, first))
        digest = self.push(self.main, self.files(self.one, "2"))
        self.succeeds(self.windlass.deploy(self.main, digest))
        other = self.push(self.next, self.files(self.two))
        self.succeeds(self.windlass.deploy(self.next, other))
        before = container_ids(self.one), container_ids(self.two)
        self.assertEqual(self.windlass.terminate(), 0)
        with open(self.state_file(), "r+b") as file:
            file.write(b"\0" * 4096)

        output = self.start_fails()
        self.assertIn(self.state_file(), output)
        self.assertIn("windlass serve --rebuild-state", output)
        away = self.start_fails_without_engine()
        self.assertIn("failed to connect to docker", away)
        # The mark stays: a plain start goes on with it.
        self.windlass.start()
        until(lambda: self.windlass.log().count("state file is rebuilt"), "the state file to be rebuilt", 10)
        self.assertEqual(len(self.windlass.events(msg="release found")), 3)
        kept = [name for name in os.listdir(os.path.dirname(self.state_file())) if ".damaged-" in name]
        self.assertEqual(len(kept), 1)

        record = self.succeeds(self.windlass.deploy(self.next, other))
        self.assertIn("adopt app", record["stacks"][0]["message"])
        self.succeeds(self.windlass.deploy(self.main, digest))
        self.assertEqual((container_ids(self.one), container_ids(self.two)), before)
        self.assertEqual(self.windlass.deploy(self.main, digest)["status"], "skipped")
        changed = self.succeeds(self.windlass.deploy(self.main, self.push(self.main, self.files(self.one, "3"))))
        self.assertIn("keep other", changed["stacks"][0]["message"])
        self.assertEqual(container_ids(self.one)["other"], before[0]["other"])
        self.assertEqual(self.windlass.api(f"releases?stack={self.one}")[1]["content"][0]["plan"],
                         changed["stacks"][0]["message"])

        self.windlass.terminate()
        self.assertIn("there is nothing to rebuild", self.restarted_with_the_flag())

    def start_fails_without_engine(self):
        settings = dict(self.windlass.settings)
        self.windlass.settings["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
        try:
            return self.start_fails("--rebuild-state")
        finally:
            self.windlass.settings = settings

    def restarted_with_the_flag(self):
        again = subprocess.Popen([BINARY, "serve", "--rebuild-state"], env=child_environment(**self.windlass.settings),
                                 text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            self.windlass.process = again
            output = ""
            for line in again.stdout:
                output += line
                if "docker engine answers" in line:
                    return output
            return output
        finally:
            again.kill()
            again.wait()
            again.stdout.close()

    def test_a_lost_log_is_told(self):
        self.windlass.start()
        digest = self.push(self.main, self.files(self.one))
        self.succeeds(self.windlass.deploy(self.main, digest))
        before = container_ids(self.one)
        self.windlass.kill()
        os.remove(self.state_file() + "-wal")
        self.windlass.start()
        told = self.windlass.events(level="error", reason="it is gone")
        self.assertEqual(len(told), 1, told)
        record = self.windlass.deploy(self.main, digest)
        self.assertIn(record["status"], ("succeeded", "skipped"), record)
        self.assertEqual(container_ids(self.one), before)
        self.assertEqual(self.windlass.terminate(), 0)
        self.windlass.start()
        self.assertEqual(len(self.windlass.events(level="error", reason="it is gone")), 1)

    def outcome_with(self, content):
        """The exit code and output of a start with this state file; no code if it stays up."""
        with open(self.state_file(), "wb") as file:
            file.write(content)
        for suffix in ("-wal", "-shm"):
            if os.path.exists(self.state_file() + suffix):
                os.remove(self.state_file() + suffix)
        with open(os.path.join(self.windlass.folder, "output"), "w+") as output:
            process = subprocess.Popen([BINARY, "serve"], env=child_environment(**self.windlass.settings),
                                       stdout=output, stderr=output)
            try:
                process.wait(timeout=0.6)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None, ""
            output.seek(0)
            return process.returncode, output.read()

    def test_damage_is_refused_by_name(self):
        """Pages overwritten at fifty places, a few bytes here and there, and files cut short."""
        self.windlass.start()
        digest = self.push(self.main, self.files(self.one))
        self.succeeds(self.windlass.deploy(self.main, digest))
        self.assertEqual(self.windlass.terminate(), 0)
        with open(self.state_file(), "rb") as file:
            whole = file.read()
        places = random.Random(25)
        damaged = [b"", whole[:len(whole) // 2], places.randbytes(len(whole)), whole[:100]]
        for _ in range(25):
            at = places.randrange(len(whole) // 4096) * 4096
            damaged.append(whole[:at] + places.randbytes(4096) + whole[at + 4096:])
        must_be_refused = len(damaged)
        for _ in range(25):
            at = places.randrange(len(whole) - 16)
            damaged.append(whole[:at] + places.randbytes(16) + whole[at + 16:])
        survived = 0
        for number, content in enumerate(damaged):
            code, text = self.outcome_with(content)
            if code is None:
                survived += number < must_be_refused
                continue
            self.assertEqual(code, 1, text)
            self.assertIn(self.state_file(), text)
            self.assertIn("--rebuild-state", text)
        self.assertLess(survived, 3, "a page that is free, or holds the middle of a long text, may be anything")


if __name__ == "__main__":
    unittest.main()
