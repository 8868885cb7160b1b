"""Stacks on several engines: a context by TLS and one by ssh beside the default engine (deploy 12)."""

import os
import subprocess
import unittest

from harness import (API_SECRET, BINARY, EndToEnd, bed, child_environment, compose, container_ids, containers, idle_service,
                     run, until)
from second_engine import SecondEngine, SshServer, TlsDoor, add_context, docker_config

edge = None


def setUpModule():
    global edge
    edge = SecondEngine()


def tearDownModule():
    edge.down()


def files(default, second, context="edge", more=""):
    """Two stacks of one name; each with its own environment of its one service."""
    name = default["name"]
    return {
        ".doco-cd.yaml": f"name: {name}\nworking_dir: here\n---\n"
                         f"name: {name}\nworking_dir: there\ncontext: {context}\n{more}",
        "here/compose.yaml": compose({"app": idle_service(environment={"V": default["v"]}, **default.get("service", {}))}),
        "there/compose.yaml": compose({"app": idle_service(environment={"V": second["v"]}, **second.get("service", {}))}),
    }


def value_of(container):
    return next(item for item in container["Config"]["Env"] if item.startswith("V="))


class Contexts(EndToEnd):
    def setUp(self):
        super().setUp()
        self.config = docker_config(self.windlass.folder)
        self.windlass.settings["DOCKER_CONFIG"] = self.config
        self.door = TlsDoor(os.path.join(self.windlass.folder, "tls"), edge.socket)
        self.addCleanup(self.door.close)
        tls = self.door.folder
        add_context(self.config, "edge", f"host=tcp://127.0.0.1:{self.door.port},ca={tls}/ca.pem,cert={tls}/client.pem,"
                                         f"key={tls}/client.key")
        self.addCleanup(self.clean_edge)

    def clean_edge(self):
        for name in self.stacks:
            ids = edge.run("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={name}").split()
            if ids:
                edge.run("docker", "rm", "-fv", *ids, check=False)
            edge.run("docker", "network", "rm", f"{name}_default", check=False)

    def ends(self, record):
        return {f"{stack['context']}/{stack['name']}": stack["status"] for stack in record["stacks"]}

    def cli(self, *arguments):
        done = subprocess.run([BINARY, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env=child_environment(WINDLASS_URL=self.windlass.url, API_SECRET=API_SECRET))
        return done.returncode, done.stdout, done.stderr

    def test_two_stacks_of_one_name_live_side_by_side(self):
        self.windlass.start()
        name, ref = self.stack("side"), self.ref(self.id().split(".")[-1].replace("_", "-"))
        self.succeeds(self.windlass.deploy(ref, self.push(ref, files({"name": name, "v": "1"}, {"v": "1"}))))
        here, there = container_ids(name), edge.ids(name)
        self.assertEqual(set(here), {"app"})
        self.assertEqual(set(there), {"app"})
        self.assertNotEqual(here, there)
        labels = edge.containers(name)["app"]["Config"]["Labels"]
        self.assertEqual(labels["cd.windlass.context"], "edge")

        # a change on one
        record = self.succeeds(self.windlass.deploy(ref, self.push(ref, files({"name": name, "v": "1"}, {"v": "2"}))))
        self.assertEqual(self.ends(record), {f"/{name}": "skipped", f"edge/{name}": "succeeded"})
        self.assertEqual(container_ids(name), here)
        self.assertEqual(value_of(edge.containers(name)["app"]), "V=2")

        # what the API and the command line know of it
        of = lambda query: self.windlass.api(f"releases?stack={name}{query}")[1]["content"]
        self.assertEqual([release["context"] for release in of("")], ["edge", "edge", ""])
        self.assertEqual(len(of("&context=edge")), 2)
        self.assertEqual(len(of("&context=default")), 1)
        code, _, err = self.cli("rollback", name, "--dry-run")
        self.assertEqual(code, 1)
        self.assertIn(f"edge/{name}, {name}", err)
        code, out, _ = self.cli("history", name, "--context", "edge")
        self.assertEqual((code, out.count(f"edge/{name}")), (0, 2))
        self.assertIn(f"edge/{name}", self.cli("status")[1])

        # a rollback: the stack that has not changed is left alone
        code, _, err = self.cli("rollback", name, "--context", "edge")
        self.assertEqual(code, 0, err)
        self.assertEqual(value_of(edge.containers(name)["app"]), "V=1")
        self.assertEqual(container_ids(name), here)

        # a restart of the service changes nothing, and neither does the same artifact again
        self.windlass.terminate()
        self.windlass.start()
        there = edge.ids(name)
        plain = files({"name": name, "v": "1"}, {"v": "1"})
        self.windlass.deploy(ref, self.push(ref, plain))
        self.assertEqual((container_ids(name), edge.ids(name)), (here, there))

        # removal on one
        gone = files({"name": name, "v": "1"}, {"v": "1"}, more="destroy: true\n")
        record = self.succeeds(self.windlass.deploy(ref, self.push(ref, gone)))
        self.assertEqual(self.ends(record), {f"/{name}": "skipped", f"edge/{name}": "succeeded"})
        self.assertEqual(container_ids(name), here)
        self.assertEqual(edge.ids(name), {})
        self.assertIn("DOCKER_HOST is set", self.windlass.log())  # deploy/Y3: the bed's, which edge did not heed

    def test_an_engine_that_is_away_fails_only_its_stacks(self):
        self.windlass.start()
        name, ref = self.stack("away"), self.ref("away")
        self.succeeds(self.windlass.deploy(ref, self.push(ref, files({"name": name, "v": "1"}, {"v": "1"}))))
        there = edge.ids(name)
        self.door.shut()
        record = self.fails(self.windlass.deploy(ref, self.push(ref, files({"name": name, "v": "2"}, {"v": "2"}))),
                            f"failed to deploy stack edge/{name}: docker engine at tcp://127.0.0.1:{self.door.port} "
                            "(context edge): ")
        self.assertEqual(self.ends(record), {f"/{name}": "succeeded", f"edge/{name}": "failed"})
        self.assertEqual(value_of(containers(name)["app"]), "V=2")
        self.assertEqual(edge.ids(name), there)
        self.door.open()
        until(lambda: value_of(edge.containers(name).get("app", {"Config": {"Env": ["V=?"]}})) == "V=2",
              "the job to be tried again", 120)

        unknown = files({"name": name, "v": "3"}, {"v": "3"}, context="moon")
        record = self.fails(self.windlass.deploy(ref, self.push(ref, unknown)), "docker context moon is not known")
        self.assertEqual(self.ends(record), {f"/{name}": "succeeded", f"moon/{name}": "failed"})

    def test_files_change_for_the_containers_of_one_engine_alone(self):
        self.windlass.start()
        name, ref = self.stack("files"), self.ref("files")

        def tree(context, content):
            service = idle_service(volumes=["./www:/www"])
            return {**files({"name": name, "v": "1", "service": service}, {"v": "1", "service": service}, context=context),
                    "here/www/page": content, "there/www/page": content}

        def mounted(container):
            return container["Mounts"][0]["Source"]

        # a context that nobody knows takes no path from the others
        self.fails(self.windlass.deploy(ref, self.push(ref, {
            ".doco-cd.yaml": f"name: {name}\ncontext: moon\n", "compose.yaml": compose({"app": idle_service()})})),
            "docker context moon is not known")
        self.succeeds(self.windlass.deploy(ref, self.push(ref, tree("edge", "one"))))
        plain = os.path.join(self.windlass.data, ref.rsplit(":", 1)[0].replace(":", "_"))
        self.assertEqual(mounted(containers(name)["app"]), f"{plain}/here/www")
        self.assertEqual(mounted(edge.containers(name)["app"]), f"{plain}@@context-edge/there/www")

        self.door.shut()
        record = self.fails(self.windlass.deploy(ref, self.push(ref, tree("edge", "two"))), f"stack edge/{name}: ")
        self.assertEqual(self.ends(record), {f"/{name}": "succeeded", f"edge/{name}": "failed"})
        here, there = f"{plain}/here/www/page", f"{plain}@@context-edge/there/www/page"
        self.assertEqual(run("cat", here, there), "twoone")

    def test_what_ends_on_the_second_engine_is_brought_back_there(self):
        self.windlass.start()
        name, ref = self.stack("back"), self.ref("back")
        rule = "reconciliation: {events: [die, destroy]}\n"
        self.succeeds(self.windlass.deploy(ref, self.push(ref, files({"name": name, "v": "1"}, {"v": "1"}, more=rule))))
        here, there = container_ids(name), edge.ids(name)
        edge.run("docker", "rm", "-f", there["app"])
        until(lambda: edge.ids(name).get("app") not in (None, there["app"]), "a new container", 60)
        self.assertEqual(container_ids(name), here)

        self.door.shut()  # what happens while nobody hears it
        there = edge.ids(name)
        edge.run("docker", "rm", "-f", there["app"])
        self.door.open()
        until(lambda: edge.ids(name).get("app") not in (None, there["app"]), "a new container", 120)
        until(lambda: not self.windlass.api("runs?status=running")[1]["content"], "the last run to end", 60)
        self.assertEqual(container_ids(name), here)

    def test_a_stack_that_another_context_of_its_engine_adopts_is_one(self):
        add_context(self.config, "alias", f"host={bed()['DOCKER_HOST']}")
        self.windlass.start()
        name, ref = self.stack("alias"), self.ref("alias")
        rule = "reconciliation: {events: [die, destroy]}\n"
        tree = {".doco-cd.yaml": f"name: {name}\n{rule}",
                "compose.yaml": compose({"app": idle_service(), "beside": idle_service()})}
        self.succeeds(self.windlass.deploy(ref, self.push(ref, tree)))
        before = container_ids(name)

        tree[".doco-cd.yaml"] = f"name: {name}\ncontext: alias\n{rule}"
        self.fails(self.windlass.deploy(ref, self.push(ref, tree)), f"stack {name} runs on the same engine")
        tree[".doco-cd.yaml"] += "adopt: true\n"
        self.succeeds(self.windlass.deploy(ref, self.push(ref, tree)))
        self.assertEqual(container_ids(name), before, "they are the same")
        self.assertEqual(self.windlass.deploy(ref, self.push(ref, tree))["status"], "skipped")
        of = lambda query: self.windlass.api(f"releases?stack={name}{query}")[1]["content"]
        self.assertEqual([release["state"] for release in of("&context=default")], ["removed", "succeeded"])
        self.assertEqual([release["state"] for release in of("&context=alias")], ["succeeded"])

        run("docker", "rm", "-f", before["app"])
        until(lambda: container_ids(name).get("app") not in (None, before["app"]), "a new container", 60)
        until(lambda: not self.windlass.api("runs?status=running")[1]["content"], "the last run to end", 60)
        self.assertEqual(self.windlass.log().count("stack is redeployed"), 1)
        self.assertEqual(container_ids(name)["beside"], before["beside"])

    def test_an_engine_behind_ssh_gets_small_files(self):
        server = SshServer(os.path.join(self.windlass.folder, "ssh"), edge.host)
        self.addCleanup(server.stop)
        add_context(self.config, "far", f"host=ssh://root@127.0.0.1:{server.port}")
        self.windlass.start(PATH=f"{server.client}:{os.environ['PATH']}")
        name, ref = self.stack("far"), self.ref("far")
        service = {"configs": [{"source": "conf", "target": "/etc/app.conf"}], "secrets": ["key"]}
        tree = {
            ".doco-cd.yaml": f"name: {name}\ncontext: far\n",
            "compose.yaml": compose({"app": idle_service(**service)}, configs={"conf": {"file": "./app.conf"}},
                                    secrets={"key": {"file": "./key"}}),
            "app.conf": "costs = $5\n", "key": "correct horse",
        }
        self.succeeds(self.windlass.deploy(ref, self.push(ref, tree)))
        read = lambda path: edge.run("docker", "exec", edge.ids(name)["app"], "cat", path)
        self.assertEqual(read("/etc/app.conf"), "costs = $5\n")
        self.assertEqual(read("/run/secrets/key"), "correct horse")
        self.assertNotIn("correct horse", self.windlass.log())
        for call in server.calls():
            self.assertIn("-- 127.0.0.1 docker system dial-stdio", call)

        tree["key"] = "battery staple"
        self.succeeds(self.windlass.deploy(ref, self.push(ref, tree)))
        self.assertEqual(read("/run/secrets/key"), "battery staple")

        # events come by ssh as well
        tree[".doco-cd.yaml"] += "reconciliation: {events: [destroy]}\n"
        self.windlass.deploy(ref, self.push(ref, tree))
        there = edge.ids(name)
        edge.run("docker", "rm", "-f", there["app"])
        until(lambda: edge.ids(name).get("app") not in (None, there["app"]), "a new container", 60)
        until(lambda: not self.windlass.api("runs?status=running")[1]["content"], "the last run to end", 60)

        tree["compose.yaml"] = compose({"app": idle_service(volumes=["./www:/www:ro"])})
        tree["www/index.html"] = "one"
        self.fails(self.windlass.deploy(ref, self.push(ref, tree)), "docker context far: its engine is on another machine",
                   "service app: bind mount of www", "remote_paths: true")

        server.stop()
        tree["compose.yaml"] = compose({"app": idle_service()})
        self.fails(self.windlass.deploy(ref, self.push(ref, tree)), f"stack far/{name}: ", "Connection refused")

    def test_variables_of_an_artifact_do_not_reach_ssh(self):
        server = SshServer(os.path.join(self.windlass.folder, "ssh"), edge.host)
        self.addCleanup(server.stop)
        add_context(self.config, "far", f"host=ssh://root@127.0.0.1:{server.port}")
        self.windlass.settings["DEPLOY_POLICY"] = "restricted"
        self.windlass.start(PATH=f"{server.client}:{os.environ['PATH']}")
        name, ref = self.stack("far"), self.ref("far")
        tree = {
            ".doco-cd.yaml": f"name: {name}\ncontext: far\nenvironment: {{OPENSSL_CONF: /evil, SHELL: /evil}}\n",
            ".env": "BASH_ENV=/evil\nSSH_ASKPASS=/evil\nTEXT='evil $5'\n",
            "compose.yaml": compose({"app": idle_service(environment={"V": "${SHELL}", "W": "${TEXT}"}, secrets=["a", "b"])},
                                    secrets={"a": {"environment": "BASH_ENV"}, "b": {"environment": "TEXT"}}),
        }
        self.succeeds(self.windlass.deploy(ref, self.push(ref, tree)))
        with open(f"{server.folder}/variables") as file:
            self.assertNotIn("/evil", [line.partition("=")[2] for line in file.read().splitlines()
                                       if not line.startswith("WINDLASS_VALUE_")])
        container = edge.ids(name)["app"]
        self.assertEqual(edge.run("docker", "exec", container, "sh", "-c", "echo $V,$W,$(cat /run/secrets/a /run/secrets/b)"),
                         "/evil,evil $5,/evilevil $5\n")


if __name__ == "__main__":
    unittest.main()
