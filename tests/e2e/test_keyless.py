"""Keyless signatures (oci 11.5, 11.6, 12) of a private Sigstore instance: what is right in every step is deployed; with
one thing wrong, nothing is fetched, written or touched, and the run says which step failed. The real cosign signs with
the instance, and judges what the test made for itself."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import keyless_faults as faults
from certificates import pem
from harness import BED_DIR, BINARY, EndToEnd, child_environment, compose, container_ids, containers, idle_service
from signature_push import SignaturePush
from sigstore_instance import HOUR, ISSUER, SIGN_V1, SUBJECT, Instance, rfc3339, uri
from sigstore_server import SigstoreServer, identity_token

FAILURE = "failed OCI signature verification: OCI artifact signature verification failed: "
NAMED = ["--certificate-identity", SUBJECT, "--certificate-oidc-issuer", ISSUER]


def write(path, content):
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def replace(path, content):
    """In one step, as docs/trust.md asks for."""
    os.rename(write(path + ".new", content), path)


def outcome_of(command, environment):
    """Exit code and everything that was said."""
    done = subprocess.run(command, env=environment, text=True, errors="replace", timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class Keyless(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="keyless-", dir=BED_DIR)
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.instance = Instance(os.path.join(cls.place, "instance"))
        cls.root = write(os.path.join(cls.place, "trusted_root.json"), json.dumps(cls.instance.trusted_root()))
        chain = pem("CERTIFICATE", cls.instance.authority) + pem("CERTIFICATE", cls.instance.root)
        cls.cosign_environment = {  # nothing of the public instance, no network
            "HOME": cls.place, "COSIGN_EXPERIMENTAL": "1", "COSIGN_PASSWORD": "correct-horse",
            "SIGSTORE_ROOT_FILE": write(os.path.join(cls.place, "chain.pem"), chain),
            "SIGSTORE_REKOR_PUBLIC_KEY": write(os.path.join(cls.place, "rekor.pub"), cls.instance.log.key.pem),
            "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": write(os.path.join(cls.place, "ct.pub"),
                                                     cls.instance.certificate_log.pem)}

    def setUp(self):
        super().setUp()
        self.name = self.stack("keyless")
        self.repository = f"test/{self.name}"
        self.signatures = SignaturePush(self.repository)
        self.addCleanup(self.signatures.connection.close)
        self.versions = 0

    # --- what is deployed, and by which policy ---

    def policy(self, **keys):
        identities = keys.pop("identities", [{"issuer": ISSUER, "subject": SUBJECT}])
        return json.dumps({"enabled": True, "keyless_identities": identities, **keys})

    def start(self, root=None, **keys):
        self.trust = {"OCI_TRUST_POLICY": self.policy(**keys), "OCI_TRUSTED_ROOT_FILE": root or self.root}
        self.windlass.start(**self.trust)

    def version(self):
        """One more version of the artifact: its digest, at the tag."""
        self.versions += 1
        service = idle_service(environment={"V": str(self.versions)})
        return self.signatures.push(self.repository, "main", {
            ".doco-cd.yaml": f"name: {self.name}\n", "compose.yaml": compose({"app": service}),
            "version": str(self.versions)})

    @property
    def tag(self):
        return self.ref(self.name)

    def image(self, digest):
        return f"{self.tag.rsplit(':', 1)[0]}@{digest}"

    def deployed(self, digest):
        self.succeeds(self.windlass.deploy(self.tag, digest))
        self.assertTrue(self.has_fetched(digest))
        self.assertIn(f"V={self.versions}", containers(self.name)["app"]["Config"]["Env"])

    def signed(self):
        digest = self.version()
        self.signatures.classic(digest, self.instance.classic(digest))
        return digest

    def verify(self, digest, *options):
        """windlass verify: exit code and everything it said."""
        return outcome_of([BINARY, "verify", self.image(digest), *options], child_environment(**self.trust))

    def state(self):
        """What runs, and every file but the state database and what was read to decide: what it is, since when."""
        found = {}
        for folder, _, names in os.walk(self.windlass.data):
            for name in names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                if not name.startswith("state.db") and "/.windlass/oci/blobs/" not in path:
                    found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
        return found, container_ids(self.name)

    def has_fetched(self, digest):
        layer = json.loads(self.signatures.manifest_bytes(digest))["layers"][0]["digest"]
        return os.path.exists(os.path.join(self.windlass.data, ".windlass/oci/blobs", layer.replace(":", "/")))

    def refused(self, digest, *says):
        """By the service, which leaves everything as it is, and by the command, whose story it gives."""
        before = self.state()
        self.fails(self.windlass.deploy(self.tag, digest), FAILURE, *says)
        self.assertEqual(self.state(), before)
        self.assertFalse(self.has_fetched(digest))
        code, story = self.verify(digest)
        self.assertEqual(code, 1, story)
        for words in says:
            self.assertIn(words, story)
        return story

    # --- what may run ---

    def test_what_is_right_in_every_step_is_deployed(self):
        self.start()
        ways = {"at the tag": lambda digest: self.signatures.classic(digest, self.instance.classic(digest)),
                "by OCI 1.1": lambda digest: self.signatures.referring(digest, self.instance.classic(digest)),
                "a bundle": lambda digest: self.signatures.bundle(digest, self.instance.bundle(digest)),
                "a bundle with a timestamp in place of a promise":
                    lambda digest: self.signatures.bundle(digest, faults.timestamped()(self.instance, digest)),
                "a bundle with an entry of Rekor v2":
                    lambda digest: self.signatures.bundle(digest, faults.tiled(self.instance, digest))}
        for name, attach in ways.items():
            with self.subTest(name):
                digest = self.version()
                self.refused(digest, "no signature was found")
                attach(digest)
                self.deployed(digest)
                code, story = self.verify(digest)
                self.assertEqual(code, 0, story)
                for step in ("transparency log", "signature time", "certificate chain", "certificate timestamp",
                             "identity", "signature"):
                    self.assertRegex(story, rf"(?m)^  ok .*\b{step}: ")
                self.assertEqual(story.splitlines()[-1], f"trusted by identity {ISSUER} {SUBJECT}")
        rules = ["--issuer", ISSUER, "--identity", SUBJECT, "--trusted-root", self.root]
        code, story = outcome_of([BINARY, "verify", self.image(digest), *rules], child_environment())
        self.assertEqual(code, 0, story)

    def test_an_expression_is_anchored_where_it_says(self):
        exact = r"^https://forge\.test/acme/[^/]+/build\.yml@refs/heads/main$"
        self.start(identities=[{"issuer": ISSUER, "subject_regexp": exact}])
        for subject in ("https://evil.test/https://forge.test/acme/shop/build.yml@refs/heads/main",
                        "https://forge.test/acme/shop/build.yml@refs/heads/main/../evil",
                        "https://forge.test/acme/shop/deep/build.yml@refs/heads/main",
                        "https://forgextest/acme/shop/build.yml@refs/heads/main"):
            with self.subTest(subject):
                digest = self.version()
                signer = self.instance.signer(subject=uri(subject))
                self.signatures.bundle(digest, self.instance.bundle(digest, signer=signer))
                self.refused(digest, f"identity: want a subject that matches '{exact}', found '{subject}'")
                code, story = self.verify(digest, "--issuer", ISSUER, "--identity-regexp", "forge.?test/acme")
                self.assertEqual(code, 0, story)  # which is found anywhere: hence the warning
        self.signatures.bundle(digest, self.instance.bundle(digest))
        self.deployed(digest)
        self.windlass.terminate()
        self.start(identities=[{"issuer": ISSUER, "subject_regexp": "forge.?test/acme"}])
        self.assertIn("begin it with ^ and end it with $", self.windlass.log())

    def test_a_good_signature_among_bad_ones(self):
        self.start()
        digest = self.version()
        self.signatures.classic(digest, self.instance.classic(digest, signing_key=self.instance.stranger))
        self.refused(digest, "signature: want one made by the ")
        self.signatures.bundle(digest, self.instance.bundle(digest))
        self.deployed(digest)

    # --- what may not ---

    def test_one_thing_wrong_with_a_classic_signature(self):
        self.each_is_refused(faults.CLASSIC, self.signatures.classic, self.instance.classic)

    def test_one_thing_wrong_with_a_bundle(self):
        self.each_is_refused(faults.BUNDLE, self.signatures.bundle, self.instance.bundle)

    def test_one_thing_wrong_with_an_entry_of_rekor_v2(self):  # oci 12.2 B9, B10
        self.each_is_refused(faults.REKOR_V2, self.signatures.bundle,
                             lambda digest: faults.tiled(self.instance, digest))

    def each_is_refused(self, table, attach, good):
        self.start()
        first = self.version()
        attach(first, good(first))
        self.deployed(first)
        for fault in table:
            with self.subTest(fault.name):
                digest = self.version()
                attach(digest, fault.make(self.instance, digest))
                self.refused(digest, fault.says)
        attach(digest, good(digest))
        self.deployed(digest)

    def test_without_the_log(self):  # oci 12.3 F2, F3
        """Then a timestamp tells the time, or the present counts; what certificate logs saw still does."""
        self.start(ignore_tlog=True)
        digest = self.version()
        self.signatures.classic(digest, self.instance.classic(digest))
        self.refused(digest, "certificate chain: want a certificate valid at the time of the signature")
        now = self.instance.now
        for is_seen in (False, True):
            signer = self.instance.signer(start=now - 60, is_seen=is_seen)
            signature = self.instance.classic(digest, signer=signer)
            del signature.annotations["dev.sigstore.cosign/bundle"]
            timestamp = self.instance.timestamp(base64.b64decode(
                signature.annotations["dev.cosignproject.cosign/signature"]))
            signature.annotations["dev.sigstore.cosign/rfc3161timestamp"] = json.dumps(
                {"SignedRFC3161Timestamp": base64.b64encode(timestamp).decode()})
            self.signatures.classic(digest, signature)
            if not is_seen:
                self.refused(digest, "certificate timestamp: want a timestamp of a certificate transparency log")
        self.deployed(digest)

    def test_the_signature_of_an_older_version(self):  # oci 12 K4, B5, reliability/T12
        self.start()
        older = self.version()
        classic, bundle = self.instance.classic(older), self.instance.bundle(older)
        self.signatures.classic(older, classic)
        self.deployed(older)
        newer = self.version()
        self.signatures.classic(newer, classic)
        self.refused(newer, f"signed digest: want a signature of {newer}, found one of '{older}'")
        self.signatures.bundle(newer, bundle)
        self.assertIn(f"signed digest: want a statement about {newer}", self.refused(newer))

    # --- the trusted root ---

    def test_a_root_that_changes(self):
        path = os.path.join(self.windlass.folder, "trusted_root.json")
        good = json.dumps(self.instance.trusted_root())
        replace(path, good)
        self.start(path)

        def ended(*place):
            root = self.instance.trusted_root()
            item = root
            for key in place:
                item = item[key]
            item["validFor"]["end"] = rfc3339(self.instance.signed_at - HOUR)
            return json.dumps(root)

        out_of_use = [("authority", ended("certificateAuthorities", 0), "certificate chain: "),
                      ("log", ended("tlogs", 0, "publicKey"), "want a time when log rekor.test was in use"),
                      ("certificate log", ended("ctlogs", 0, "publicKey"), "certificate log ct.test was in use "),
                      ("instance", json.dumps(self.instance.other.trusted_root()), "the trusted root has no log")]
        for name, content, says in out_of_use:
            with self.subTest(name):
                digest = self.signed()
                replace(path, content)
                self.refused(digest, says)
                replace(path, good)  # read again, without a new start
                self.deployed(digest)
        damaged = {"empty": "", "cut short": good[:-100], "a key that is none": good.replace("MFk", "MFx", 1),
                   "something else": good.replace("trustedroot", "signingconfig"), "gone": None}
        for name, content in damaged.items():
            with self.subTest(name):
                digest = self.signed()
                os.remove(path) if content is None else replace(path, content)
                before = self.state()
                self.fails(self.windlass.deploy(self.tag, digest), FAILURE + "reading the trusted root")
                self.assertEqual(self.state(), before)
                code, said = self.verify(digest)
                self.assertEqual(code, 2, said)
                self.assertIn("OCI_TRUSTED_ROOT_FILE", said)
                replace(path, good)
                self.deployed(digest)

    # --- the peer ---

    def cosign(self, *arguments):
        return outcome_of(["cosign", *arguments], {**child_environment(), **self.cosign_environment})

    def signs(self, *arguments):
        code, said = self.cosign(*arguments)
        self.assertEqual(code, 0, said)

    def served(self):
        """The options that make cosign sign with the instance."""
        server = SigstoreServer(self.instance)
        self.addCleanup(server.close)
        return ["--fulcio-url", server.url, "--rekor-url", server.url, "--timestamp-server-url",
                server.url + "/api/v1/timestamp", "--identity-token", identity_token(ISSUER, SUBJECT),
                "--allow-http-registry", "-y"]

    def made_by_cosign(self):
        """A trusted root, as docs/trust.md has it for a Sigstore of your own."""
        times = pem("CERTIFICATE", self.instance.timestamp_authority) + pem("CERTIFICATE", self.instance.timestamp_root)
        root = os.path.join(self.windlass.folder, "made_by_cosign.json")
        self.signs("trusted-root", "create", "--out", root,
                   "--certificate-chain", self.cosign_environment["SIGSTORE_ROOT_FILE"],
                   "--rekor-key", self.cosign_environment["SIGSTORE_REKOR_PUBLIC_KEY"],
                   "--ctfe-key", self.cosign_environment["SIGSTORE_CT_LOG_PUBLIC_KEY_FILE"],
                   "--timestamp-certificate-chain", write(os.path.join(self.windlass.folder, "times.pem"), times))
        return root

    def test_what_cosign_signs(self):
        self.start(self.made_by_cosign())
        served = self.served()
        digest = self.version()
        self.signs("sign", *served, self.image(digest))
        self.deployed(digest)
        digest = self.version()
        self.signs("sign", *served, "--registry-referrers-mode=oci-1-1", self.image(digest))
        self.deployed(digest)
        digest = self.version()
        predicate = write(os.path.join(self.windlass.folder, "predicate.json"), "{}")
        self.signs("attest", *served, "--new-bundle-format", "--type", SIGN_V1, "--predicate", predicate,
                    self.image(digest))
        self.deployed(digest)
        story = self.verify(digest)[1]
        self.assertIn("timestamp: ", story)
        self.assertIn(f"certificate log {self.instance.certificate_log.id.hex()} has seen it", story)

    def test_a_key_with_the_private_log(self):
        prefix = os.path.join(self.windlass.folder, "ours")
        self.signs("generate-key-pair", "--output-key-prefix", prefix)
        with open(prefix + ".pub") as file:
            self.start(identities=[], public_keys=[file.read()])
        digest = self.version()
        signing = ["sign", "--key", prefix + ".key", "--allow-http-registry", "-y", self.image(digest)]
        self.signs(*signing, "--tlog-upload=false")
        self.refused(digest, "transparency log: want the annotation dev.sigstore.cosign/bundle")
        self.signs(*signing, "--rekor-url", self.served()[3])
        self.deployed(digest)

    def test_cosign_judges_as_we_do(self):
        """What the test makes is right, and wrong, for somebody else too; and so it is for windlass verify-bundle."""
        digest = self.version()
        manifest = write(os.path.join(self.windlass.folder, "manifest"), self.signatures.manifest_bytes(digest))
        bundle = os.path.join(self.windlass.folder, "bundle")

        def judge_classic(signature):
            self.signatures.classic(digest, signature)
            return self.cosign("verify", "--allow-http-registry", "--offline", *NAMED, self.image(digest))

        def judge_bundle(signature):
            write(bundle, signature if isinstance(signature, bytes) else json.dumps(signature))
            times = ["--use-signed-timestamps"] if b"rfc3161" in read(bundle) else []
            return self.cosign("verify-blob-attestation", "--bundle", bundle, "--new-bundle-format", "--trusted-root",
                               self.root, "--type", SIGN_V1, *times, *NAMED, manifest)

        def verify_bundle():
            return outcome_of([BINARY, "verify-bundle", "--bundle", bundle, "--trusted-root", self.root, *NAMED,
                               manifest], child_environment())

        now = self.instance.now
        twice = self.instance.bundle(digest, signer=self.instance.signer(start=now - 60), when=now)
        faults.add_timestamp(twice, self.instance.timestamp(faults.signature_in(twice)))
        for judged in (judge_classic(self.instance.classic(digest)), judge_bundle(self.instance.bundle(digest)),
                       verify_bundle(), judge_bundle(twice), verify_bundle()):
            self.assertEqual(judged[0], 0, judged[1])
        for fault in faults.CLASSIC:
            with self.subTest(f"classic: {fault.name}"):
                code, said = judge_classic(fault.make(self.instance, digest))
                self.assertEqual(code == 0, fault.name in faults.COSIGN_TAKES["classic"], said)
        for fault in faults.BUNDLE:
            with self.subTest(f"bundle: {fault.name}"):
                code, said = judge_bundle(fault.make(self.instance, digest))
                self.assertEqual(code == 0, fault.name in faults.COSIGN_TAKES["bundle"], said)
                code, said = verify_bundle()
                self.assertEqual(code == 0, fault.name == "another statement", said)  # the suite takes any
                if code != 0:
                    self.assertIn(fault.says, said)


if __name__ == "__main__":
    unittest.main()
