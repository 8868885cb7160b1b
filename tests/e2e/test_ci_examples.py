"""The examples of docs/ci.md, as a runner would execute them: their shell steps are taken out of the page, their variables
are filled in, and what they push is deployed."""

import os
import re
import shutil
import subprocess
import unittest

from harness import (BED_DIR, BINARY, HERE, SECRET, TESTBED, EndToEnd, bed, child_environment, compose, containers,
                     idle_service, run, write_tree)

PAGE = os.path.join(HERE, "..", "..", "docs", "ci.md")


def sections():
    """Heading -> text below it."""
    with open(PAGE) as page:
        parts = re.split(r"^## (.*)$", page.read(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def shell_steps(section):
    """The block scalars behind `run: |` and `- |`, without their indentation."""
    steps = []
    for found in re.finditer(r"^( *)(?:run: |- )\|\n((?:\1 +.*\n|\n)+)", sections()[section], re.MULTILINE):
        lines = found[2].splitlines()
        margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        steps.append("\n".join(line[margin:] for line in lines))
    return steps


def variables_set(section):
    """The names below `env:` of the step."""
    found = re.search(r"^( *)env:\n((?:\1  .*\n)+)", sections()[section], re.MULTILINE)
    return [line.split(":")[0].strip() for line in found[2].splitlines()]


class Examples(EndToEnd):
    def setUp(self):
        super().setUp()
        self.name = self.stack("ci")
        run(TESTBED, "registry", BED_DIR, "token")
        self.registry = bed()["REGISTRY_TOKEN"]
        self.user, self.password = bed()["REGISTRY_TOKEN_USER"], bed()["REGISTRY_TOKEN_PASSWORD"]
        self.checkout = os.path.join(self.windlass.folder, "checkout")
        write_tree(os.path.join(self.checkout, "deploy"), {
            ".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": idle_service()})})
        config = os.path.join(self.windlass.folder, "docker")
        os.makedirs(config)
        self.docker_config = {"DOCKER_CONFIG": config}
        shutil.copy(os.path.join(BED_DIR, "docker-config/config.json"), config)
        run("docker", "login", "-u", self.user, "--password-stdin", self.registry, stdin=self.password,
            **self.docker_config)
        self.windlass.start(**self.docker_config)

    def step(self, script, variables, shell="bash"):
        script = script.replace("/windlass ", f"{BINARY} ")
        done = subprocess.run([shell, "-e", "-c", script], cwd=self.checkout, env=child_environment(**variables),
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        self.assertTrue(containers(self.name)["app"]["State"]["Running"])

    def test_github_actions(self):
        (script,) = shell_steps("GitHub Actions")
        given = {"REGISTRY": self.registry, "REGISTRY_USER": self.user, "REGISTRY_PASSWORD": self.password,
                 "WEBHOOK_URL": self.windlass.url, "WEBHOOK_SECRET": SECRET}
        self.assertEqual(variables_set("GitHub Actions"), list(given))
        self.step(script, {**given, "GITHUB_REPOSITORY": f"Test/{self.name.upper()}", "GITHUB_SHA": "0" * 40})

    def test_gitlab_ci(self):
        (script,) = shell_steps("GitLab CI")
        self.step(script, {"CI_REGISTRY": self.registry, "CI_REGISTRY_USER": self.user,
                           "CI_REGISTRY_PASSWORD": self.password, "CI_REGISTRY_IMAGE": f"{self.registry}/test/{self.name}",
                           "CI_COMMIT_SHORT_SHA": "01234567", "WEBHOOK_URL": self.windlass.url, "WEBHOOK_SECRET": SECRET},
                  shell="sh")  # what the image of the example has

    def test_docker_openssl_and_curl(self):
        section = "Without windlass: docker, openssl and curl"
        (script,) = shell_steps(section)
        given = {"ARTIFACT": f"{self.registry}/test/{self.name}:main", "WEBHOOK_URL": self.windlass.url,
                 "WEBHOOK_SECRET": SECRET}
        self.assertEqual(variables_set(section), list(given))
        self.step(script, {**given, **self.docker_config})


if __name__ == "__main__":
    unittest.main()
