"""A disk that fills up anywhere in a deployment (reliability P24, F24): what ran still runs, every file is whole, and with
room again the next try succeeds without a restart."""

import os
import random
import subprocess
import unittest

from harness import EndToEnd, bed, compose, containers, idle_service, unique, until

KIB = 1024
FILES = 12
FREE_KIB = (0, 8, 40, 120, 300, 640, 760, 900, 1100, 1400, 1560, 1700, 2000, 2320, 2600)


def as_root(*command):
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *command], check=True)


class FullDisk(EndToEnd):
    def setUp(self):
        super().setUp()
        data = self.windlass.data
        as_root("mount", "-t", "tmpfs", "-o", f"size=48m,mode=0755,uid={os.geteuid()}", "tmpfs", data)
        self.addCleanup(as_root, "umount", "-l", data)
        self.repository = unique("full")
        self.reference = self.ref(self.repository)
        self.name = self.stack("full")

    def files(self, version):
        content = random.Random(version)
        files = {".doco-cd.yaml": f"name: {self.name}\n",
                 "compose.yaml": compose({"app": idle_service(environment={"V": str(version)}, restart="always",
                                                              volumes=["./data:/data:ro"])})}
        return {**files, **{f"data/{number}": content.randbytes(64 * KIB) for number in range(FILES)}}

    def live(self):
        return os.path.join(self.windlass.data, bed()["REGISTRY"].replace(":", "_"), "test", self.repository)

    def leave_free(self, kib):
        """Fills the disk up to so much; 0 KiB free is what the filler could not take."""
        with open(os.path.join(self.windlass.data, "filler"), "wb") as filler:
            room = os.statvfs(self.windlass.data)
            size = room.f_bavail * room.f_frsize - kib * KIB
            filler.write(b"\0" * max(size, 0))

    def make_room(self):
        os.remove(os.path.join(self.windlass.data, "filler"))

    def assert_whole(self, *versions):
        """Every live file is of one of these versions, byte by byte."""
        wanted = [self.files(version) for version in versions]
        for path in wanted[0]:
            with open(os.path.join(self.live(), path), "rb") as file:
                found = file.read()
            self.assertIn(found, [text.encode() if isinstance(text, str) else text
                                  for text in (files[path] for files in wanted)], path)

    def runs_version(self):
        container = containers(self.name)["app"]
        self.assertTrue(container["State"]["Running"])
        return next(int(variable[2:]) for variable in container["Config"]["Env"] if variable.startswith("V="))

    def accepted(self, digest):
        """The job of a webhook, once it is accepted."""
        def answer():
            answer = self.windlass.send(self.reference, digest)
            return answer.job_id if answer.status == 202 else None

        return until(answer, "the webhook to be accepted", 15)

    def test_a_disk_that_fills_up_anywhere(self):
        self.windlass.start()
        digest = self.push(self.reference, self.files(0))
        self.succeeds(self.windlass.deploy(self.reference, digest))
        failures = set()
        for version, free in enumerate(FREE_KIB, start=1):
            with self.subTest(free_kib=free):
                digest = self.push(self.reference, self.files(version))
                self.leave_free(free)
                answer = self.windlass.send(self.reference, digest)
                self.assertIn(answer.status, (202, 503), answer.text)
                if answer.status == 202:
                    record = self.windlass.wait_run(answer.job_id)
                    failures.add(record["message"].split(":")[0])
                else:
                    failures.add("not accepted")
                    self.assertEqual(self.runs_version(), version - 1)
                self.assertIn(self.runs_version(), (version - 1, version))
                self.assert_whole(version - 1, version)
                self.make_room()
                last = self.windlass.wait_run(self.accepted(digest))
                self.assertIn(last["status"], ("succeeded", "skipped"), last)
                self.assertEqual(self.runs_version(), version)
                self.assert_whole(version)
                left = [name for _, _, names in os.walk(self.live()) for name in names if ".windlass." in name]
                self.assertEqual(left, [])
                self.assertEqual(os.listdir(os.path.join(self.windlass.data, ".windlass/oci/staging")), [])
        self.assertGreater(len(failures), 2, failures)
        self.windlass.kill()
        self.windlass.start()
        self.assertEqual(self.windlass.deploy(self.reference, digest)["status"], "skipped")


if __name__ == "__main__":
    unittest.main()
