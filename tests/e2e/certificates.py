"""Keys and certificates made in the test, where every field can be turned. The openssl command makes keys and signs."""

import base64
import itertools
import os
import subprocess
from dataclasses import dataclass, field
from hashlib import sha256

import der

CODE_SIGNING, TIME_STAMPING, SERVER_AUTH = "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.1"
DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, CERTIFICATE_SIGNING = (b"\x80", 7), (b"\x20", 5), (b"\x06", 1)
ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))

_serials = itertools.count(1000)


def openssl(*arguments, stdin=b""):
    done = subprocess.run(["openssl", *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout


def pem(label, content):
    text = base64.b64encode(content).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


class Key:
    """A P-256 key pair in a file."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name + ".key")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.path)
        self.der = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")

    @property
    def pem(self):
        return pem("PUBLIC KEY", self.der)

    @property
    def id(self):
        """What logs are known by."""
        return sha256(self.der).digest()

    def sign(self, message):
        return openssl("dgst", "-sha256", "-sign", self.path, stdin=message)


class Ed25519Key(Key):
    def __init__(self, folder, name):
        self.path = os.path.join(folder, name + ".key")
        openssl("genpkey", "-algorithm", "ED25519", "-out", self.path)
        self.der = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")

    @property
    def raw(self):
        return self.der[-32:]

    def sign(self, message):
        with open(self.path + ".message", "wb") as file:  # the command wants to know the size before it reads
            file.write(message)
        return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", file.name)


def name(common_name):
    if not common_name:
        return der.sequence()  # leaves have none
    return der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8(common_name))))


def extension(dotted, content, critical=False):
    return der.sequence(der.oid(dotted), der.boolean(True) if critical else b"", der.octets(content))


def key_identifier(key):
    return sha256(key.der).digest()[:20]


def usage_extensions(key_usage, extended_key_usage, is_authority=False):
    """Usages are None for a certificate that does not say."""
    found = []
    if key_usage:
        found.append(extension("2.5.29.15", der.bits(*key_usage), critical=True))
    if extended_key_usage:
        found.append(extension("2.5.29.37", der.sequence(der.oid(extended_key_usage)),
                               critical=extended_key_usage == TIME_STAMPING))
    if is_authority:
        found.append(extension("2.5.29.19", der.sequence(der.boolean(True)), critical=True))
    return found


def authority_extensions(extended_key_usage):
    return usage_extensions(CERTIFICATE_SIGNING, extended_key_usage, is_authority=True)


@dataclass
class Draft:
    """A certificate before it is signed."""

    subject: str
    key: Key
    issuer: str
    issuer_key: Key
    start: float
    end: float
    extensions: list
    serial: int = field(default_factory=lambda: next(_serials))

    def to_be_signed(self):
        identifiers = [
            extension("2.5.29.14", der.octets(key_identifier(self.key))),
            extension("2.5.29.35", der.sequence(der.tagged(0, key_identifier(self.issuer_key), constructed=False)))]
        return der.sequence(
            der.tagged(0, der.integer(2)), der.integer(self.serial), ECDSA_SHA256, name(self.issuer),
            der.sequence(der.utc_time(self.start), der.utc_time(self.end)), name(self.subject), self.key.der,
            der.tagged(3, der.sequence(*identifiers, *self.extensions)))

    def signed(self, key=None):
        tbs = self.to_be_signed()
        return der.sequence(tbs, ECDSA_SHA256, der.bits((key or self.issuer_key).sign(tbs)))
