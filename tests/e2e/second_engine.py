"""A second Docker engine, and Docker contexts that lead to it: by TLS with a client certificate, and by ssh."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading

from harness import BED_DIR, TESTBED, free_port, run, until


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for side in (source, sink):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        side.close()  # the other direction's thread has been woken up


class TlsDoor:
    """Lets those with a certificate of its authority in to a Unix socket; may be shut and opened again."""

    def __init__(self, folder, target):
        self.folder, self.target, self.port = folder, target, free_port()
        os.makedirs(folder)
        self._make_certificates()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
        self.context.load_verify_locations(f"{folder}/ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.open_sockets, self.is_open = [], True
        # Bound as long as it lives: while nobody listens, anybody's connection may take the port.
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _make_certificates(self):
        openssl = lambda *arguments: subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=engines", "-keyout", "ca.key",
                "-out", "ca.pem")
        for name, extension in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
            with open(f"{self.folder}/{name}.ext", "w") as file:
                file.write(extension)
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
                    f"{name}.csr")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                    "3", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def open(self):
        self.is_open = True

    def shut(self):
        """Nobody comes in any more, and those who are in are thrown out."""
        self.is_open = False
        for one in self.open_sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)  # which wakes the threads up that close it
            except OSError:
                pass
        self.open_sockets = []

    def close(self):
        self.shut()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._let_in, args=(client,), daemon=True).start()

    def _let_in(self, client):
        if not self.is_open:
            return client.close()
        try:
            client = self.context.wrap_socket(client, server_side=True)
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self.target)
        except OSError:
            return client.close()
        self.open_sockets += [client, engine]
        for pair in ((client, engine), (engine, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()
        if not self.is_open:
            self.shut()


class SshServer:
    """An sshd on loopback whose sessions find the engine at `docker_host`; `client` is a folder with the ssh to use."""

    def __init__(self, folder, docker_host):
        self.folder, self.port = folder, free_port()
        os.makedirs(folder)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{key}"], check=True)
        shutil.copy(f"{folder}/user.pub", f"{folder}/authorized")
        self._write("sshd_config", f"""Port {self.port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
SetEnv DOCKER_HOST={docker_host}
""")
        with open(f"{folder}/host.pub") as file:
            self._write("known_hosts", f"[127.0.0.1]:{self.port} {file.read()}")
        self._write("ssh_config", f"Host *\n IdentityFile {folder}/user\n IdentitiesOnly yes\n IdentityAgent none\n"
                                  f" UserKnownHostsFile {folder}/known_hosts\n")
        self.client = f"{folder}/bin"
        os.makedirs(self.client)
        self._write("bin/ssh", f'#!/bin/sh\necho "$@" >>{folder}/calls\n'
                              f'tr "\\0" "\\n" </proc/$$/environ >>{folder}/variables\nexec /usr/bin/ssh -F {folder}/ssh_config "$@"\n')
        os.chmod(f"{self.client}/ssh", 0o755)
        os.makedirs("/run/sshd", exist_ok=True)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.folder}/sshd_config"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until(self._listens, "sshd to listen", 10)

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()

    def calls(self):
        with open(f"{self.folder}/calls") as file:
            return file.read().splitlines()

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)


class SecondEngine:
    """A dockerd of its own beside the bed's."""

    def __init__(self):
        self.dir = f"/var/tmp/windlass-edge-{os.getpid()}"
        subprocess.run([TESTBED, "up", self.dir], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "WINDLASS_TESTBED_ENGINE": "private"})
        self.socket = f"{self.dir}/engine/docker.sock"
        self.host = f"unix://{self.socket}"

    def down(self):
        subprocess.run([TESTBED, "down", self.dir], stderr=subprocess.DEVNULL)

    def run(self, *command, **options):
        return run(*command, DOCKER_HOST=self.host, **options)

    def containers(self, project):
        """service -> container as `docker inspect` tells it; without those that go away at that moment."""
        ids = self.run("docker", "ps", "-aq", "--no-trunc", "--filter",
                       f"label=com.docker.compose.project={project}").split()
        found = [one for each in ids for one in self._inspected(each)]
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def _inspected(self, container):
        told = self.run("docker", "inspect", container, check=False)
        return [] if "No such object" in told else json.loads(told)

    def ids(self, project):
        return {service: container["Id"] for service, container in self.containers(project).items()}


def docker_config(folder):
    """A DOCKER_CONFIG of its own, with the bed's credentials: none."""
    path = os.path.join(folder, "docker-config")
    os.makedirs(path, exist_ok=True)
    shutil.copy(os.path.join(BED_DIR, "docker-config", "config.json"), path)
    return path


def add_context(config, name, endpoint):
    run("docker", "context", "create", name, "--docker", endpoint, DOCKER_CONFIG=config, DOCKER_HOST=None)
