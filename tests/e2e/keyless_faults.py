"""What can be wrong with a keyless signature (oci 12.1 to 12.3). Each row has everything right but one thing, and the
words that windlass must have for it."""

import base64
import json
from dataclasses import dataclass
from typing import Callable

import merkle
from certificates import KEY_ENCIPHERMENT, SERVER_AUTH
from sigstore_instance import DAY, HOUR, ISSUER, MINUTE, SIGN_V1, SUBJECT, email, uri
from transparency_logs import b64, envelope_record, tile_record

LEAF = "certificate chain: want a certificate "


@dataclass
class Fault:
    name: str
    says: str
    make: Callable  # (instance, digest) -> what SignaturePush takes


def options(**each):
    """Values that are functions get the instance."""
    return lambda instance: {name: value(instance) if callable(value) else value for name, value in each.items()}


def leaf(**each):
    return lambda instance: {"signer": instance.signer(**options(**each)(instance))}


# What cosign 2.5 takes all the same. Fulcio writes the usages into every certificate, so that it does not look for most
# of them; of classic signatures it is told the keys of logs, not when they were in use; any statement will do.
COSIGN_TAKES = {"classic": {"for nothing", "for encryption", "an authority itself",
                            "seen before the certificate log began"},
                "bundle": {"for nothing", "for encryption", "an authority itself", "another statement"}}

# Name, what windlass says, the options of Instance.classic and Instance.bundle.
IN_BOTH_FORMATS = [
    ("another issuer", f"identity: want issuer '{ISSUER}', found 'https://token.evil'",
     leaf(issuer="https://token.evil")),
    ("an issuer that begins alike", f"identity: want issuer '{ISSUER}'", leaf(issuer=ISSUER + ".evil")),
    ("another subject", f"identity: want subject '{SUBJECT}', found 'https://forge.test/evil'",
     leaf(subject=uri("https://forge.test/evil"))),
    ("a subject that begins alike", f"identity: want subject '{SUBJECT}'", leaf(subject=uri(SUBJECT + "2"))),
    ("a subject of another kind", f"identity: want subject '{SUBJECT}', found 'build@forge.test'",
     leaf(subject=email("build@forge.test"))),
    ("over when it was logged", LEAF + "valid at the time of the signature", leaf(start=lambda i: i.signed_at - HOUR)),
    ("not begun when it was logged", LEAF + "valid at the time of the signature",
     leaf(start=lambda i: i.signed_at + MINUTE)),
    ("issued by another key", LEAF + "of an authority of the trusted root, found none", leaf(by=lambda i: i.stranger)),
    ("for servers", LEAF + "for code signing (extended key usage)", leaf(extended_key_usage=SERVER_AUTH)),
    ("for nothing", LEAF + "for code signing (extended key usage)", leaf(extended_key_usage=None)),
    ("for encryption", LEAF + "for digital signatures (key usage)", leaf(key_usage=KEY_ENCIPHERMENT)),
    ("an authority itself", LEAF + "of a signer, found one of an authority", leaf(is_authority=True)),
    ("not seen by a certificate log", "certificate timestamp: want a timestamp of a certificate transparency log",
     leaf(is_seen=False)),
    ("seen by another certificate log", "certificate timestamp: want a timestamp of a certificate log of the trusted "
     "root, found none: the trusted root has no certificate log", leaf(certificate_log=lambda i: i.stranger)),
    ("seen by another in the name of the log", "the signature is not one of certificate log ct.test",
     leaf(certificate_log=lambda i: i.stranger, certificate_log_id=lambda i: i.certificate_log.id)),
    ("another was seen by the certificate log", "the signature is not one of certificate log ct.test",
     leaf(another_is_seen=True)),
    ("seen before the certificate log began", "certificate log ct.test was in use ",
     leaf(seen_at=lambda i: i.start - DAY)),
    ("another key signed", "signature: want one made by the ", options(signing_key=lambda i: i.stranger)),
    ("another key promised", "want a signed entry timestamp of log rekor.test",
     options(promise_key=lambda i: i.stranger)),
    ("logged before the log began", "want a time when log rekor.test was in use",
     lambda i: {"when": i.start - DAY, "signer": i.signer(start=i.start - DAY)}),
]

# --- classic signatures ----------------------------------------------------------------------------------------------


def annotated(**annotations):
    """A good signature with other annotations: text, None for none, or what makes it of the instance."""
    def make(instance, digest):
        signature = instance.classic(digest)
        for name, value in annotations.items():
            value = value(instance, signature) if callable(value) else value
            key = ("dev.cosignproject.cosign/" if name == "signature" else "dev.sigstore.cosign/") + name
            signature.annotations.pop(key, None)
            if value is not None:
                signature.annotations[key] = value
        return signature
    return make


def entry_with(**fields):
    """The entry of the log with other fields under its promise."""
    def make(_, signature):
        entry = json.loads(signature.annotations["dev.sigstore.cosign/bundle"])
        entry["Payload"].update(fields)
        return json.dumps(entry)
    return annotated(bundle=make)


