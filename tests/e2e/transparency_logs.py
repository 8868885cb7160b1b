"""Transparency logs of a private Sigstore instance, of Rekor v1 and v2: entries with their proofs, and what is logged."""

import base64
import json
from dataclasses import dataclass
from hashlib import sha256

import merkle
from certificates import Ed25519Key, Key


def b64(content):
    return base64.b64encode(content).decode()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Log:
    """A transparency log of Rekor v1."""

    def __init__(self, folder, name, tree_id):
        self.key = Key(folder, name)
        self.host = f"{name}.test"
        self.origin = f"{self.host} - {tree_id}"
        self.leaves = [merkle.leaf_hash(b"somebody's"), merkle.leaf_hash(b"somebody else's")]

    def checkpoint(self, key=None):
        text = f"{self.origin}\n{len(self.leaves)}\n{b64(merkle.root(self.leaves))}\n"
        signature = self.key.id[:4] + (key or self.key).sign(text.encode())
        return f"{text}\n\u2014 {self.host} {b64(signature)}\n"

    def add(self, body, when, promise_key=None, checkpoint_key=None):
        index = len(self.leaves)
        self.leaves.append(merkle.leaf_hash(body))
        promised = {"body": b64(body), "integratedTime": int(when), "logID": self.key.id.hex(), "logIndex": index}
        return Entry(log_id=self.key.id, index=index, time=int(when), body=body,
                     promise=(promise_key or self.key).sign(canonical(promised)), size=len(self.leaves),
                     root=merkle.root(self.leaves), hashes=merkle.path(self.leaves, index),
                     checkpoint=self.checkpoint(checkpoint_key))


class TileLog:
    """A transparency log of Rekor v2: known by its host alone, it promises nothing and tells no time."""

    def __init__(self, folder, name):
        self.key = Ed25519Key(folder, name)
        self.host = f"{name}.test"
        self.leaves = [merkle.leaf_hash(b"somebody's"), merkle.leaf_hash(b"somebody else's")]

    @property
    def id(self):
        """The key of signed notes; their hint is its beginning."""
        return sha256(self.host.encode() + b"\n\x01" + self.key.raw).digest()

    def checkpoint(self, origin=None, key=None):
        text = f"{origin or self.host}\n{len(self.leaves)}\n{b64(merkle.root(self.leaves))}\n"
        signature = self.id[:4] + (key or self.key).sign(text.encode())
        return f"{text}\n\u2014 {self.host} {b64(signature)}\n"

    def add(self, body, origin=None, checkpoint_key=None):
        """The entry, as a bundle has it."""
        index = len(self.leaves)
        self.leaves.append(merkle.leaf_hash(body))
        kind = json.loads(body)
        return {"logIndex": str(index), "logId": {"keyId": b64(self.id)},
                "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
                "inclusionProof": {"logIndex": str(index), "rootHash": b64(merkle.root(self.leaves)),
                                   "treeSize": str(len(self.leaves)),
                                   "hashes": [b64(each) for each in merkle.path(self.leaves, index)],
                                   "checkpoint": {"envelope": self.checkpoint(origin, checkpoint_key)}},
                "canonicalizedBody": b64(body)}


@dataclass
class Entry:
    log_id: bytes
    index: int
    time: int
    body: bytes
    promise: bytes
    size: int
    root: bytes
    hashes: list
    checkpoint: str

    def annotation(self):
        """As classic signatures carry it."""
        return {"SignedEntryTimestamp": b64(self.promise),
                "Payload": {"body": b64(self.body), "integratedTime": self.time, "logIndex": self.index,
                            "logID": self.log_id.hex()}}

    def in_bundle(self):
        kind = json.loads(self.body)
        return {"logIndex": str(self.index), "logId": {"keyId": b64(self.log_id)},
                "kindVersion": {"kind": kind["kind"], "version": kind["apiVersion"]},
                "integratedTime": str(self.time), "inclusionPromise": {"signedEntryTimestamp": b64(self.promise)},
                "inclusionProof": {"logIndex": str(self.index), "rootHash": b64(self.root), "treeSize": str(self.size),
                                   "hashes": [b64(each) for each in self.hashes],
                                   "checkpoint": {"envelope": self.checkpoint}},
                "canonicalizedBody": b64(self.body)}


def hashed_record(payload, signature, verifier_pem):
    """The body of a log entry about a signature, as Rekor writes it."""
    return canonical({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": {"hash": {"algorithm": "sha256", "value": sha256(payload).hexdigest()}},
        "signature": {"content": b64(signature), "publicKey": {"content": b64(verifier_pem.encode())}}}})


def envelope_record(envelope, verifier_pem):
    return canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
        "envelopeHash": {"algorithm": "sha256", "value": sha256(canonical(envelope)).hexdigest()},
        "payloadHash": {"algorithm": "sha256", "value": sha256(base64.b64decode(envelope["payload"])).hexdigest()},
        "signatures": [{"signature": envelope["signatures"][0]["sig"], "verifier": b64(verifier_pem.encode())}]}})


def tile_record(envelope, certificate):
    """The body of an entry of Rekor v2 about an envelope."""
    return canonical({"apiVersion": "0.0.2", "kind": "dsse", "spec": {"dsseV002": {
        "payloadHash": {"algorithm": "SHA2_256", "digest": b64(sha256(base64.b64decode(envelope["payload"])).digest())},
        "signatures": [{"content": envelope["signatures"][0]["sig"],
                        "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256",
                                     "x509Certificate": {"rawBytes": b64(certificate)}}}]}}})
