"""Start and stop: settings that are wrong, SIGTERM, a second process on the data (api 9)."""

import subprocess
import unittest

from harness import BINARY, EndToEnd, Windlass, child_environment, compose, containers, idle_service, until


class StartAndStop(EndToEnd):
    def test_sigterm_is_a_clean_stop(self):
        self.windlass.start()
        self.assertEqual(self.windlass.terminate(), 0)
        for line in ("shutdown signal received", "server shutdown gracefully", "application stopped normally"):
            self.assertIn(line, self.windlass.log())

    def test_sigterm_lets_a_running_job_finish(self):
        name = self.stack("finish")
        ref = self.ref(name)
        slow = idle_service(healthcheck={"test": ["CMD", "test", "-e", "/ready"], "interval": "200ms", "retries": 100},
                            command=["sh", "-c", "sleep 1; touch /ready; exec sleep 100000"])
        digest = self.push(ref, {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": slow})})
        self.windlass.settings["SHUTDOWN_GRACE"] = "30s"
        self.windlass.start()
        job = self.windlass.send(ref, digest).job_id
        until(lambda: containers(name), "the container to be made")
        self.assertEqual(self.windlass.terminate(), 0)
        self.windlass.start()
        record = self.windlass.run(job)
        self.assertEqual(record["status"], "succeeded", record)

    def test_faults_in_the_settings_are_told_all_at_once(self):
        environment = child_environment(HTTP_PORT="0", LOG_LEVEL="loud", MAX_CONCURRENT_DEPLOYMENTS="none",
                                        DATA_MOUNT_PATH="/nowhere", WEBHOOK_SECRET="x", DOCKER_HOST="ssh://engine",
                                        SSL_CERT_FILE="/nowhere/roots.pem")
        done = subprocess.run([BINARY, "serve"], env=environment, text=True, capture_output=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        for text in ("HTTP_PORT", "invalid log level, must be one of debug, info, warn, error",
                     "MAX_CONCURRENT_DEPLOYMENTS", "DATA_MOUNT_PATH /nowhere is not a folder",
                     "unsupported DOCKER_HOST scheme", "SSL_CERT_FILE: cannot read"):
            self.assertIn(text, done.stderr)

    def test_a_setting_that_is_not_built_yet_is_refused_by_name(self):
        environment = child_environment(HTTP_PORT=self.windlass.port, DATA_MOUNT_PATH=self.windlass.data,
                                        WEBHOOK_SECRET="x", CERT_ROTATION_ENABLED="true")
        done = subprocess.run([BINARY, "serve"], env=environment, text=True, capture_output=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("CERT_ROTATION_ENABLED: not built yet", done.stderr)

    def test_a_second_process_on_the_data_is_refused(self):
        self.windlass.start()
        second = Windlass(DATA_MOUNT_PATH=self.windlass.data)
        self.addCleanup(second.close)
        second.start(healthy=False)
        self.assertEqual(second.wait_end(), 1)
        self.assertIn("is in use", second.log())

    def test_the_secret_may_come_from_a_file(self):
        path = f"{self.windlass.folder}/secret"
        with open(path, "w") as file:
            file.write("  from-a-file\n")  # webhook/A4: trimmed
        self.windlass.settings.update(WEBHOOK_SECRET=None, WEBHOOK_SECRET_FILE=path)
        self.windlass.start()
        answer = self.windlass.send("ghcr.io/my/app:main", "sha256:" + "0" * 63, secret="from-a-file")
        self.assertEqual((answer.status, answer.body["error"]), (400, "invalid field: digest"))
        self.assertEqual(self.windlass.send("ghcr.io/my/app:main", "sha256:" + "0" * 63).status, 401)

    def test_unknown_words_are_a_usage_error(self):
        for word in ("--nonsense", "lint"):
            done = subprocess.run([BINARY, word], env=child_environment(), text=True, capture_output=True, timeout=20)
            self.assertEqual(done.returncode, 2, word)  # api/L3

    def test_logs_are_one_json_object_a_line(self):
        self.windlass.start()
        self.windlass.terminate()
        lines = self.windlass.log().splitlines()
        self.assertEqual(len(self.windlass.events()), len(lines))
        for event in self.windlass.events():
            self.assertEqual(list(event)[:3], ["time", "level", "msg"])  # api/G2


if __name__ == "__main__":
    unittest.main()