def entry_of_another(instance, signature):
    return instance.classic("sha256:" + 64 * "0").annotations["dev.sigstore.cosign/bundle"]


def with_its_own_root(instance, digest):
    other = instance.other
    signer = instance.signer(by=other.authority_key)
    return instance.classic(digest, signer=signer, chain=(other.authority, other.root))


CLASSIC = [
    Fault("of another artifact", "signed digest: want a signature of sha256:",
          lambda i, digest: i.classic("sha256:" + 64 * "0")),
    Fault("brings its own root", LEAF + "of an authority of the trusted root, found none", with_its_own_root),
    Fault("no log entry", "transparency log: want the annotation dev.sigstore.cosign/bundle", annotated(bundle=None)),
    Fault("a log entry of another log", "transparency log: the trusted root has no log",
          lambda i, digest: i.classic(digest, log=i.other.log)),
    Fault("a log entry of another signature", "transparency log: log entry ", annotated(bundle=entry_of_another)),
    Fault("another time than promised", "want a signed entry timestamp", entry_with(integratedTime=1)),
    Fault("another place than promised", "want a signed entry timestamp", entry_with(logIndex=0)),
    Fault("no certificate", "certificate: want a signature made with a certificate", annotated(certificate=None)),
    Fault("the certificate of somebody else", "signature: want one made by the ",
          annotated(certificate=lambda i, _: i.signer().pem)),
    Fault("junk for a certificate", "form: annotation dev.sigstore.cosign/certificate: ",
          annotated(certificate="junk")),
    Fault("no signature", "form: want the annotation dev.cosignproject.cosign/signature", annotated(signature=None)),
    *(Fault(name, says, lambda i, digest, made=made: i.classic(digest, **made(i)))
      for name, says, made in IN_BOTH_FORMATS),
]

# --- bundles ---------------------------------------------------------------------------------------------------------


def edited(edit):
    """edit(instance, bundle, entry): turns something of a good bundle."""
    def make(instance, digest):
        bundle = instance.bundle(digest)
        edit(instance, bundle, bundle["verificationMaterial"]["tlogEntries"][0])
        return bundle
    return make


def proof_with(**fields):
    def edit(instance, _, entry):
        entry["inclusionProof"].update(options(**fields)(instance))
    return edited(edit)


def proof_of_another_leaf(instance, _, entry):
    leaves = instance.log.leaves
    entry["inclusionProof"].update(logIndex="0", hashes=[b64(each) for each in merkle.path(leaves, 0)])


def checkpoint_of_another_tree(instance, _, entry):
    """Of the same log: what it said when it was larger."""
    instance.log.leaves.append(merkle.leaf_hash(b"later"))
    entry["inclusionProof"]["checkpoint"]["envelope"] = instance.log.checkpoint()


def no_promise(_, __, entry):
    """The time that is left in the entry is nobody's word."""
    del entry["inclusionPromise"]


def signature_in(bundle):
    return base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])


def add_timestamp(bundle, response):
    bundle["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": b64(response)}]}


def timestamped(**each):
    """A timestamp in place of a promise. It is of now, hence the certificate too."""
    def make(instance, digest, of=None, start=None, **how):
        start = instance.now - MINUTE if start is None else start
        bundle = instance.bundle(digest, signer=instance.signer(start=start), when=start + MINUTE)
        no_promise(instance, bundle, bundle["verificationMaterial"]["tlogEntries"][0])
        add_timestamp(bundle, instance.timestamp(of or signature_in(bundle), **how))
        return bundle
    return lambda instance, digest: make(instance, digest, **options(**each)(instance))


def chain_for_certificate(instance, bundle, _):
    material = bundle["verificationMaterial"]
    chain = [material.pop("certificate"), {"rawBytes": b64(instance.authority)}]
    material["x509CertificateChain"] = {"certificates": chain}


def key_for_certificate(_, bundle, __):
    del bundle["verificationMaterial"]["certificate"]
    bundle["verificationMaterial"]["publicKey"] = {"hint": ""}


def another_payload(_, bundle, __):
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    bundle["dsseEnvelope"]["payload"] = b64(payload.replace(b'"shop"', b'"evil"'))


