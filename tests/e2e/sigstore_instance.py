"""A private Sigstore instance made in the test: certificate authority, certificate log, transparency log and timestamp
authority, the trusted root that names them, and what they give a signer. A test turns one thing and everything else
stays right. The real cosign judges what comes out (test_keyless.py)."""

import json
import os
import time
from dataclasses import dataclass
from hashlib import sha256

import der
from certificates import (CODE_SIGNING, DIGITAL_SIGNATURE, TIME_STAMPING, Draft, Key, authority_extensions, extension,
                          openssl, pem, usage_extensions)
from transparency_logs import Log, TileLog, b64, canonical, envelope_record, hashed_record, tile_record

ISSUER = "https://token.test"
SUBJECT = "https://forge.test/acme/shop/build.yml@refs/heads/main"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT_TYPE = "application/vnd.in-toto+json"
SIGN_V1 = "https://sigstore.dev/cosign/sign/v1"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
TIMESTAMPS = "1.3.6.1.4.1.11129.2.4.2"  # the extension with what certificate logs promise (RFC 6962, 3.3)
OIDC_ISSUER = "1.3.6.1.4.1.57264.1.8"
OLD_OIDC_ISSUER = "1.3.6.1.4.1.57264.1.1"

MINUTE, HOUR, DAY = 60, 3600, 86400


def sized(content, length_bytes=2):
    """With its length in front, as TLS writes it."""
    return len(content).to_bytes(length_bytes, "big") + content


def rfc3339(unix_seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_seconds))


@dataclass
class Signer:
    """Somebody with a certificate."""

    key: Key
    certificate: bytes

    @property
    def pem(self):
        return pem("CERTIFICATE", self.certificate)


@dataclass
class Classic:
    """A signature as cosign has always kept it: a payload with annotations."""

    payload: bytes
    annotations: dict


def uri(text):
    return der.tagged(6, text.encode(), constructed=False)


def email(text):
    return der.tagged(1, text.encode(), constructed=False)


