"""DEPLOY_POLICY=restricted with the real compose: what is refused, and that an ordinary stack is not (reliability/P28)."""

import json
import unittest

from harness import EndToEnd, compose, containers, free_port, http_get, idle_service, page_project, run


class Policy(EndToEnd):
    settings = {"DEPLOY_POLICY": "restricted"}

    def setUp(self):
        super().setUp()
        self.windlass.start()

    def test_an_ordinary_stack_is_deployed(self):
        name, port = self.stack(), free_port()
        files = page_project(name, port)
        web = json.loads(files["compose.yaml"])["services"]["web"]
        web.update(restart="always", security_opt=["no-new-privileges:true"], env_file=["page.env"], networks=["front"],
                   deploy={"resources": {"limits": {"memory": "64m"}}}, configs=["site"], secrets=["key"],
                   tmpfs=["/tmp"], volumes=web["volumes"] + ["data:/data"])
        files["compose.yaml"] = compose({"web": web}, networks={"front": {}}, volumes={"data": {}},
                                        configs={"site": {"content": "x"}}, secrets={"key": {"file": "./key"}})
        digest = self.push(self.ref(name), {**files, "page.env": "A=b\n", "key": "k"})
        self.succeeds(self.windlass.deploy(self.ref(name), digest))
        self.assertEqual(http_get(f"http://127.0.0.1:{port}/")[0], 200)

    def refused(self, files, *texts):
        name = self.stack()
        digest = self.push(self.ref(name), {".doco-cd.yaml": f"name: {name}\n", **files})
        self.fails(self.windlass.deploy(self.ref(name), digest), *texts)
        self.assertEqual(containers(name), {})

    def test_what_hides_behind_variables_extends_and_includes_is_found(self):
        self.refused({"compose.yaml": compose({"app": idle_service(privileged="${YES:-true}")})},
                     "policy: service app: privileged")
        self.refused({"compose.yaml": compose({"app": {"extends": {"file": "base.yaml", "service": "base"}}}),
                      "base.yaml": compose({"base": idle_service(pid="host", cap_add=["SYS_ADMIN"])})},
                     "policy: service app: pid host", "policy: service app: cap_add")
        self.refused({"compose.yaml": "include: [other.yaml]\n",
                      "other.yaml": compose({"app": idle_service(volumes=["/:/host", "./a:/a"])})},
                     "policy: service app: bind mount of /")
        self.refused({"compose.yaml": compose({"app": idle_service(volumes=["data:/data"])},
                                              volumes={"data": {"driver_opts": {"type": "none", "o": "bind",
                                                                                "device": "/etc"}}})},
                     "policy: volume data: driver_opts")
        link = idle_service(command=["ln", "-s", "/", "/data/x"], volumes=["./data:/data"])
        reads = idle_service(volumes=["./data/x:/host:ro"],
                             depends_on={"link": {"condition": "service_completed_successfully"}})
        self.refused({"compose.yaml": compose({"link": link, "reads": reads}), "data/a": ""},
                     "policy: service link: writable bind mount of", "/data (use a volume, or read_only: true)")
        self.refused({"compose.yaml": compose({"app": idle_service(network_mode="host", security_opt=["label=disable"])})},
                     "policy: service app: network_mode host", "policy: service app: security_opt")

    def test_volumes_that_others_have_made_are_out_of_reach(self):
        ours = self.stack()
        theirs = f"{ours}_b"
        self.stacks.append(theirs)
        self.succeeds(self.windlass.deploy(self.ref(theirs), self.push(self.ref(theirs), {
            ".doco-cd.yaml": f"name: {theirs}\n",
            "compose.yaml": compose({"db": idle_service(volumes=["data:/data"])}, volumes={"data": {}})})))

        def asks(name, key):
            files = {".doco-cd.yaml": f"name: {name}\n",
                     "compose.yaml": compose({"app": idle_service(volumes=[f"{key}:/data"])}, volumes={key: {}})}
            return self.windlass.deploy(self.ref("asks"), self.push(self.ref("asks"), files))

        self.fails(asks(ours, "b_data"), f"policy: volume b_data: {theirs}_data is volume data of stack {theirs}")
        run("docker", "volume", "create", f"{ours}_logs")
        self.addCleanup(run, "docker", "volume", "rm", "-f", f"{ours}_logs", check=False)
        self.fails(asks(ours, "logs"), f"policy: volume logs: {ours}_logs is a volume that no stack has made")
        self.assertEqual(containers(ours), {})

    def test_no_file_outside_the_artifact_is_read(self):
        self.refused({"compose.yaml": compose({"app": idle_service(env_file=["/etc/hostname"])})},
                     "policy: service app: env_file /etc/hostname leaves the artifact")
        self.refused({"compose.yaml": compose({"app": idle_service(secrets=["s"])},
                                              secrets={"s": {"file": "/etc/shadow"}})},
                     "policy: secret s: file /etc/shadow")

    def test_a_stack_and_its_volumes_stay_whose_they_are(self):
        name = self.stack()
        theirs, volumes = {".doco-cd.yaml": f"name: {name}\n"}, {"volumes": {"data": {}}}
        theirs["compose.yaml"] = compose({"db": idle_service(volumes=["data:/d"])}, **volumes)
        self.succeeds(self.windlass.deploy(self.ref(name), self.push(self.ref(name), theirs)))
        before = containers(name)["db"]["Id"]
        other = self.ref(name + "-other")
        taken = compose({"db": idle_service(volumes=["data:/d"], environment={"A": "1"})}, **volumes)
        digest = self.push(other, {".doco-cd.yaml": f"name: {name}\nadopt: true\n", "compose.yaml": taken})
        source = other.removesuffix(":main")
        self.fails(self.windlass.deploy(other, digest), f"only ADOPT_ALLOW={name}={source}, a setting of windlass")
        self.assertEqual(containers(name)["db"]["Id"], before)

        self.windlass.kill()
        self.windlass.settings["ADOPT_ALLOW"] = f"{name}={source}"
        self.windlass.start()
        self.succeeds(self.windlass.deploy(other, digest))
        self.assertNotEqual(containers(name)["db"]["Id"], before)

    def test_labels_of_windlass_are_not_for_artifacts(self):
        name = self.stack()
        forged = {"cd.windlass.instance": "three", "cd.windlass.helper": "x", "cd.windlass.context": "edge",
                  "cd.doco.job.ephemeral": "true", "cd.doco.metadata.manager": "none", "a": "b"}
        files = {".doco-cd.yaml": f"name: {name}\n", "compose.yaml": compose({"app": idle_service(labels=forged)})}
        self.succeeds(self.windlass.deploy(self.ref(name), self.push(self.ref(name), files)))
        labels = containers(name)["app"]["Config"]["Labels"]
        self.assertEqual([labels.get(key) for key in forged], ["", None, "", "false", "doco-cd", "b"])
        forged["a"] = "c"
        files["compose.yaml"] = compose({"app": idle_service(labels=forged)})
        self.succeeds(self.windlass.deploy(self.ref(name), self.push(self.ref(name), files)))
        files[".doco-cd.yaml"] += "destroy: true\n"
        self.succeeds(self.windlass.deploy(self.ref(name), self.push(self.ref(name), files)))
        self.assertEqual(containers(name), {})


if __name__ == "__main__":
    unittest.main()
