"""What Prometheus reads of a service that works: names, labels and counts (api 4)."""

import unittest

from harness import EndToEnd, compose, http, http_get, idle_service


class Metrics(EndToEnd):
    def page(self):
        status, text = http_get(f"http://127.0.0.1:{self.windlass.metrics_port}/metrics")
        self.assertEqual(status, 200)
        return text

    def value(self, name_and_labels):
        lines = [line for line in self.page().splitlines() if line.startswith(name_and_labels + " ")]
        self.assertEqual(len(lines), 1, (name_and_labels, lines))
        return float(lines[0].split()[-1])

    def test_deployments_webhooks_and_the_engine_are_counted(self):
        name = self.stack("metrics")
        reference = self.ref(name)
        source = reference.removesuffix(":main")
        repository = source.split("/", 1)[1]
        self.windlass.start()
        digest = self.push(reference, {".doco-cd.yaml": f"name: {name}\n",
                                       "compose.yaml": compose({"app": idle_service()})})
        self.succeeds(self.windlass.deploy(reference, digest))
        self.assertEqual(self.windlass.send(reference, digest, secret="wrong").status, 401)

        stack = f'repository="{source}",deployment="{name}"'
        self.assertEqual(self.value(f"doco_cd_deployments_total{{{stack}}}"), 1)
        self.assertEqual(self.value(f"doco_cd_deployment_duration_seconds_count{{{stack}}}"), 1)
        self.assertEqual(self.value(f'doco_cd_deployments_active{{repository="{source}"}}'), 0)
        self.assertEqual(self.value(f'doco_cd_webhook_requests_total{{repository="{repository}"}}'), 1)
        self.assertEqual(self.value('doco_cd_webhook_received_total{provider="oci",result="accepted"}'), 1)
        self.assertEqual(self.value('doco_cd_webhook_received_total{provider="oci",result="unauthorized"}'), 1)
        self.assertEqual(self.value("doco_cd_jobs_running"), 0)
        self.assertEqual(self.value("doco_cd_docker_up"), 1)
        self.assertGreater(self.value("process_resident_memory_bytes"), 1 << 20)

        broken = self.push(reference, {".doco-cd.yaml": f"name: {name}\n",
                                       "compose.yaml": compose({"app": idle_service(command=["false"])})})
        self.fails(self.windlass.deploy(reference, broken))
        self.assertEqual(self.value(f"doco_cd_deployment_errors_total{{{stack}}}"), 1)
        self.assertEqual(self.value(f'doco_cd_webhook_errors_total{{repository="{repository}"}}'), 1)

    def test_every_line_is_of_a_metric_that_is_declared(self):
        self.windlass.start()
        declared = set()
        for line in self.page().splitlines():
            if line.startswith("# TYPE "):
                declared.add(line.split()[2])
            elif not line.startswith("#"):
                name = line.split("{")[0].split(" ")[0]
                self.assertTrue(name in declared or name.rsplit("_", 1)[0] in declared, line)
        self.assertIn("doco_cd_info", declared)
        url = f"http://127.0.0.1:{self.windlass.metrics_port}"
        self.assertEqual(http("POST", url + "/metrics", b"")[0], 405)
        self.assertEqual(http("GET", url + "/")[0], 404)


if __name__ == "__main__":
    unittest.main()
