"""What counts as a change of a service, and what compose and the engine make of it (deploy 5 and 7)."""

import json
import time
import unittest

from harness import EndToEnd, bed, compose, container_ids, containers, idle_service, run, unique, until


class Changes(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("change")
        self.reference = self.ref(unique("change"))

    def files(self, services, config="", files=None, **other):
        return {".doco-cd.yaml": f"name: {self.name}\n{config}", "compose.yaml": compose(services, **other),
                **(files or {})}

    def deploy(self, *arguments, **options):
        files = self.files(*arguments, **options)
        return self.windlass.deploy(self.reference, self.push(self.reference, files))

    def message(self, record):
        return self.succeeds(record)["stacks"][0]["message"]

    def ids(self):
        return set(run("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={self.name}").split())

    def test_a_value_behind_a_variable(self):  # deploy/N9
        services = {"reader": idle_service(secrets=["token"]), "other": idle_service()}
        secrets = {"token": {"environment": "TOKEN"}}
        self.succeeds(self.deploy(services, secrets=secrets, files={".env": "TOKEN=first-value\n"}))
        before = container_ids(self.name)
        record = self.deploy(services, secrets=secrets, files={".env": "TOKEN=second-value\n"})
        self.assertEqual(self.message(record), "keep other; recreate reader (content of secret token changed)")
        after = container_ids(self.name)
        self.assertEqual(after["other"], before["other"])
        self.assertEqual(run("docker", "exec", after["reader"], "cat", "/run/secrets/token"), "second-value")
        self.assertNotIn("second-value", self.windlass.log())

    def test_more_replicas_leave_those_that_run_alone(self):
        self.succeeds(self.deploy({"web": idle_service(restart="always", scale=1)}))
        first = self.ids()
        record = self.deploy({"web": idle_service(restart="always", scale=3)})
        self.assertEqual(self.message(record), "start web (replicas mismatch: 1 running, 3 wanted)")
        self.assertEqual(len(self.ids()), 3)
        self.assertLess(first, self.ids())
        self.succeeds(self.deploy({"web": idle_service(restart="always", scale=1)}))
        self.assertEqual(self.ids(), first)

    def test_all_that_an_image_is_built_from(self):  # deploy/N14
        build = {"context": "./app", "dockerfile": "../docker/Dockerfile"}
        service = {key: value for key, value in idle_service(build=build).items() if key not in ("image", "pull_policy")}
        files = {"app/version": "one", "docker/Dockerfile": f"FROM {bed()['REGISTRY']}/busybox:1\nCOPY version /version\n"}
        self.succeeds(self.deploy({"app": service}, files=files))
        self.addCleanup(run, "docker", "image", "rm", "-f", f"{self.name}-app", check=False)
        files["docker/Dockerfile"] += "RUN echo more > /more\n"
        record = self.deploy({"app": service}, files=files)
        self.assertEqual(self.message(record), "recreate app (Dockerfile changed)")
        self.assertEqual(run("docker", "exec", container_ids(self.name)["app"], "cat", "/more"), "more\n")

    def volume(self, name):
        return json.loads(run("docker", "volume", "inspect", f"{self.name}_{name}"))[0]

    def test_a_volume_that_holds_no_data_is_made_anew(self):  # deploy/C8
        services = {"app": idle_service(volumes=["memory:/memory"]), "other": idle_service()}
        memory = {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}}
        self.succeeds(self.deploy(services, volumes={"memory": memory}))
        before = container_ids(self.name)
        memory["driver_opts"]["o"] = "size=2m"
        record = self.deploy(services, volumes={"memory": memory})
        self.assertEqual(self.message(record), "recreate app (volume memory changed); keep other")
        self.assertEqual(self.volume("memory")["Options"]["o"], "size=2m")
        self.assertIn("size=2048k", run("docker", "exec", container_ids(self.name)["app"], "mount"))
        self.assertEqual(container_ids(self.name)["other"], before["other"])

    def test_a_volume_with_data_is_never_removed(self):
        services = {"app": idle_service(volumes=["data:/data"])}
        self.succeeds(self.deploy(services, volumes={"data": {}}))
        run("docker", "exec", container_ids(self.name)["app"], "sh", "-c", "echo mine > /data/kept")
        share = {"driver_opts": {"type": "nfs", "device": ":/export", "o": "addr=127.0.0.1"}}
        self.deploy(services, volumes={"data": share})
        self.assertEqual(run("docker", "exec", container_ids(self.name)["app"], "cat", "/data/kept"), "mine\n")
        self.assertFalse(self.volume("data")["Options"])
        warning, = self.windlass.events(msg="volume is another one than its definition says and stays as it is")
        self.assertEqual((warning["volume"], warning["reason"]), (f"{self.name}_data", "it holds data"))

    def test_what_remove_orphans_leaves_is_no_change(self):  # deploy/N17
        self.succeeds(self.deploy({"app": idle_service(), "old": idle_service()}))
        old = container_ids(self.name)["old"]
        kept = self.files({"app": idle_service(environment={"A": "1"})}, "remove_orphans: false\n")
        digest = self.push(self.reference, kept)
        self.assertEqual(self.message(self.windlass.deploy(self.reference, digest)),
                         "recreate app (environment added); keep old (service is unnecessary, remove_orphans is false)")
        resolved = len(self.windlass.events(msg="service is left as it is"))
        record = self.windlass.deploy(self.reference, digest)
        self.assertEqual((record["status"], record["message"]), ("skipped", f"{self.name}: no changes"))
        self.assertEqual(len(self.windlass.events(msg="service is left as it is")), resolved, "nothing was looked at")
        self.assertEqual(container_ids(self.name)["old"], old)

    def test_a_service_of_a_profile_that_is_not_active_goes(self):  # deploy/C15
        services = {"app": idle_service(), "debug": idle_service(profiles=["debug"])}
        self.succeeds(self.deploy(services, "profiles: [debug]\n"))
        self.assertEqual(set(containers(self.name)), {"app", "debug"})
        self.assertEqual(self.message(self.deploy(services)), "keep app; remove debug (service is unnecessary)")
        self.assertEqual(set(containers(self.name)), {"app"})

    def test_a_container_removed_in_its_deployment_is_not_waited_for(self):
        never = {"test": ["CMD", "true"], "interval": "60s", "start_period": "60s"}
        slow = idle_service(healthcheck=never)
        digest = self.push(self.reference, self.files({"slow": slow}, "timeout: 120\n"))
        answer = self.windlass.send(self.reference, digest)
        until(lambda: containers(self.name).get("slow", {}).get("State", {}).get("Running"), "the container to run")
        time.sleep(1)  # `up` is over by then
        began = time.monotonic()
        run("docker", "rm", "-f", container_ids(self.name)["slow"])
        record = self.windlass.wait_run(answer.job_id)
        self.fails(record, "service slow: 0 of 1 containers are there: somebody removed what the deployment made")
        self.assertLess(time.monotonic() - began, 30)

    def test_a_job_that_others_wait_for_must_end_well(self):  # deploy/C11
        wait = {"migrate": {"condition": "service_completed_successfully"}}
        services = {"migrate": idle_service(command=["true"]), "app": idle_service(depends_on=wait)}
        self.succeeds(self.deploy(services))
        services["migrate"]["command"] = ["sh", "-c", "echo no schema; exit 4"]
        services["app"]["environment"] = {"A": "1"}
        self.fails(self.deploy(services), "service migrate: container", "exited with code 4", "no schema")


if __name__ == "__main__":
    unittest.main()