class Instance:
    """other: a second one, of somebody else, with the same names."""

    def __init__(self, folder, has_other=True):
        os.makedirs(folder)
        self.other = Instance(os.path.join(folder, "other"), has_other=False) if has_other else None
        self.folder = folder
        self.signed_at = self.now - HOUR  # so that a leaf is over when it is judged, as it is in real life
        self.start, self.end = self.now - 90 * DAY, self.now + 90 * DAY
        self.stranger = self.new_key("stranger")
        self.root_key, self.authority_key = self.new_key("root"), self.new_key("authority")
        self.root = self._authority("Test root", self.root_key, "Test root", self.root_key)
        self.authority = self._authority("Test authority", self.authority_key, "Test root", self.root_key)
        self.certificate_log = self.new_key("ct")
        self.log = Log(folder, "rekor", 1234567890)
        self.tile_log = TileLog(folder, "tiles")
        self.timestamp_root_key, self.timestamp_key = self.new_key("tsa-root"), self.new_key("tsa")
        self.timestamp_root = self._authority("Test time root", self.timestamp_root_key, "Test time root",
                                              self.timestamp_root_key, TIME_STAMPING)
        self.timestamp_authority = Draft(
            "Test time", self.timestamp_key, "Test time root", self.timestamp_root_key, self.start, self.end,
            usage_extensions(DIGITAL_SIGNATURE, TIME_STAMPING)).signed()

    @property
    def now(self):
        return int(time.time())

    def new_key(self, name):
        return Key(self.folder, name)

    def _authority(self, subject, key, issuer, issuer_key, usage=CODE_SIGNING):
        return Draft(subject, key, issuer, issuer_key, self.start, self.end, authority_extensions(usage)).signed()

    # --- what everybody knows ---

    def _window(self):
        return {"start": rfc3339(self.start), "end": rfc3339(self.end)}

    def _log(self, key, url):
        return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64(key.id)},
                "publicKey": {"rawBytes": b64(key.der), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                              "validFor": self._window()}}

    def _tile_log(self):
        log = self._log(self.tile_log.key, f"https://{self.tile_log.host}")
        log["logId"]["keyId"] = b64(self.tile_log.id)
        log["publicKey"]["keyDetails"] = "PKIX_ED25519"
        return log

    def _authority_entry(self, name, *chain):
        return {"subject": {"organization": "test", "commonName": name}, "uri": f"https://{name}.test",
                "certChain": {"certificates": [{"rawBytes": b64(each)} for each in chain]},
                "validFor": self._window()}

    def trusted_root(self):
        """trusted_root.json, for a test to change."""
        return {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [self._log(self.log.key, f"https://{self.log.host}"), self._tile_log()],
                "ctlogs": [self._log(self.certificate_log, "https://ct.test/2026")],
                "certificateAuthorities": [self._authority_entry("fulcio", self.authority, self.root)],
                "timestampAuthorities": [self._authority_entry("tsa", self.timestamp_authority, self.timestamp_root)]}

    # --- what a signer gets ---

    def signer(self, *, key=None, issuer=ISSUER, subject=uri(SUBJECT), start=None, end=None,
               key_usage=DIGITAL_SIGNATURE, extended_key_usage=CODE_SIGNING, is_authority=False, by=None,
               certificate_log=None, certificate_log_id=None, seen_at=None, is_seen=True, another_is_seen=False):
        """by: another issuing key. certificate_log: who signs that the certificate was seen; its id may be a lie."""
        key = key or self.new_key("leaf")
        start = self.signed_at - MINUTE if start is None else start
        draft = Draft("", key, "Test authority", by or self.authority_key, start,
                      start + 10 * MINUTE if end is None else end,
                      [*usage_extensions(key_usage, extended_key_usage, is_authority),
                       extension("2.5.29.17", der.sequence(subject), critical=True),
                       extension(OLD_OIDC_ISSUER, issuer.encode()), extension(OIDC_ISSUER, der.utf8(issuer))])
        if is_seen:
            log = certificate_log or self.certificate_log
            seen = self._certificate_timestamp(b"another" if another_is_seen else draft.to_be_signed(),
                                               draft.issuer_key, log, certificate_log_id or log.id,
                                               start if seen_at is None else seen_at)
            draft.extensions.append(extension(TIMESTAMPS, der.octets(sized(sized(seen)))))
        return Signer(key, draft.signed())

    @staticmethod
    def _certificate_timestamp(tbs, issuer_key, log, log_id, when):
        head = b"\x00" + log_id + int(when * 1000).to_bytes(8, "big") + b"\x00\x00"
        text = (b"\x00\x00" + int(when * 1000).to_bytes(8, "big") + b"\x00\x01" + sha256(issuer_key.der).digest() +
                sized(tbs, 3) + b"\x00\x00")
        return head + b"\x04\x03" + sized(log.sign(text))

    def timestamp(self, signature, key=None, certificate=None):
        """RFC 3161, of this moment: the openssl command knows no other."""
        return self.answer_timestamp(openssl("ts", "-query", "-sha256", "-cert", "-data", "/dev/stdin",
                                             stdin=signature), key, certificate)

    def answer_timestamp(self, query, key=None, certificate=None):
        place = os.path.join(self.folder, "timestamp")
        with open(place + ".pem", "w") as file:
            file.write(pem("CERTIFICATE", certificate or self.timestamp_authority))
        with open(place + ".query", "wb") as file:
            file.write(query)
        with open(place + ".conf", "w") as file:
            file.write(f"[tsa]\ndefault_tsa = it\n[it]\nserial = {place}.serial\ndigests = sha256, sha384, sha512\n"
                       "default_policy = 1.2.3.4\nsigner_digest = sha256\ness_cert_id_alg = sha256\n")
        return openssl("ts", "-reply", "-config", place + ".conf", "-queryfile", place + ".query",
                       "-signer", place + ".pem", "-inkey", (key or self.timestamp_key).path)

    # --- signatures ---

    def classic(self, digest, *, signer=None, signing_key=None, chain=None, log=None, when=None, **log_options):
        signer = signer or self.signer()
        payload = canonical({"critical": {"identity": {"docker-reference": "shop"},
                                          "image": {"docker-manifest-digest": digest},
                                          "type": "cosign container image signature"}, "optional": None})
        signature = (signing_key or signer.key).sign(payload)
        entry = (log or self.log).add(hashed_record(payload, signature, signer.pem),
                                      self.signed_at if when is None else when, **log_options)
        return Classic(payload, {
            "dev.cosignproject.cosign/signature": b64(signature),
            "dev.sigstore.cosign/certificate": signer.pem,
            "dev.sigstore.cosign/chain": "".join(pem("CERTIFICATE", each)
                                                 for each in chain or (self.authority, self.root)),
            "dev.sigstore.cosign/bundle": json.dumps(entry.annotation())})

    def _envelope(self, digest, key, predicate):
        statement = canonical({"_type": "https://in-toto.io/Statement/v1", "predicateType": predicate, "predicate": {},
                               "subject": [{"name": "shop", "digest": {"sha256": digest.split(":")[1]}}]})
        message = f"DSSEv1 {len(STATEMENT_TYPE)} {STATEMENT_TYPE} {len(statement)} ".encode() + statement
        return {"payload": b64(statement), "payloadType": STATEMENT_TYPE, "signatures": [{"sig": b64(key.sign(message))}]}

    @staticmethod
    def _bundle(signer, entry, envelope):
        return {"mediaType": BUNDLE_TYPE,
                "verificationMaterial": {"certificate": {"rawBytes": b64(signer.certificate)}, "tlogEntries": [entry]},
                "dsseEnvelope": envelope}

    def bundle(self, digest, *, signer=None, signing_key=None, predicate=SIGN_V1, log=None, when=None, logged=None,
               **log_options):
        """logged: the envelope that the log entry is about, where it is another one."""
        signer = signer or self.signer()
        envelope = self._envelope(digest, signing_key or signer.key, predicate)
        entry = (log or self.log).add(envelope_record(logged or envelope, signer.pem),
                                      self.signed_at if when is None else when, **log_options)
        return self._bundle(signer, entry.in_bundle(), envelope)

    def tile_bundle(self, digest, *, log=None, logged=None, record=None, **log_options):
        """Logged by Rekor v2, of now, and without the timestamp that such a bundle needs. record: another body."""
        signer = self.signer(start=self.now - MINUTE)
        envelope = self._envelope(digest, signer.key, SIGN_V1)
        body = record(envelope, signer) if record else tile_record(logged or envelope, signer.certificate)
        return self._bundle(signer, (log or self.tile_log).add(body, **log_options), envelope)
