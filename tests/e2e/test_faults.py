"""Bad input and faults: the run ends failed with a message a person can act on, and what ran before still runs."""

import os
import signal
import subprocess
import unittest

from harness import (BED_DIR, TESTBED, EndToEnd, bed, compose, container_ids, containers, http_get, idle_service,
                     push_archive, run, unique, until, write_tree)


class Faults(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("fault")
        self.reference = self.ref(self.name)

    def files(self, services=None, config=None, **more):
        return {".doco-cd.yaml": config or f"name: {self.name}\n",
                "compose.yaml": compose(services or {"app": idle_service()}), **more}

    def healthy_before(self):
        """A release that runs; what follows must leave it alone."""
        self.succeeds(self.windlass.deploy(self.reference, self.push(self.reference, self.files())))
        self.before = container_ids(self.name)

    def still_runs(self):
        self.assertEqual(container_ids(self.name), self.before)
        self.assertTrue(containers(self.name)["app"]["State"]["Running"])

    def fails_with(self, files, *texts):
        return self.fails(self.windlass.deploy(self.reference, self.push(self.reference, files)), *texts)

    def test_registry_down(self):
        name = unique("down")
        address = run(TESTBED, "registry", BED_DIR, "plain", name).split()[-1]
        self.addCleanup(run, TESTBED, "stop", BED_DIR, name)
        self.reference = self.ref(self.name, registry=address)
        self.healthy_before()
        digest = self.push(self.reference, self.files({"app": idle_service(environment={"V": "2"})}))
        run(TESTBED, "stop", BED_DIR, name)
        self.fails(self.windlass.deploy(self.reference, digest), "failed to resolve oci artifact digest", address)
        self.still_runs()

    def test_a_registry_that_comes_back_in_time_is_waited_for(self):
        name = unique("back")
        address = run(TESTBED, "registry", BED_DIR, "plain", name).split()[-1]
        self.addCleanup(run, TESTBED, "stop", BED_DIR, name)
        self.reference = self.ref(self.name, registry=address)
        digest = self.push(self.reference, self.files())
        run(TESTBED, "stop", BED_DIR, name)
        answer = self.windlass.send(self.reference, digest)
        until(lambda: self.windlass.run(answer.job_id)["status"] == "running", "the job to run")
        run(TESTBED, "registry", BED_DIR, "plain", name)
        self.succeeds(self.windlass.wait_run(answer.job_id))

    def test_unknown_digest(self):
        self.healthy_before()
        digest = "sha256:" + "0" * 64
        self.fails(self.windlass.deploy(self.reference, digest),
                   f"digest {digest} not found in test/{self.name}")  # webhook 14, P2
        self.still_runs()

    def test_unauthorised(self):
        run(TESTBED, "registry", BED_DIR, "basic")
        values = bed()
        ref = self.ref(self.name, registry=values["REGISTRY_BASIC"])
        write_tree(self.folder, self.files())
        digest = push_archive(self.folder, ref, "-u", values["REGISTRY_BASIC_USER"], "-p",
                              values["REGISTRY_BASIC_PASSWORD"], "--ca-file", values["REGISTRY_BASIC_CA"])
        self.windlass.terminate()
        self.windlass.start(SSL_CERT_FILE=values["REGISTRY_BASIC_CA"])
        self.fails(self.windlass.deploy(ref, digest), "failed to resolve oci artifact digest", "401")

    def test_artifact_without_config(self):
        self.healthy_before()
        self.fails_with({"compose.yaml": compose({"app": idle_service()})}, ".doco-cd.y")
        self.still_runs()

    def test_target_without_config(self):
        digest = self.push(self.reference, self.files())
        self.fails(self.windlass.deploy(self.reference, digest, target="prod"), ".doco-cd.prod.y")

    def test_broken_yaml(self):
        self.healthy_before()
        self.fails_with(self.files(config=f"name: {self.name}\nprofiles: [one\n"), "failed to get deploy configuration",
                        ".doco-cd.yaml")
        self.still_runs()

    def test_wrong_type_names_file_line_and_key(self):
        self.healthy_before()
        self.fails_with(self.files(config=f"name: {self.name}\ntimeout: soon\n"), ".doco-cd.yaml", "timeout", "2")
        self.still_runs()

    def test_bad_webhook_filter_fails_this_job_alone(self):
        self.healthy_before()
        record = self.fails_with(self.files(config=f"name: {self.name}\nwebhook_filter: '('\n"),
                                 "failed to get deploy configuration", ".doco-cd.yaml:2: webhook_filter")  # webhook/F8
        self.assertIsNone(self.windlass.process.poll(), record)
        self.still_runs()

    def test_unknown_key_is_a_warning(self):
        digest = self.push(self.reference, self.files(config=f"name: {self.name}\ncompose_fils: [x.yaml]\n"))
        self.succeeds(self.windlass.deploy(self.reference, digest))
        warnings = [event for event in self.windlass.events(level="warning") if "compose_fils" in str(event)]
        self.assertTrue(warnings, "no warning names the key")

    def test_key_that_is_not_built_yet_is_refused_by_name(self):
        self.healthy_before()
        self.fails_with(self.files(config=f"name: {self.name}\ncontext: remote\n"), "context")
        self.still_runs()

    def test_compose_file_missing_and_compose_error(self):
        self.healthy_before()
        self.fails_with(self.files(config=f"name: {self.name}\ncompose_files: [other.yaml]\n"), "other.yaml")
        self.fails_with({**self.files(), "compose.yaml": "services:\n  app:\n    imag: x\n"}, "imag")
        self.still_runs()

    def test_image_that_cannot_be_pulled(self):
        self.healthy_before()
        image = f"{bed()['REGISTRY']}/nobody/has-this:1"
        self.fails_with(self.files({"app": idle_service(image=image)}), f"failed to deploy stack {self.name}", image)
        self.still_runs()

    def test_image_that_may_not_be_pulled(self):
        run(TESTBED, "registry", BED_DIR, "basic")
        self.healthy_before()
        image = f"{bed()['REGISTRY_BASIC']}/nobody/secret:1"
        self.fails_with(self.files({"app": idle_service(image=image)}), f"failed to deploy stack {self.name}",
                        "config.json in the folder DOCKER_CONFIG")  # deploy/C6
        self.still_runs()

    def test_service_that_crash_loops(self):
        command = ["sh", "-c", "echo cannot open the books >&2; exit 3"]
        services = {"app": idle_service(command=command, restart="always")}
        record = self.fails_with(self.files(services), f"failed to deploy stack {self.name}", "app", "3")
        self.assertIn("cannot open the books", record["message"])

    def test_service_that_never_becomes_healthy(self):
        services = {"app": idle_service(healthcheck={"test": ["CMD", "false"], "interval": "200ms", "retries": 2})}
        self.fails_with(self.files(services), "app", "unhealthy")

    def test_service_that_takes_too_long(self):
        services = {"slow": idle_service(healthcheck={"test": ["CMD", "false"], "interval": "30s", "retries": 100})}
        self.fails_with(self.files(services, f"name: {self.name}\ntimeout: 2\n"),
                        "timed out after 2s waiting for services to start: slow; slow: ")  # deploy/C13

    def test_service_that_takes_too_long_says_what_it_lacks(self):
        check = {"test": ["CMD", "sh", "-c", "echo connection refused; exit 1"], "interval": "200ms", "retries": 1000}
        record = self.fails_with(self.files({"slow": idle_service(healthcheck=check)}, f"name: {self.name}\ntimeout: 10\n"),
                                 "slow: health check failing, ", " of 1000 tries (exit 1: \"connection refused\")")
        self.assertNotIn("\n", record["message"])

    def test_job_that_others_wait_for_too_long(self):
        needs = {"job": {"condition": "service_completed_successfully"}}
        services = {"app": idle_service(depends_on=needs), "job": idle_service()}
        self.fails_with(self.files(services, f"name: {self.name}\ntimeout: 10\n"),
                        "timed out after 10s waiting for services to start: app, job; app: not started yet; "
                        "job: still running")

    def test_service_that_ends_well_is_a_success(self):
        services = {"once": idle_service(command=["true"]), "app": idle_service()}
        digest = self.push(self.reference, self.files(services))
        self.succeeds(self.windlass.deploy(self.reference, digest))  # deploy/C12

    def test_stack_of_somebody_else_is_not_taken_over(self):
        other = self.ref(unique("thief"))
        self.healthy_before()
        digest = self.push(other, self.files({"app": idle_service(environment={"T": "1"})}))
        self.fails(self.windlass.deploy(other, digest), "another stack with the same name already exists")  # deploy/O1
        self.still_runs()

    def test_oci_includes_are_refused_with_an_unsafe_compose(self):
        folder = os.path.join(self.windlass.folder, "docker")
        os.makedirs(os.path.join(folder, "cli-plugins"))
        plugin = os.path.join(folder, "cli-plugins", "docker-compose")
        with open(plugin, "w") as file:  # the real one, but for its version
            file.write('#!/bin/sh\n[ "$1" = version ] && { echo 2.36.2; exit; }\n'
                       'for real in /usr/local/lib /usr/local/libexec /usr/lib /usr/libexec; do\n'
                       '  [ -x $real/docker/cli-plugins/docker-compose ] && exec $real/docker/cli-plugins/docker-compose "$@"\n'
                       'done\n')
        os.chmod(plugin, 0o755)
        self.windlass.terminate()
        self.windlass.start(DOCKER_CONFIG=folder)
        self.healthy_before()
        self.fails_with({**self.files(), "more.yaml": "include: ['oci://127.0.0.1:1/a/b:c']\n",
                         "compose.yaml": "include: [more.yaml]\nservices: {}\n"},
                        "oci:// includes are refused with docker compose 2.36.2")  # deploy/X11b
        self.still_runs()

    def test_a_failed_stack_does_not_stop_its_neighbour(self):
        other = self.stack("neighbour")
        files = self.files(config=f"name: {self.name}\ncompose_files: [bad.yaml]\n---\nname: {other}\n")
        files["bad.yaml"] = compose({"app": idle_service(command=["sh", "-c", "exit 4"])})
        digest = self.push(self.reference, files)
        self.fails(self.windlass.deploy(self.reference, digest), "exited with code 4")
        self.assertTrue(containers(other)["app"]["State"]["Running"])

    def test_a_broken_model_stops_the_run_before_anything_is_touched(self):
        other = self.stack("untouched")
        files = self.files(config=f"name: {self.name}\ncompose_files: [none.yaml]\n---\nname: {other}\n")
        self.fails_with(files, "none.yaml")
        self.assertEqual(containers(other), {})


class EngineDown(EndToEnd):
    """The engine behind a relay that can be taken away, so that the bed's engine stays for the other tests."""

    def setUp(self):
        super().setUp()
        self.socket = os.path.join(self.windlass.folder, "d.sock")
        self.relay = None
        self.addCleanup(lambda: self.engine(False))
        self.windlass.settings["DOCKER_HOST"] = f"unix://{self.socket}"

    def engine(self, there):
        if self.relay:
            os.killpg(self.relay.pid, signal.SIGKILL)
            self.relay.wait()
            self.relay = None
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        if there:
            relay = os.path.join(os.path.dirname(os.path.abspath(__file__)), "socket_relay.py")
            self.relay = subprocess.Popen(["python3", relay, self.socket, bed()["DOCKER_HOST"].removeprefix("unix://")],
                                          start_new_session=True)
            until(lambda: os.path.exists(self.socket), "the relay")

    def test_engine_down(self):
        self.engine(True)
        self.windlass.start()
        name = self.stack("engine")
        ref = self.ref(name)
        digest = self.push(ref, {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": idle_service()})})
        self.engine(False)
        status, text = until(lambda: (lambda answer: answer if answer[0] != 200 else None)(
            http_get(f"{self.windlass.url}/v1/health")), "health to notice", 10)
        self.assertEqual(status, 503)
        self.assertIn("failed to connect to docker host", text)  # api/E43
        self.fails(self.windlass.deploy(ref, digest))
        self.assertEqual(containers(name), {})
        self.engine(True)
        self.succeeds(self.windlass.deploy(ref, digest))

    def test_start_without_an_engine_says_so(self):
        self.windlass.start(healthy=False)
        self.assertEqual(self.windlass.wait_end(), 1)
        self.assertIn(self.socket, self.windlass.log())


if __name__ == "__main__":
    unittest.main()
