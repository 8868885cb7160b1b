"""What the end-to-end tests share: the test bed, a windlass process, artifacts made by real tools.

The environment names the parts: WINDLASS_BINARY, and WINDLASS_TESTBED, the folder of a bed that is up
(tests/testbed/testbed). Standard library only.
"""

import hashlib
import hmac
import itertools
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TESTBED = os.path.join(HERE, "..", "testbed", "testbed")
BINARY = os.environ.get("WINDLASS_BINARY", os.path.join(HERE, "..", "..", "build", "release", "windlass"))
BED_DIR = os.environ["WINDLASS_TESTBED"]
SECRET = "your-webhook-secret"
API_SECRET = "let-me-read"

_numbers = itertools.count(1)
_ports = set()


def _read_bed():
    values = {}
    with open(os.path.join(BED_DIR, "env")) as file:
        for line in file:
            name, value = shlex.split(line)[1].split("=", 1)
            values[name] = value
    return values


def bed():
    """What the bed offers, as in its env file: REGISTRY, DOCKER_HOST, …"""
    return _read_bed()


def child_environment(**extra):
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment.update(_read_bed())
    environment.update({name: str(value) for name, value in extra.items() if value is not None})
    return environment


def run(*command, stdin=None, check=True, **extra):
    """Runs a tool against the bed; its output as text."""
    done = subprocess.run(command, input=stdin, env=child_environment(**extra), text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def unique(prefix):
    """A name no other test uses, valid as stack and as repository."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def free_port():
    """A port that nothing listens on, and that was not given out before: the kernel may name one twice."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _ports:
            _ports.add(port)
            return port


def until(condition, what, seconds=30.0):
    """Asks again until the answer is not empty; returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)


def http_get(url, headers=None, timeout=30):
    """Status and body, whatever the status."""
    return http("GET", url, None, headers, timeout)[:2]


def http(method, url, body=None, headers=None, timeout=60):
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    unverified = ssl._create_unverified_context()  # the tests make their own certificates
    handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


# --- artifacts -------------------------------------------------------------------------------------------------------


def write_tree(folder, files):
    """files: path -> text, bytes, or None for an empty folder. What is there and not in files goes away."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path, content in files.items():
        full = os.path.join(folder, path)
        if content is None:
            os.makedirs(full, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)


def push_scratch(folder, ref):
    """An image from scratch that holds the folder, as the manual page shows; the digest the registry gave it."""
    run("docker", "build", "-q", "-t", ref, "-f", "-", folder, stdin="FROM scratch\nCOPY . /\n", DOCKER_BUILDKIT="0")
    run("docker", "push", "-q", ref)
    names = json.loads(run("docker", "image", "inspect", ref))[0]["RepoDigests"]
    repository = ref.rsplit(":", 1)[0]
    digest = next(name.split("@")[1] for name in names if name.startswith(repository + "@"))
    run("docker", "image", "rm", "-f", ref)
    return digest


def push_archive(folder, ref, *oras_options, **extra):
    """The folder as one gzip layer, pushed with oras; quicker than docker build, hence what most tests use."""
    with tempfile.TemporaryDirectory(dir=BED_DIR) as place:
        layer = os.path.join(place, "layer.tar.gz")
        run("tar", "-C", folder, "-czf", layer, "--owner=0", "--group=0", "--mtime=@0", "--sort=name", ".")
        return oras_push(ref, f"{layer}:application/vnd.oci.image.layer.v1.tar+gzip", *oras_options,
                         "--disable-path-validation", **extra)


def oras_push(ref, *arguments, cwd=None, **extra):
    options = [] if "--ca-file" in arguments else ["--plain-http"]
    command = ["oras", "push", *options, ref, *arguments]
    done = subprocess.run(command, cwd=cwd, env=child_environment(**extra), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, f"{shlex.join(command)}:\n{done.stdout}"
    return next(line.split()[-1] for line in done.stdout.splitlines() if line.startswith("Digest:"))


def page_project(name, port, page="one", **service):
    """The files of a stack with one web service that serves ./www, mounted, with a health check."""
    web = {
        "image": f"{bed()['REGISTRY']}/busybox:1",
        "pull_policy": "missing",
        "command": ["httpd", "-f", "-h", "/www"],
        "ports": [f"127.0.0.1:{port}:80"],
        "volumes": ["./www:/www:ro"],
        "healthcheck": {"test": ["CMD", "true"], "interval": "300ms", "timeout": "2s"},
        "stop_signal": "SIGKILL",
    }
    web.update(service)
    return {
        ".doco-cd.yaml": f"name: {name}\n",
        "compose.yaml": compose({"web": web}),
        "www/index.html": page,
    }


def idle_service(**service):
    """A service that runs, does nothing and ends at once when it is told to."""
    idle = {"image": f"{bed()['REGISTRY']}/busybox:1", "pull_policy": "missing", "command": ["sleep", "100000"],
            "stop_signal": "SIGKILL"}
    idle.update(service)
    return idle


def compose(services, **other):
    return json.dumps({"services": services, **other}, indent=1)  # JSON is YAML


def containers(project):
    """service -> container as `docker inspect` tells it; running or not."""
    ids = run("docker", "ps", "-aq", "--no-trunc", "--filter", f"label=com.docker.compose.project={project}").split()
    found = json.loads(run("docker", "inspect", *ids)) if ids else []
    services = {}
    for container in found:
        service = container["Config"]["Labels"]["com.docker.compose.service"]
        assert service not in services, f"two containers of service {service} in {project}"
        services[service] = container
    return services


def container_ids(project):
    return {service: container["Id"] for service, container in containers(project).items()}


def remove_project(project):
    for kind, remove in (("ps", ["rm", "-fv"]), ("network", ["network", "rm"]), ("volume", ["volume", "rm", "-f"])):
        listing = ["ps", "-aq"] if kind == "ps" else [kind, "ls", "-q"]
        ids = run("docker", *listing, "--filter", f"label=com.docker.compose.project={project}").split()
        if ids:
            run("docker", *remove, *ids, check=False)


def preload(name, folder):
    """A library of preload/ for LD_PRELOAD: it stands between the process and the kernel."""
    library = os.path.join(folder, f"{name}.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "preload", f"{name}.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


# --- windlass --------------------------------------------------------------------------------------------------------


class ArgumentLists:
    """Within `with`: every argument list that a process has, as far as one can look; `seen` holds them all."""

    def __init__(self):
        self.seen, self.watching, self.thread = set(), True, threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.watching = False
        self.thread.join()

    def watch(self):
        while self.watching:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        self.seen.add(file.read())
                except OSError:
                    pass


def sign(body, secret=SECRET):
    body = body.encode() if isinstance(body, str) else body
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def payload(ref, digest):
    return json.dumps({"source": "oci", "digest": digest, "artifact": ref}, separators=(",", ":"))


class Answer:
    def __init__(self, status, text, headers):
        self.status, self.text, self.headers = status, text, headers

    @property
    def body(self):
        return json.loads(self.text)

    @property
    def job_id(self):
        return self.body["job_id"]


class Windlass:
    """One windlass process and its data folder, which outlives the process."""

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="windlass-", dir=BED_DIR)
        self.data = os.path.join(self.folder, "data")
        self.log_path = os.path.join(self.folder, "log")
        os.makedirs(self.data)
        self.port, self.metrics_port = free_port(), free_port()
        self.settings = {"HTTP_PORT": self.port, "METRICS_PORT": self.metrics_port, "WEBHOOK_SECRET": SECRET, "API_SECRET": API_SECRET,
                         "DATA_MOUNT_PATH": self.data, "LOG_LEVEL": "debug", "SHUTDOWN_GRACE": "5s", **settings}
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, healthy=True, **extra):
        environment = child_environment(**{**self.settings, **extra})
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve"], env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        if healthy:
            until(self._answers, "windlass to answer", 20)
        return self

    def _answers(self):
        assert self.process.poll() is None, f"windlass ended with {self.process.returncode}:\n{self.log()[-4000:]}"
        try:
            return http_get(f"{self.url}/v1/health", timeout=5)[0] == 200
        except OSError:
            return False

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def events(self, **fields):
        """Log lines, parsed, that carry these fields."""
        lines = []
        for line in self.log().splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if all(event.get(name) == value for name, value in fields.items()):
                    lines.append(event)
        return lines

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait_end(self, seconds=30):
        return self.process.wait(timeout=seconds)

    def terminate(self, seconds=30):
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in self.run_folders():  # of a process that was killed
            shutil.rmtree(folder, ignore_errors=True)

    def run_folders(self):
        """Where decrypted files of a run lie, in memory: made at start, gone after a clean stop."""
        name = "windlass-" + hashlib.sha256(self.data.encode()).hexdigest()[:16]
        return [folder for folder in (f"/run/windlass/{name}", f"/dev/shm/{name}") if os.path.isdir(folder)]

    # --- webhook and API ---

    def post(self, body, headers=None, path="/v1/webhook", timeout=120):
        body = body.encode() if isinstance(body, str) else body
        return Answer(*http("POST", self.url + path, body, headers or {}, timeout))

    def send(self, ref, digest, wait=False, target="", secret=SECRET):
        body = payload(ref, digest)
        path = "/v1/webhook" + (f"/{target}" if target else "") + ("?wait=true" if wait else "")
        return self.post(body, {"X-Doco-OCI-Signature-256": f"sha256={sign(body, secret)}"}, path)

    def api(self, path, key=API_SECRET):
        status, text = http_get(f"{self.url}/v1/api/{path}", {"x-api-key": key} if key else {})
        return status, json.loads(text)

    def run(self, job_id):
        status, body = self.api(f"run/{job_id}")
        return body["content"] if status == 200 else None

    def wait_run(self, job_id, seconds=90):
        def finished():
            assert self.process.poll() is None, f"windlass ended with {self.process.returncode}:\n{self.log()[-4000:]}"
            record = self.run(job_id)
            return record if record and record["status"] in ("succeeded", "failed", "skipped") else None

        return until(finished, f"run {job_id} to end", seconds)

    def deploy(self, ref, digest, **options):
        """Sends the webhook, waits for the run, which it returns."""
        answer = self.send(ref, digest, **options)
        assert answer.status == 202, answer.text
        return self.wait_run(answer.job_id)


class EndToEnd(unittest.TestCase):
    """A test with a windlass of its own, stack names of its own, and the log shown when it fails."""

    maxDiff = None
    settings = {}

    def setUp(self):
        self.stacks = []
        self.windlass = Windlass(**self.settings)
        self.addCleanup(self._clean)
        self.folder = os.path.join(self.windlass.folder, "artifact")

    def _clean(self):
        result = getattr(self._outcome, "result", None)
        failed = result and any(test is self for test, _ in result.failures + result.errors)
        if failed or os.environ.get("WINDLASS_SHOW_LOG"):
            log = self.windlass.log()[-6000:] if os.path.exists(self.windlass.log_path) else "(never started)"
            print(f"--- windlass log of {self.id()}\n{log}")
        self.windlass.close()
        for stack in self.stacks:
            remove_project(stack)

    def stack(self, prefix="e2e"):
        name = unique(prefix)
        self.stacks.append(name)
        return name

    def ref(self, name, tag="main", registry=None):
        return f"{registry or bed()['REGISTRY']}/test/{name}:{tag}"

    def push(self, ref, files):
        write_tree(self.folder, files)
        return push_archive(self.folder, ref)

    def succeeds(self, record):
        self.assertEqual(record["status"], "succeeded", record)
        return record

    def fails(self, record, *texts):
        self.assertEqual(record["status"], "failed", record)
        for text in texts:
            self.assertIn(text, record["message"])
        return record
