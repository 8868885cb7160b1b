"""Signatures (oci 11, 12): the real cosign signs, windlass refuses whatever is not signed as its policy demands."""

import json
import os
import subprocess
import unittest

from fault_proxy import FaultProxy, after
from harness import (BINARY, EndToEnd, bed, child_environment, compose, containers, idle_service, run, until)

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGN_V1 = "https://sigstore.dev/cosign/sign/v1"
COSIGN = {"COSIGN_PASSWORD": "correct-horse", "COSIGN_EXPERIMENTAL": "1"}
REGISTRY = ["--allow-http-registry", "--tlog-upload=false", "-y"]
FAILURE = "OCI artifact signature verification failed"


class Signer:
    """A key pair of cosign's, or one of openssl's whose signatures cosign attaches: Debian's cosign imports few kinds."""

    def __init__(self, folder, name, kind="P-256"):
        self.prefix = os.path.join(folder, name)
        self.kind = kind
        self.by_cosign = kind in ("P-256", "Ed25519")
        if kind == "P-256":
            run("cosign", "generate-key-pair", "--output-key-prefix", self.prefix, **COSIGN)
            return
        algorithm, _, size = kind.partition(" ")
        options = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{kind}"] if kind.startswith("P-") else \
                  ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{size}"] if algorithm == "RSA" else \
                  ["-algorithm", "ed25519"]
        run("openssl", "genpkey", *options, "-out", self.prefix + ".pem")
        if self.by_cosign:
            run("cosign", "import-key-pair", "--key", self.prefix + ".pem", "--output-key-prefix", self.prefix, **COSIGN)
        else:
            run("openssl", "pkey", "-in", self.prefix + ".pem", "-pubout", "-out", self.prefix + ".pub")

    @property
    def public_file(self):
        return self.prefix + ".pub"

    def public(self):
        with open(self.public_file) as file:
            return file.read()

    def sign(self, image, *options):
        if self.by_cosign:
            run("cosign", "sign", "--key", self.prefix + ".key", *REGISTRY, *options, image, **COSIGN)
            return
        payload, signature = self.prefix + ".payload", self.prefix + ".sig"
        with open(payload, "w") as file:
            file.write(run("cosign", "generate", "--allow-http-registry", image, **COSIGN))
        hashed = {"P-384": "-sha384", "P-521": "-sha512"}.get(self.kind, "-sha256")
        run("openssl", "dgst", hashed, "-sign", self.prefix + ".pem", "-out", signature, payload)
        run("openssl", "base64", "-A", "-in", signature, "-out", signature + ".b64")
        run("cosign", "attach", "signature", "--allow-http-registry", "--payload", payload,
            "--signature", signature + ".b64", image, **COSIGN)

    def attest(self, image, predicate_type=SIGN_V1):
        """A Sigstore bundle. With this predicate it is what later releases of cosign write for `cosign sign`."""
        predicate = self.prefix + ".json"
        with open(predicate, "w") as file:
            file.write("{}")
        run("cosign", "attest", "--key", self.prefix + ".key", *REGISTRY, "--new-bundle-format",
            "--type", predicate_type, "--predicate", predicate, image, **COSIGN)


def policy_of(*signers, **keys):
    """JSON is YAML."""
    return json.dumps({"enabled": True, "ignore_tlog": True, "public_keys": [each.public() for each in signers], **keys})