NO_TIME = "want a timestamp of "
BUNDLE = [
    Fault("of another artifact", "signed digest: want a statement about sha256:",
          lambda i, digest: i.bundle("sha256:" + 64 * "0")),
    Fault("another statement", f"want the predicate {SIGN_V1}, found 'https://slsa.dev/provenance/v1'",
          lambda i, digest: i.bundle(digest, predicate="https://slsa.dev/provenance/v1")),
    Fault("another payload", "signature: want one made by the ", edited(another_payload)),
    Fault("no log entry", "transparency log: want an entry of a log of the trusted root, found none",
          edited(lambda _, bundle, __: bundle["verificationMaterial"]["tlogEntries"].clear())),
    Fault("a log entry of another log", "transparency log: want an entry of a log of the trusted root, found none",
          lambda i, digest: i.bundle(digest, log=i.other.log)),
    Fault("a log entry of another signature", "transparency log: log entry ",
          lambda i, digest: i.bundle(digest, logged=i.bundle(digest)["dsseEnvelope"])),
    Fault("no proof", "want an inclusion proof, found none", edited(lambda _, __, entry: entry.pop("inclusionProof"))),
    Fault("the proof of another leaf", "want a proof that leads to root ", edited(proof_of_another_leaf)),
    Fault("a proof that is too short", "the proof has fewer hashes than the tree has levels", proof_with(hashes=[])),
    Fault("the checkpoint of another tree", "want size and root of the checkpoint", edited(checkpoint_of_another_tree)),
    Fault("the checkpoint of another key", "checkpoint: want a signature of log rekor.test",
          lambda i, digest: i.bundle(digest, checkpoint_key=i.stranger)),
    Fault("nothing that tells the time", "signature time: want a signed entry timestamp of a log or a timestamp of an "
          "authority, found none", edited(no_promise)),
    Fault("a timestamp of something else", NO_TIME + "this signature, found one of something else",
          timestamped(of=b"something else")),
    Fault("a timestamp of another authority", NO_TIME + "an authority of the trusted root", timestamped(
        key=lambda i: i.other.timestamp_key, certificate=lambda i: i.other.timestamp_authority)),
    Fault("a timestamp of later", LEAF + "valid at the time of the signature",
          timestamped(start=lambda i: i.now - HOUR)),
    Fault("a chain in place of a certificate",
          "form: verificationMaterial.x509CertificateChain: want a single certificate", edited(chain_for_certificate)),
    Fault("a key in place of a certificate", "certificate: want a signature made with a certificate",
          edited(key_for_certificate)),
    Fault("of a later version", "form: mediaType: want application/vnd.dev.sigstore.bundle.v0.3+json",
          edited(lambda _, bundle, __: bundle.update(mediaType="application/vnd.dev.sigstore.bundle.v0.9+json"))),
    Fault("something more", "form: verificationMaterial.trustMe: is not known",
          edited(lambda _, bundle, __: bundle["verificationMaterial"].update(trustMe=True))),
    Fault("cut short", "form: ", lambda i, digest: json.dumps(i.bundle(digest)).encode()[:-100]),
    *(Fault(name, says, lambda i, digest, made=made: i.bundle(digest, **made(i)))
      for name, says, made in IN_BOTH_FORMATS),
]

# --- bundles with an entry of Rekor v2 -------------------------------------------------------------------------------


def tiled(instance, digest, edit=None, **each):
    """Right in every step but for what the options of Instance.tile_bundle and edit(entry) say."""
    bundle = instance.tile_bundle(digest, **options(**each)(instance))
    if edit:
        edit(bundle["verificationMaterial"]["tlogEntries"][0])
    add_timestamp(bundle, instance.timestamp(signature_in(bundle)))
    return bundle


def tiled_with(edit=None, **each):
    return lambda instance, digest: tiled(instance, digest, edit, **each)


def no_timestamp(instance, digest):
    """A time that the entry has of itself is nobody's word."""
    bundle = instance.tile_bundle(digest)
    bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = str(instance.now)
    return bundle


def about_another_artifact(instance, _):
    return tiled(instance, "sha256:" + 64 * "0")


REKOR_V2 = [
    Fault("no timestamp", "signature time: want a signed entry timestamp of a log or a timestamp of an authority, "
          "found none", no_timestamp),
    Fault("of another artifact", "signed digest: want a statement about sha256:", about_another_artifact),
    Fault("the checkpoint of another origin", "want a checkpoint of origin 'tiles.test', found 'tiles.test - 1'",
          tiled_with(origin="tiles.test - 1")),
    Fault("the checkpoint of another key", "checkpoint: want a signature of log tiles.test",
          tiled_with(checkpoint_key=lambda i: i.other.tile_log.key)),
    Fault("an entry of another log of the same name",
          "transparency log: want an entry of a log of the trusted root, found none",
          tiled_with(log=lambda i: i.other.tile_log)),
    Fault("an entry of another signature", "transparency log: log entry ",
          tiled_with(logged=lambda i: i.tile_bundle("sha256:" + 64 * "1")["dsseEnvelope"])),
    Fault("an entry of another certificate", "want the key or certificate SHA256:",
          tiled_with(record=lambda i: lambda envelope, _: tile_record(envelope, i.signer().certificate))),
    Fault("a body of another version", "apiVersion: want 0.0.2",
          tiled_with(lambda entry: entry["kindVersion"].update(version="0.0.2"),
                     record=lambda i: lambda envelope, signer: envelope_record(envelope, signer.pem))),
    Fault("no proof", "want an inclusion proof, found none", tiled_with(lambda entry: entry.pop("inclusionProof"))),
    Fault("a proof that is too short", "the proof has fewer hashes than the tree has levels",
          tiled_with(lambda entry: entry["inclusionProof"].update(hashes=[]))),
]
