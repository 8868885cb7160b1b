"""A 202 means on disk: after kill -9 a restart finishes what was accepted, under the same id, deployed once."""

import os
import random
import subprocess
import threading
import time
import unittest

from harness import EndToEnd, child_environment, compose, containers, idle_service, run
from quick_push import QuickPush


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

    def test_kills_among_many_jobs_lose_nothing_and_double_nothing(self):  # reliability F16
        """Releases of several artifacts, sent while the process is killed again and again."""
        moments = random.Random(os.environ.get("WINDLASS_KILLS_SEED", 7))
        stacks, releases, kills = (int(number) for number in os.environ.get("WINDLASS_KILLS_AMONG", "4 5 4").split())
        names = [self.stack("among") for _ in range(stacks)]
        push = QuickPush()
        self.addCleanup(push.connection.close)
        starts_file = os.path.join(self.windlass.folder, "starts")
        with open(starts_file, "w") as file:
            events = subprocess.Popen(
                ["docker", "events", "--filter", "event=start", "--filter", "type=container", "--format",
                 '{{index .Actor.Attributes "com.docker.compose.project"}} {{index .Actor.Attributes "release"}}'],
                stdout=file, env=child_environment())
        self.addCleanup(events.wait)
        self.addCleanup(events.terminate)
        self.windlass.start()
        jobs, newest, is_sent = [], {}, threading.Event()

        def send_all():
            for number in range(releases):
                for name in names:
                    service = idle_service(labels={"release": str(number)}, restart="always", network_mode="none")
                    digest = push.push(f"test/{name}", "main", {".doco-cd.yaml": f"name: {name}\n",
                                                                "compose.yaml": compose({"app": service})})
                    newest[name] = digest
                    jobs.append(self.accepted(self.ref(name), digest))
            is_sent.set()

        sender = threading.Thread(target=send_all)
        sender.start()
        killed = 0
        while killed < kills or not is_sent.is_set():
            time.sleep(moments.uniform(0, 3))
            self.windlass.kill()
            self.windlass.start()
            killed += 1
        sender.join()
        ends = [self.windlass.wait_run(job, 300) for job in jobs]
        failed = [end for end in ends if end["status"] == "failed"]
        for end in failed:  # what was killed three times is not begun again by itself (webhook K2)
            self.assertEqual((end["message"], end["attempts"]), ("interrupted by restart", 3), end)
        for name in {end["repository"].split("/")[1] for end in failed}:
            again = self.windlass.deploy(self.ref(name), newest[name])
            self.assertIn(again["status"], ("succeeded", "skipped"), again)
        for name in names:
            self.assertEqual(containers(name)["app"]["Config"]["Labels"]["release"], str(releases - 1))
        with open(starts_file) as file:
            started = [line for line in file.read().splitlines() if line.split()[0] in names]
        self.assertEqual([line for line in set(started) if started.count(line) > 1], [])
        print(f"{killed} kills among {len(jobs)} jobs of {stacks} artifacts: {len(started)} containers started,"
              f" {len(failed)} jobs killed three times")

    def accepted(self, ref, digest):
        """As a sender does: again until it is told 202."""
        while True:
            try:
                answer = self.windlass.send(ref, digest)
            except OSError:
                time.sleep(0.05)
                continue
            self.assertEqual(answer.status, 202, answer.text)
            return answer.job_id

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
