"""OCI image layouts made by hand, for what no tool makes."""

import hashlib
import io
import json
import os
import tarfile

from harness import run, write_tree

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def tar_of(files):
    """files: path -> text, None for a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            if text is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            else:
                data = text.encode()
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Layout:
    """A hand-made OCI image layout, pushed with skopeo."""

    def __init__(self, folder):
        self.folder = folder
        write_tree(folder, {"oci-layout": '{"imageLayoutVersion":"1.0.0"}', "blobs/sha256": None})

    def blob(self, data, media_type, **more):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.folder, "blobs/sha256", digest), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}

    def manifest(self, layers, **more):
        config = self.blob({"architecture": "amd64", "os": "linux", "config": {},
                            "rootfs": {"type": "layers", "diff_ids": []}}, CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        return self.blob(manifest, MANIFEST, **more)

    def index(self, manifests):
        return self.blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}, INDEX)

    def push(self, root, ref, *options):
        """As it is; or as the options of skopeo say."""
        self.write_index(root)
        run("skopeo", "copy", "-q", *(options or ("--all", "--preserve-digests")), "--dest-tls-verify=false",
            f"oci:{self.folder}:it", f"docker://{ref}")
        return root["digest"]

    def push_artifact(self, root, ref):
        """What skopeo does not take, because it is no image."""
        self.write_index(root)
        run("oras", "cp", "--from-oci-layout", f"{self.folder}:it", "--to-plain-http", ref)
        return root["digest"]

    def write_index(self, root):
        with open(os.path.join(self.folder, "index.json"), "w") as file:
            json.dump({"schemaVersion": 2, "manifests": [{**root, "annotations": {
                "org.opencontainers.image.ref.name": "it"}}]}, file)
