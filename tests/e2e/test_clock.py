"""A wall clock that jumps (reliability P25, F29): by an hour, to 1970, to 2038, to the year 3000. Nothing waits longer or
shorter for it, the order of runs and releases stays, and no id comes twice."""

import json
import os
import time
import unittest

from harness import EndToEnd, compose, containers, idle_service, preload, until

NOW = int(time.time())
JUMPS = {"an hour back": -3600, "an hour on": 3600, "1970": 60 - NOW, "2038": 2147483700 - NOW,
         "the year 3000": 32503680000 - NOW, "back to now": 0}
INTERVAL = 10


class Clock(EndToEnd):
    def jump(self, seconds):
        with open(self.shift + ".new", "w") as file:
            file.write(str(seconds))
        os.rename(self.shift + ".new", self.shift)

    def push_version(self, name, version):
        healthcheck = {"test": ["CMD", "true"], "interval": "1s"}
        service = idle_service(environment={"V": str(version)}, restart="always", healthcheck=healthcheck)
        return self.push(self.ref(name), {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": service})})

    def version(self, name):
        try:
            app = containers(name).get("app")
        except AssertionError:  # an old and a new one, for a moment
            return None
        return app and next(variable[2:] for variable in app["Config"]["Env"] if variable.startswith("V="))

    def test_jumps_in_the_middle_of_everything(self):
        self.shift = os.path.join(self.windlass.folder, "shift")
        self.jump(0)
        sent, polled = self.stack("sent"), self.stack("polled")
        self.push_version(polled, "0")
        self.windlass.settings["POLL_CONFIG"] = json.dumps(
            [{"source": "oci", "url": self.ref(polled), "interval": INTERVAL}])
        self.windlass.start(LD_PRELOAD=preload("shifted_clock", self.windlass.folder), CLOCK_SHIFT=self.shift)
        self.succeeds(self.windlass.deploy(self.ref(sent), self.push_version(sent, "0")))
        until(lambda: self.version(polled) == "0", "the first poll to deploy")
        jobs = []
        for number, (name, seconds) in enumerate(JUMPS.items(), start=1):
            with self.subTest(name):
                self.push_version(polled, number)
                due = time.monotonic() + INTERVAL + 5  # a poll after the interval, and the deployment
                answer = self.windlass.send(self.ref(sent), self.push_version(sent, number))
                self.assertEqual(answer.status, 202, answer.text)
                self.jump(seconds)  # while it is deployed and watched
                begin = time.monotonic()
                record = self.windlass.wait_run(answer.job_id, 30)
                self.succeeds(record)
                self.assertLess(time.monotonic() - begin, 10)
                jobs.append(answer.job_id)
                until(lambda: self.version(polled) == str(number), "the poll to deploy", due - time.monotonic())
        self.assertEqual(len(set(jobs)), len(JUMPS))
        runs = [run["job_id"] for run in self.windlass.api("runs?trigger=webhook&limit=100")[1]["content"]]
        # Runs that ended longer than a week ago are not shown, those of 1970 for one (api N3).
        self.assertEqual([job for job in runs if job in jobs], [job for job in jobs[::-1] if job in runs])
        self.assertGreater(len([job for job in runs if job in jobs]), 2)
        releases = self.windlass.api(f"releases?stack={sent}&limit=100")[1]["content"]
        self.assertEqual([release["job_id"] for release in releases][:len(jobs)], jobs[::-1])
        again = self.windlass.deploy(self.ref(sent), self.push_version(sent, len(JUMPS)))
        self.assertEqual(again["status"], "skipped")


if __name__ == "__main__":
    unittest.main()
