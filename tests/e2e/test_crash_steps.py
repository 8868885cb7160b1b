"""kill -9 between any two steps (reliability 3.1), with a build that stops itself at a named step."""

import os
import time
import unittest

from apprise import URLS, Apprise
from harness import EndToEnd, bed, compose, container_ids, containers, idle_service, until
from test_durable import starts

# The step, and whether the sender is sure to have its 202 by then: a worker may lease the job before the answer is out.
STEPS = {
    "accept.received": False, "accept.before_commit": False, "accept.after_commit": False,  # F1
    "job.leased": False, "source.resolved": True, "verify.done": True,  # F2
    "fetch.half_blob": True, "fetch.blob_stored": True,  # F5
    "unpack.half": True, "unpack.done": True, "plan.done": True,  # F6
    "sync.journal_written": True, "sync.half": True, "sync.half:2": True, "sync.half:3": True, "sync.before_delete": True, "sync.after": True,  # F7
    # The third child: compose has told its version, resolved the model, and now brings the stack up.
    "driver.before_up": True, "child.started:3": True, "driver.after_up": True,  # F9
    "watch.waiting": True, "release.before_record": True, "release.after_record": True,  # F10
}


class CrashSteps(EndToEnd):
    def files(self, name, version):
        files = {
            ".doco-cd.yaml": f"name: {name}\n",
            "compose.yaml": compose({"app": idle_service(environment={"V": version}, volumes=["./conf:/conf:ro"])}),
            "conf/common": f"version {version}\n",
        }
        files[f"conf/only-in-{version}"] = version
        return files

    def live_files(self, name):
        live = os.path.join(self.windlass.data, bed()["REGISTRY"].replace(":", "_"), "test", name, "conf")
        contents = {}
        for file in os.listdir(live):
            with open(os.path.join(live, file)) as opened:
                contents[file] = opened.read()
        return contents

    def crash(self, step, answered):
        name = self.stack("crash")
        ref = self.ref(name)
        self.windlass.start()
        self.succeeds(self.windlass.deploy(ref, self.push(ref, self.files(name, "one"))))
        self.assertEqual(self.windlass.terminate(), 0)

        digest = self.push(ref, self.files(name, "two"))
        since = f"{time.time():.6f}"
        self.windlass.start(WINDLASS_CRASH_AT=step)
        job_id = None
        try:
            answer = self.windlass.send(ref, digest)
            job_id = answer.job_id if answer.status == 202 else None
        except OSError:
            pass  # the process went away before it answered
        self.windlass.wait_end()
        self.assertEqual(job_id is not None or not answered, True, "the webhook was not answered")

        self.windlass.start()
        if job_id is None:  # the sender sees no 2xx and sends again
            job_id = self.windlass.send(ref, digest).job_id
        record = self.windlass.wait_run(job_id)
        self.assertIn(record["status"], ("succeeded", "skipped"), record)
        self.assertIn("V=two", containers(name)["app"]["Config"]["Env"])
        self.assertEqual(self.live_files(name), {"common": "version two\n", "only-in-two": "two"})
        self.assertEqual(starts(name, since), 1, "deployed exactly once")
        staging = os.path.join(self.windlass.data, ".windlass/oci/staging")
        self.assertEqual(os.listdir(staging) if os.path.exists(staging) else [], [])
        before = container_ids(name)
        self.assertEqual(self.windlass.deploy(ref, digest)["status"], "skipped")
        self.assertEqual(container_ids(name), before)

    def test_at_stop_draining(self):
        """Killed while it was stopping: what was accepted is done by the next process."""  # F13
        name = self.stack("crash")
        ref = self.ref(name)
        digest = self.push(ref, self.files(name, "two"))
        self.windlass.start(WINDLASS_CRASH_AT="stop.draining")
        job_id = self.windlass.send(ref, digest).job_id
        self.windlass.process.terminate()
        self.assertEqual(self.windlass.wait_end(), -9)
        self.windlass.start()
        self.assertIn(self.windlass.wait_run(job_id)["status"], ("succeeded", "skipped"))
        self.assertEqual(set(containers(name)), {"app"})

    def test_at_rollback_half(self):
        """Killed on the way back: the next start completes it, and does not try the bad release again."""  # F11
        name = self.stack("crash")
        ref = self.ref(name)
        good, bad = self.files(name, "one"), self.files(name, "two")
        for files in (good, bad):
            files[".doco-cd.yaml"] += "rollback: {stable_for: 0s}\n"
        bad["compose.yaml"] = compose({"app": idle_service(command=["sh", "-c", "exit 5"],
                                                           volumes=["./conf:/conf:ro"])})
        digest = self.push(ref, good)
        self.windlass.start(WINDLASS_CRASH_AT="rollback.half")
        self.succeeds(self.windlass.deploy(ref, digest))
        job_id = self.windlass.send(ref, self.push(ref, bad)).job_id
        self.windlass.wait_end()
        since = f"{time.time():.6f}"
        self.windlass.start()
        self.fails(self.windlass.wait_run(job_id), "exited with code 5", f"rolled back to main ({digest})")
        self.assertIn("V=one", containers(name)["app"]["Config"]["Env"])
        self.assertEqual(self.live_files(name), {"common": "version one\n", "only-in-one": "one"})
        self.assertEqual(starts(name, since), 1, "the bad release was not started again")

    def test_at_notify_before(self):  # F12
        self.notify("notify.before", at_most=1)

    def test_at_notify_after(self):
        self.notify("notify.after", at_most=2)

    def notify(self, step, at_most):
        """Killed around a notification: at least once, at most twice, and the run is final."""
        apprise = Apprise()
        apprise.up()
        self.addCleanup(apprise.down)
        self.windlass.settings.update(APPRISE_API_URL=apprise.url, APPRISE_NOTIFY_URLS=URLS)
        ref = self.ref(self.stack("crash"))
        digest = self.push(ref, {".doco-cd.yaml": "name: [no\n"})
        self.windlass.start(WINDLASS_CRASH_AT=step)
        job_id = self.windlass.send(ref, digest).job_id
        self.assertEqual(self.windlass.wait_end(), -9)
        self.windlass.start()
        until(lambda: len(apprise.messages) >= at_most, "the notification")
        self.windlass.terminate()
        self.assertEqual(apprise.titles(), ["❌ Deployment Failed"] * at_most)
        self.windlass.start()
        self.assertEqual(self.windlass.run(job_id)["status"], "failed")
        time.sleep(0.5)
        self.assertEqual(len(apprise.messages), at_most)


def _test(step, answered):
    return lambda self: self.crash(step, answered)


for _step, _answered in STEPS.items():
    setattr(CrashSteps, f"test_at_{_step.replace('.', '_').replace(':', '_')}", _test(_step, _answered))


if __name__ == "__main__":
    unittest.main()
