"""kill -9 of windlass, or of its helper, while its own container is made anew (deploy/U2, reliability 3.1)."""

import os
import unittest

from harness import containers
from own_stack import OwnStackCase


class OwnStackCrash(OwnStackCase):
    def crash(self, step, works):
        """The container of before is killed at the step, or its helper, which has its variables; once."""
        self.by_hand(WINDLASS_CRASH_AT=step, WINDLASS_CRASH_MARK="/data/killed")
        environment = {} if works else {"LOG_LEVEL": "loud"}  # stops the start
        model = self.model(self.images[1], environment=environment)
        job_id = self.send(model)
        record = self.wait_run(job_id)
        self.assertTrue(os.path.exists(os.path.join(self.data, "killed")), f"{step} was not reached")
        self.assertEqual(record["status"], "succeeded" if works else "failed", record)
        self.assertEqual(self.version(), "VERSION=2" if works else "VERSION=1")
        self.assertEqual(self.own()["State"]["Status"], "running")
        self.assertEqual(self.own()["Name"], f"/{self.name}-windlass-1")
        self.assertIn("app", containers(self.neighbour))
        self.assert_helper_is_gone()
        self.assertEqual(self.releases()[0]["state"], record["status"])
        if not works:
            self.assertIn("the new windlass does not work, the one before is brought back", record["message"])
            model = self.model(self.images[1])  # and it works: what comes next comes through
        before = self.own()["Id"]
        again = self.wait_run(self.send(model))
        self.assertEqual(again["status"], "skipped" if works else "succeeded", again)
        self.assertEqual(self.version(), "VERSION=2")
        self.assertEqual(self.own()["Id"] == before, works)


def _test(step, works):
    return lambda self: self.crash(step, works)


for _step in ("handover.given", "take_over.up", "take_over.told"):
    for _works in (True, False):
        _name = f"test_at_{_step.replace('.', '_')}_{'of_what_works' if _works else 'of_what_does_not'}"
        setattr(OwnStackCrash, _name, _test(_step, _works))


if __name__ == "__main__":
    unittest.main()
