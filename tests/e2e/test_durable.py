"""A 202 means on disk: after kill -9 a restart finishes what was accepted, under the same id, deployed once."""

import os
import random
import time
import unittest

from harness import EndToEnd, compose, containers, idle_service, run


def starts(project, since):
    """How many containers of the project the engine has started since then. (A container that compose was killed over,
    before it ran, is made again.)"""
    events = run("docker", "events", "--since", str(since), "--until", f"{time.time():.6f}", "--filter", "event=start",
                 "--filter", "type=container", "--filter", f"label=com.docker.compose.project={project}",
                 "--format", "{{.ID}}")
    return len(events.split())


class KillNine(EndToEnd):
    def files(self, name, text="1"):
        services = {"app": idle_service(environment={"V": text})}
        return {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose(services)}

    def test_a_job_accepted_before_the_kill_is_finished_after_it(self):
        self.windlass.start()
        name = self.stack("kill")
        ref = self.ref(name)
        digest = self.push(ref, self.files(name))
        since = f"{time.time():.6f}"
        answer = self.windlass.send(ref, digest)
        self.windlass.kill()
        self.assertEqual(answer.status, 202)
        self.windlass.start()
        self.succeeds(self.windlass.wait_run(answer.job_id))
        self.assertEqual(starts(name, since), 1)
        self.assertEqual(self.windlass.deploy(ref, digest)["status"], "skipped")

    def test_kills_at_random_moments_lose_nothing_and_double_nothing(self):
        moments = random.Random(os.environ.get("WINDLASS_KILLS_SEED", 7))
        name = self.stack("random")
        ref = self.ref(name)
        self.windlass.start()
        for number in range(int(os.environ.get("WINDLASS_KILLS", 6))):
            digest = self.push(ref, self.files(name, str(number)))
            since = f"{time.time():.6f}"
            answer = self.windlass.send(ref, digest)
            self.assertEqual(answer.status, 202)
            time.sleep(moments.uniform(0, 0.8))
            self.windlass.kill()
            self.windlass.start()
            record = self.windlass.wait_run(answer.job_id)
            # Killed after the release was recorded and before the run ended: run again, nothing left to do.
            self.assertIn(record["status"], ("succeeded", "skipped"), record)
            self.assertIn(f"V={number}", containers(name)["app"]["Config"]["Env"])
            self.assertEqual(starts(name, since), 1, f"release {number}")

    def test_every_accepted_request_of_a_burst_survives(self):
        self.windlass.start()
        name = self.stack("burst")
        ref = self.ref(name)
        digest = self.push(ref, self.files(name))
        answers = [self.windlass.send(ref, digest, target=f"t{number}") for number in range(20)]
        self.windlass.kill()
        self.windlass.start()
        for answer in answers:
            record = self.windlass.wait_run(answer.job_id)
            self.assertIn("configuration file not found in repository", record["message"])  # the targets do not exist
        self.assertEqual(len(self.windlass.api("runs?limit=100")[1]["content"]), 20)


if __name__ == "__main__":
    unittest.main()