class Trust(EndToEnd):
    def setUp(self):
        super().setUp()
        self.name = self.stack("trust")
        self.keys = os.path.join(self.windlass.folder, "keys")
        os.makedirs(self.keys)
        self.signer = Signer(self.keys, "ours")

    def artifact(self, tag="main", content="one", config=""):
        ref = self.ref(self.name, tag)
        return ref, self.push(ref, {".doco-cd.yaml": f"name: {self.name}\n{config}",
                                    "compose.yaml": compose({"app": idle_service(environment={"CONTENT": content})})})

    @staticmethod
    def image(ref, digest):
        return f"{ref.rsplit(':', 1)[0]}@{digest}"

    @staticmethod
    def signature_tag(ref, digest):
        return f"{ref.rsplit(':', 1)[0]}:{digest.replace(':', '-')}.sig"

    def start(self, *signers, **keys):
        self.windlass.start(OCI_TRUST_POLICY=policy_of(*(signers or [self.signer]), **keys))

    def refused(self, ref, digest, *texts):
        record = self.fails(self.windlass.deploy(ref, digest), "failed OCI signature verification: " + FAILURE, *texts)
        return record["message"]

    def nothing_is_live(self):
        self.assertEqual(containers(self.name), {})
        self.assertEqual([name for name in os.listdir(self.windlass.data) if name != ".windlass"], [])

    def verify(self, ref, *options, **settings):
        """windlass verify: exit code and everything it said."""
        done = subprocess.run([BINARY, "verify", ref, *options], env=child_environment(**settings), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return done.returncode, done.stdout

    # --- what may run ---

    def test_a_signed_artifact_is_deployed(self):
        ref, digest = self.artifact()
        self.signer.sign(self.image(ref, digest))
        self.start()
        self.succeeds(self.windlass.deploy(ref, digest))
        self.assertTrue(containers(self.name)["app"]["State"]["Running"])
        self.assertTrue(self.windlass.events(msg="artifact is trusted", digest=digest))

    def test_f47_a_tag_that_moves_while_signatures_are_looked_for(self):  # T11
        """They are looked for, and everything is fetched, of the digest that was settled."""
        ref, digest = self.artifact()
        self.signer.sign(self.image(ref, digest))
        proxy = FaultProxy(bed()["REGISTRY"])
        self.addCleanup(proxy.close)
        moved = []
        proxy.on("GET", r"\.sig$|/referrers/", after(lambda: moved.append(self.artifact(content="unsigned")[1])))
        self.start()
        reference = ref.replace(bed()["REGISTRY"], proxy.address)
        self.succeeds(self.windlass.deploy(reference, digest))
        self.assertEqual(len(moved), 1)
        app = containers(self.name)["app"]
        self.assertIn("CONTENT=one", app["Config"]["Env"])
        self.refused(reference, moved[0])
        self.assertEqual(containers(self.name)["app"]["Id"], app["Id"])

    def test_an_unsigned_artifact_never_runs(self):
        ref, digest = self.artifact(config="oci: {verify: false}\n")  # reliability/T13: it has no say
        self.start()
        self.refused(ref, digest, "no signature was found")
        self.nothing_is_live()
        self.signer.sign(self.image(ref, digest))
        self.succeeds(self.windlass.deploy(ref, digest))

    def test_the_signature_of_somebody_else_does_not_count(self):
        ref, digest = self.artifact()
        Signer(self.keys, "stranger").sign(self.image(ref, digest))
        self.start()
        self.assertIn("key SHA256:", self.refused(ref, digest, "signature: "))
        self.nothing_is_live()

    def test_a_replayed_signature_does_not_count(self):  # oci 12 K4, reliability/T12
        ref, first = self.artifact()
        self.signer.sign(self.image(ref, first))
        self.start()
        self.succeeds(self.windlass.deploy(ref, first))
        before = containers(self.name)["app"]["Id"]
        _, second = self.artifact(content="two")
        run("oras", "cp", "--from-plain-http", "--to-plain-http", self.signature_tag(ref, first),
            self.signature_tag(ref, second))
        self.refused(ref, second, "signed digest", first)
        self.assertEqual(containers(self.name)["app"]["Id"], before, "what runs keeps running")

    def test_signatures_that_refer_to_the_artifact(self):  # oci 12, R
        ref, digest = self.artifact()
        self.signer.sign(self.image(ref, digest), "--registry-referrers-mode=oci-1-1")
        self.start()
        self.succeeds(self.windlass.deploy(ref, digest))

    def test_bundles(self):  # oci 12, B
        ref, digest = self.artifact()
        self.signer.attest(self.image(ref, digest))
        self.start()
        self.succeeds(self.windlass.deploy(ref, digest))

    def test_an_attestation_is_no_approval(self):  # oci 12.2 B5, 16 #8
        ref, digest = self.artifact()
        self.signer.attest(self.image(ref, digest), "https://slsa.dev/provenance/v1")
        self.start()
        self.refused(ref, digest)
        self.nothing_is_live()

    def test_a_good_signature_among_bad_ones(self):  # oci 12: a candidate that fails never hides another
        ref, digest = self.artifact()
        image = self.image(ref, digest)
        self.signer.sign(image)
        stranger = Signer(self.keys, "stranger")
        stranger.sign(image)
        stranger.attest(image)
        junk = os.path.join(self.keys, "junk.json")
        with open(junk, "w") as file:
            file.write("{}")
        run("oras", "attach", "--plain-http", "--artifact-type", BUNDLE, image, f"{junk}:{BUNDLE}",
            "--disable-path-validation")
        self.start()
        self.succeeds(self.windlass.deploy(ref, digest))

    def test_a_policy_that_comes_later_counts(self):  # oci 13: the policy belongs to "nothing changed"
        ref, digest = self.artifact()
        self.windlass.start()
        self.succeeds(self.windlass.deploy(ref, digest))
        before = containers(self.name)["app"]["Id"]
        self.assertEqual(self.windlass.terminate(), 0)
        self.start()
        self.refused(ref, digest, "no signature was found")
        self.signer.sign(self.image(ref, digest))
        self.assertEqual(self.windlass.deploy(ref, digest)["status"], "skipped")
        self.assertEqual(containers(self.name)["app"]["Id"], before, "a policy restarts nothing")

    def test_a_signed_digest_of_an_index(self):
        ref, digest = self.artifact(tag="single")
        index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                            "manifests": [{**json.loads(run("oras", "manifest", "fetch", "--plain-http", "--descriptor",
                                                            ref)),
                                           "platform": {"os": "linux", "architecture": "amd64"}}]})
        path = os.path.join(self.keys, "index.json")
        with open(path, "w") as file:
            file.write(index)
        tagged = self.ref(self.name)
        run("oras", "manifest", "push", "--plain-http", tagged, path)
        whole = run("oras", "resolve", "--plain-http", tagged).strip()
        self.start()
        self.signer.sign(self.image(ref, digest))  # of the child: not what the tag points to
        self.refused(tagged, whole)
        self.signer.sign(self.image(ref, whole))
        self.succeeds(self.windlass.deploy(tagged, whole))

    # --- single deployments ---

    def test_a_deployment_may_ask_for_more(self):  # oci 11.2, 11.3
        ref, digest = self.artifact()
        demand = {"verify": True, "ignore_tlog": True, "public_keys": [self.signer.public()]}
        poll = [{"source": "oci", "url": ref, "run_once": True, "deployments": [{"name": self.name, "oci": demand}]}]
        self.windlass.start(POLL_CONFIG=json.dumps(poll))
        until(lambda: self.windlass.events(msg="job failed"), "the poll to be refused")
        self.assertIn(FAILURE, self.windlass.events(msg="job failed")[0]["error"])
        self.refused(ref, digest, "no signature was found")  # a webhook is held to it as well (oci 16 #6)
        self.nothing_is_live()
        self.assertEqual(self.verify(ref, POLL_CONFIG=json.dumps(poll))[0], 1)
        self.signer.sign(self.image(ref, digest))
        self.assertEqual(self.verify(ref, POLL_CONFIG=json.dumps(poll))[0], 0)
        code, text = self.verify(ref, POLL_CONFIG=json.dumps(poll), OCI_TRUST_POLICY=policy_of(Signer(self.keys, "global")))
        self.assertEqual(code, 1, text)
        self.assertEqual(text.splitlines()[-1], "satisfied: 1 of 2 policies; a deployment needs all")
        self.succeeds(self.windlass.deploy(ref, digest))

    # --- settings ---

    def test_what_an_include_would_bring_is_signed_by_nobody(self):  # oci 11.3
        """Refused however it is reached: here by an include of an include."""
        ref = self.ref(self.name)
        included = f"oci://{self.ref(self.name + '-more')}"
        digest = self.push(ref, {".doco-cd.yaml": f"name: {self.name}\n",
                                 "compose.yaml": json.dumps({"include": ["more.yaml"], "services": {"app": idle_service()}}),
                                 "more.yaml": json.dumps({"include": [included]})})
        self.signer.sign(self.image(ref, digest))
        self.start()
        self.fails(self.windlass.deploy(ref, digest), "oci:// includes are refused while OCI_TRUST_POLICY is enabled",
                   "verify_includes: false")
        self.nothing_is_live()
        self.windlass.terminate()
        self.windlass.settings["COMPOSE_EXPERIMENTAL_OCI_REMOTE"] = "true"  # which compose 2.26 asks for
        self.start(verify_includes=False)
        record = self.windlass.deploy(ref, digest)  # asked for now; there is no such artifact
        self.assertNotIn("oci:// includes are refused", self.fails(record, "more")["message"])

    def test_a_policy_that_cannot_work_stops_the_start(self):
        rows = [({"enabled": True}, "enabled without any rule"),
                ({"enable": True}, 'unknown key "enable", did you mean "enabled"?'),
                ({"enabled": True, "public_keys": ["rubbish"]}, "public_keys: item 1: "),
                ({"enabled": True, "public_keys": [self.signer.public()]}, "set OCI_TRUSTED_ROOT_FILE")]
        for policy, text in rows:
            with self.subTest(policy):
                self.windlass.start(healthy=False, OCI_TRUST_POLICY=json.dumps(policy))
                self.assertEqual(self.windlass.wait_end(), 1)
                self.assertTrue([line for line in self.windlass.events(msg="invalid setting") if text in line["error"]])

    # --- windlass verify ---

    def test_verify_takes_every_kind_of_key(self):  # oci 11.4
        ref, digest = self.artifact()
        for kind in ("P-256", "P-384", "P-521", "RSA 2048", "RSA 3072", "RSA 4096", "Ed25519"):
            with self.subTest(kind):
                signer = Signer(self.keys, kind.replace(" ", "-"), kind)
                options = ["--key", signer.public_file, "--ignore-tlog"]
                self.assertEqual(self.verify(ref, *options)[0], 1, "not signed yet")
                signer.sign(self.image(ref, digest))
                code, text = self.verify(ref, *options)
                self.assertEqual(code, 0, text)
                self.assertIn("trusted by key SHA256:", text.splitlines()[-1])

    def test_verify_explains(self):
        ref, digest = self.artifact()
        policy = policy_of(self.signer)
        code, text = self.verify(ref, OCI_TRUST_POLICY=policy)
        self.assertEqual(code, 1, text)
        self.assertEqual(text.splitlines()[:3],
                         [f"artifact: {ref}", f"digest: {digest}",
                          "policy: 1 public key, 0 keyless identities, transparency log not asked for"])
        self.assertTrue(text.splitlines()[3].startswith(f"NOT trusted: {FAILURE}: key SHA256:"), text)

        Signer(self.keys, "stranger").sign(self.image(ref, digest))
        code, text = self.verify(ref, OCI_TRUST_POLICY=policy)
        self.assertEqual(code, 1, text)
        self.assertIn("signature 1: simple signing at tag sha256-", text)
        self.assertIn("  no   key SHA256:", text)

        self.signer.sign(self.image(ref, digest))
        self.assertEqual(self.verify(self.image(ref, digest), OCI_TRUST_POLICY=policy)[0], 0)
        code, text = self.verify(ref, "--key", self.signer.public_file)
        self.assertEqual(code, 2, text)
        self.assertIn("no trusted root", text)

    def test_verify_says_when_it_cannot_tell(self):
        ref, _ = self.artifact()
        self.assertEqual(self.verify(ref)[0], 2)
        self.assertIn("there is no policy to verify by", self.verify(ref)[1])
        key = ["--key", self.signer.public_file, "--ignore-tlog"]
        self.assertEqual(self.verify(self.ref(self.name, "other"), *key)[0], 2)
        self.assertEqual(self.verify("127.0.0.1:1/test/app:1", *key)[0], 2)
        self.assertEqual(self.verify("A B", *key)[0], 2)
        self.assertEqual(self.verify(ref, "--key")[0], 2)


if __name__ == "__main__":
    unittest.main()
