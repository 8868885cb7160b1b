"""Puts signatures beside an artifact in a registry, where cosign puts them."""

import json
from hashlib import sha256

from quick_push import QuickPush
from sigstore_instance import BUNDLE_TYPE, SIMPLE_SIGNING

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
COSIGN_SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


class SignaturePush(QuickPush):
    def __init__(self, repository):
        super().__init__()
        self.repository = repository

    def manifest(self, place, document):
        content = json.dumps(document).encode()
        answer = self.ask("PUT", f"/v2/{self.repository}/manifests/{place or 'sha256:' + sha256(content).hexdigest()}",
                          content, {"Content-Type": document["mediaType"]})
        return {"mediaType": document["mediaType"], "digest": answer.headers["Docker-Content-Digest"],
                "size": len(content)}

    def _manifest_of(self, layers, **other):
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(self.repository, b"{}", EMPTY),
                "layers": layers, **other}

    def _layer(self, signature):
        return {**self.blob(self.repository, signature.payload, SIMPLE_SIGNING), "annotations": signature.annotations}

    def classic(self, digest, signature):
        """At the tag that is made of the digest, in the place of what is there."""
        self.manifest(digest.replace(":", "-") + ".sig", self._manifest_of([self._layer(signature)]))

    def referring(self, digest, signature):
        """The same signature by OCI 1.1."""
        self._refer(digest, [self._layer(signature)], COSIGN_SIGNATURE)

    def bundle(self, digest, bundle):
        """bundle: bytes, or what becomes JSON."""
        content = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
        self._refer(digest, [self.blob(self.repository, content, BUNDLE_TYPE)], BUNDLE_TYPE)

    def _refer(self, digest, layers, artifact_type):
        """The only referrer of the digest. Registries of OCI 1.0 list referrers at a tag that clients keep."""
        self.connection.request("GET", f"/v2/{self.repository}/manifests/{digest}", headers={"Accept": MANIFEST})
        subject = {"mediaType": MANIFEST, "digest": digest, "size": len(self.connection.getresponse().read())}
        referrer = self.manifest("", self._manifest_of(layers, artifactType=artifact_type, subject=subject))
        self.manifest(digest.replace(":", "-"), {"schemaVersion": 2, "mediaType": INDEX,
                                                 "manifests": [{**referrer, "artifactType": artifact_type}]})
