"""The Merkle tree of a transparency log (RFC 9162, 2.1)."""

from hashlib import sha256


def leaf_hash(body):
    return sha256(b"\x00" + body).digest()


def node_hash(left, right):
    return sha256(b"\x01" + left + right).digest()


def split(count):
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    middle = split(len(leaves))
    return node_hash(root(leaves[:middle]), root(leaves[middle:]))


def path(leaves, index):
    """The hashes that lead from a leaf to the root, lowest first."""
    if len(leaves) == 1:
        return []
    middle = split(len(leaves))
    if index < middle:
        return path(leaves[:middle], index) + [root(leaves[middle:])]
    return path(leaves[middle:], index - middle) + [root(leaves[:middle])]
