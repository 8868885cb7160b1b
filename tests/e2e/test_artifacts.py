"""Artifacts as the tools of the field make them (oci 4): images from scratch, oras folders, layers, indexes."""

import gzip
import json
import os
import tarfile
import unittest

from harness import (EndToEnd, bed, compose, containers, idle_service, oras_push, push_archive, push_scratch, run,
                     write_tree)
from image_layout import LAYER, Layout, tar_of


class Zeros:
    """A file of zeros without an end."""

    @staticmethod
    def read(count):
        return b"\0" * count


class Artifacts(EndToEnd):
    def setUp(self):
        super().setUp()
        self.windlass.start()
        self.name = self.stack("artifact")
        self.reference = self.ref(self.name)

    def files(self, value="yes"):
        return {".doco-cd.yaml": f"name: {self.name}\n",
                "compose.yaml": compose({"app": idle_service(environment={"FROM_ARTIFACT": value})})}

    def deploys(self, digest, value="yes"):
        self.succeeds(self.windlass.deploy(self.reference, digest))
        self.assertIn(f"FROM_ARTIFACT={value}", containers(self.name)["app"]["Config"]["Env"])

    def live(self):
        return os.path.join(self.windlass.data, bed()["REGISTRY"].replace(":", "_"), "test", self.name)

    def test_image_from_scratch(self):
        write_tree(self.folder, self.files())
        self.deploys(push_scratch(self.folder, self.reference))

    def test_oras_push_of_an_archive(self):
        write_tree(self.folder, self.files())
        self.deploys(push_archive(self.folder, self.reference))

    def test_oras_push_of_a_folder(self):
        # Content lands under the folder's name; hence the config file, pushed beside it, names it as working_dir.
        write_tree(self.folder, {"app/compose.yaml": self.files()["compose.yaml"],
                                 ".doco-cd.yaml": f"name: {self.name}\nworking_dir: app\n"})
        self.deploys(oras_push(self.reference, "app", ".doco-cd.yaml", cwd=self.folder))

    def test_oras_push_of_plain_files(self):
        write_tree(self.folder, {**self.files(), "www/index.html": "hello", "data.bin": b"\x00\xff" * 300})
        digest = oras_push(self.reference, ".doco-cd.yaml", "compose.yaml:application/yaml", "www/index.html:text/html",
                           "data.bin", cwd=self.folder)
        self.deploys(digest)
        for path, content in (("www/index.html", b"hello"), ("data.bin", b"\x00\xff" * 300)):
            with open(os.path.join(self.live(), path), "rb") as file:
                self.assertEqual(file.read(), content)
        self.assertEqual(os.stat(os.path.join(self.live(), "data.bin")).st_mode & 0o777, 0o644)

    def test_oras_folder_whose_content_is_not_what_it_says(self):
        layout = Layout(self.folder)
        data = tar_of({f"app/{path}": text for path, text in self.files().items()})
        lie = "sha256:" + "0" * 64
        layer = layout.blob(gzip.compress(data), LAYER + "+gzip", annotations={
            "org.opencontainers.image.title": "app", "io.deis.oras.content.unpack": "true",
            "io.deis.oras.content.digest": lie})
        digest = layout.push(layout.manifest([layer]), self.reference)
        self.fails(self.windlass.deploy(self.reference, digest), "io.deis.oras.content.digest", lie)
        self.assertFalse(os.path.exists(self.live()))

    def test_flux_artifact(self):
        content = os.path.join(self.windlass.folder, "flux")
        write_tree(content, {"config.json": "{}"})
        with open(os.path.join(content, "content.tgz"), "wb") as file:
            file.write(gzip.compress(tar_of(self.files())))
        self.deploys(oras_push(self.reference, "--config", "config.json:application/vnd.cncf.flux.config.v1+json",
                               "content.tgz:application/vnd.cncf.flux.content.v1.tar+gzip", cwd=content))
        self.assertEqual(sorted(os.listdir(self.live())), [".doco-cd.yaml", "compose.yaml"])

    def test_umoci_image(self):
        write_tree(self.folder, self.files())
        image = os.path.join(self.windlass.folder, "umoci")
        run("umoci", "init", "--layout", image)
        run("umoci", "new", "--image", f"{image}:it")
        for path in self.files():
            run("umoci", "insert", "--rootless", "--image", f"{image}:it", os.path.join(self.folder, path), f"/{path}")
        run("skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{image}:it", f"docker://{self.reference}")
        self.deploys(self.digest_of(self.reference))

    def test_skopeo_copy_in_the_format_of_docker(self):
        write_tree(self.folder, self.files())
        original = self.ref(self.name, "original")
        push_scratch(self.folder, original)
        run("skopeo", "copy", "-q", "--format", "v2s2", "--src-tls-verify=false", "--dest-tls-verify=false",
            f"docker://{original}", f"docker://{self.reference}")
        self.assertIn("vnd.docker.distribution.manifest.v2+json", self.manifest_of(self.reference))
        self.deploys(self.digest_of(self.reference))

    def test_skopeo_copy_that_is_packed_with_zstd(self):
        layout = Layout(self.folder)
        image = layout.manifest([layout.blob(tar_of(self.files()), LAYER)])
        layout.push(image, self.reference, "--dest-compress-format", "zstd")
        self.assertIn("tar+zstd", self.manifest_of(self.reference))
        self.deploys(self.digest_of(self.reference))

    @staticmethod
    def manifest_of(ref):
        return run("oras", "manifest", "fetch", "--plain-http", ref)

    @staticmethod
    def digest_of(ref):
        return json.loads(run("oras", "manifest", "fetch", "--plain-http", "--descriptor", ref))["digest"]

    def test_layers_raw_gzip_and_zstd(self):
        for media_type, pack in ((LAYER, lambda data: data),
                                 (LAYER + "+gzip", gzip.compress),
                                 (LAYER + "+zstd", self.zstd)):
            with self.subTest(media_type):
                layout = Layout(self.folder)
                layer = layout.blob(pack(tar_of(self.files(media_type))), media_type)
                self.deploys(layout.push(layout.manifest([layer]), self.reference), media_type)

    def zstd(self, data):
        path = os.path.join(self.windlass.folder, "plain.tar")
        with open(path, "wb") as file:
            file.write(data)
        run("zstd", "-q", "-f", path)
        with open(path + ".zst", "rb") as file:
            return file.read()

    def test_later_layers_overwrite_and_whiteouts_delete(self):
        layout = Layout(self.folder)
        below = tar_of({**self.files("old"), "gone.txt": "x", "kept.txt": "x", "dir": None, "dir/hidden": "x"})
        above = tar_of({**self.files("new"), ".wh.gone.txt": "", "dir": None, "dir/.wh..wh..opq": "", "dir/fresh": "y"})
        layers = [layout.blob(gzip.compress(layer), LAYER + "+gzip") for layer in (below, above)]
        self.deploys(layout.push(layout.manifest(layers), self.reference), "new")
        self.assertEqual(sorted(os.listdir(self.live())), [".doco-cd.yaml", "compose.yaml", "dir", "kept.txt"])
        self.assertEqual(os.listdir(os.path.join(self.live(), "dir")), ["fresh"])

    def test_an_index_deploys_its_linux_amd64_child(self):
        layout = Layout(self.folder)
        children = []
        for architecture in ("arm64", "amd64"):
            layer = layout.blob(gzip.compress(tar_of(self.files(architecture))), LAYER + "+gzip")
            children.append(layout.manifest([layer], platform={"os": "linux", "architecture": architecture}))
        digest = layout.push(layout.index(children), self.reference)
        self.deploys(digest, "amd64")
        record = self.windlass.api("runs")[1]["content"][0]
        self.assertEqual(record["revision"], f"main ({digest})")  # the index, never its child

    def test_an_index_for_another_machine_deploys_its_only_real_child(self):
        layout = Layout(self.folder)
        layer = layout.blob(gzip.compress(tar_of(self.files("arm"))), LAYER + "+gzip")
        child = layout.manifest([layer], platform={"os": "linux", "architecture": "arm64", "variant": "v8"})
        note = layout.blob(b"{}", "application/vnd.in-toto+json")
        attestation = layout.manifest([note], platform={"os": "unknown", "architecture": "unknown"})
        self.deploys(layout.push(layout.index([child, attestation]), self.reference), "arm")

    def test_an_index_without_a_child_for_this_machine_is_refused(self):
        layout = Layout(self.folder)
        layer = layout.blob(gzip.compress(tar_of(self.files())), LAYER + "+gzip")
        children = [layout.manifest([layer], platform={"os": system, "architecture": "s390x"})
                    for system in ("linux", "windows")]
        self.fails(self.windlass.deploy(self.reference, layout.push(layout.index(children), self.reference)),
                   "no child with platform")

    def test_a_child_of_an_index_is_refused_with_the_reason(self):
        layout = Layout(self.folder)
        layer = layout.blob(gzip.compress(tar_of(self.files())), LAYER + "+gzip")
        child = layout.manifest([layer], platform={"os": "linux", "architecture": "amd64"})
        index = layout.push(layout.index([child]), self.reference)
        record = self.windlass.deploy(self.reference, child["digest"])  # webhook 14, P6
        self.fails(record, child["digest"], index)

    def test_links_out_of_the_artifact_and_paths_out_of_it_are_refused(self):
        for number, entry in enumerate(("../evil", "/evil")):
            with self.subTest(entry):
                layout = Layout(self.folder)
                layer = layout.blob(tar_of({**self.files(), entry: "x"}), LAYER)
                self.fails(self.windlass.deploy(self.reference, layout.push(layout.manifest([layer]), self.reference)),
                           entry)
        self.assertEqual(containers(self.name), {})

    def bomb(self, name, entries):
        """An archive of (name, size) entries, all zeros, as it is streamed through gzip; its reference and digest."""
        path = os.path.join(self.windlass.folder, name)
        with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as stream, \
                tarfile.open(fileobj=stream, mode="w|") as tar:
            for entry_name, size in entries:
                entry = tarfile.TarInfo(entry_name)
                entry.size = size
                tar.addfile(entry, Zeros())
        ref = self.ref(self.name, name.removesuffix(".tar.gz"))
        digest = oras_push(ref, f"{path}:application/vnd.oci.image.layer.v1.tar+gzip", "--disable-path-validation")
        os.remove(path)
        return ref, digest

    def test_bombs_of_full_size_are_refused_and_leave_nothing(self):  # reliability 5, rows 32 and 33
        mib = 1 << 20
        bombs = {
            "one.tar.gz": ([("zeros", 513 * mib)], f"file of {513 * mib} bytes, limit {512 * mib}"),
            "many.tar.gz": (((f"d{number // 50}/{number}", mib) for number in range(1025)),
                            "expands to more than 200 times its size"),
            "names.tar.gz": (((f"{number}", 0) for number in range(200_000)),
                             "exceeds maximum allowed number of entries: 100000"),
        }
        for name, (entries, text) in bombs.items():
            with self.subTest(name):
                ref, digest = self.bomb(name, entries)
                self.fails(self.windlass.deploy(ref, digest), text)
                self.assertEqual(os.listdir(os.path.join(self.windlass.data, ".windlass/oci/staging")), [])
        with open(f"/proc/{self.windlass.process.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        self.assertLess(peak, 128 << 10, "KiB at most")

    def test_the_limits_that_the_operator_sets(self):  # oci 8
        files = {**self.files(), "data": "x" * 1000}
        write_tree(self.folder, files)
        digest = push_archive(self.folder, self.reference)
        for setting, limit, text in (
                ("OCI_MAX_FILE_BYTES", 999, "file of 1000 bytes, limit 999"),
                ("OCI_MAX_EXTRACTED_BYTES", 1000, "artifact exceeds maximum allowed extraction size: 1000 bytes"),
                ("OCI_MAX_EXTRACTED_ENTRIES", 2, "artifact exceeds maximum allowed number of entries: 2")):
            with self.subTest(setting):
                self.windlass.terminate()
                self.windlass.start(**{setting: limit})
                self.fails(self.windlass.deploy(self.reference, digest), text)
                self.assertEqual(os.listdir(os.path.join(self.windlass.data, ".windlass/oci/staging")), [])
                self.assertFalse(os.path.exists(self.live()))
        self.windlass.terminate()
        self.windlass.start(OCI_MAX_FILE_BYTES=1000, OCI_MAX_EXTRACTED_BYTES=sum(map(len, files.values())),
                            OCI_MAX_EXTRACTED_ENTRIES=4)  # with the folder itself
        self.deploys(digest)

    def test_an_older_webhook_never_rolls_back(self):
        write_tree(self.folder, self.files("1"))
        first = push_archive(self.folder, self.reference)
        self.deploys(first, "1")
        write_tree(self.folder, self.files("2"))
        second = push_archive(self.folder, self.reference)
        self.deploys(second, "2")
        record = self.windlass.deploy(self.reference, first)  # webhook 14, P3b
        self.assertEqual(record["status"], "skipped", record)
        self.assertEqual(record["message"], f"superseded: main now points to {second}")
        self.assertIn("FROM_ARTIFACT=2", containers(self.name)["app"]["Config"]["Env"])

    def test_a_second_tag_gets_a_live_directory_of_its_own(self):
        other = self.stack("staging")
        write_tree(self.folder, self.files("prod"))
        self.deploys(push_archive(self.folder, self.reference), "prod")
        write_tree(self.folder, {**self.files("staging"), ".doco-cd.yaml": f"name: {other}\n"})
        ref = self.ref(self.name, "staging")
        record = self.succeeds(self.windlass.deploy(ref, push_archive(self.folder, ref)))  # oci 9
        self.assertTrue(os.path.isdir(self.live() + "@staging"))
        self.assertEqual(record["message"], "job completed successfully, with its files in "
                         + os.path.relpath(self.live() + "@staging", self.windlass.data))
        self.assertIn("FROM_ARTIFACT=prod", containers(self.name)["app"]["Config"]["Env"])
        self.assertIn("FROM_ARTIFACT=staging", containers(other)["app"]["Config"]["Env"])


if __name__ == "__main__":
    unittest.main()
