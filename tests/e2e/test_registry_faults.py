"""A registry that fails, lies and sends away (reliability 3.3): a scripted proxy in front of a real one."""

import os
import time
import unittest

from fault_proxy import (FaultProxy, after, always, changed, cut, flipped, garbage, redirect, sent_on, shortened,
                         stalled, status, trickled)
from harness import EndToEnd, bed, compose, containers, idle_service, preload, run, until

BLOBS, MANIFESTS = r"/blobs/", r"/manifests/"


class RegistryFaults(EndToEnd):
    def setUp(self):
        super().setUp()
        self.proxy = FaultProxy(bed()["REGISTRY"])
        self.addCleanup(self.proxy.close)
        self.windlass.start()
        self.name = self.stack("registry-fault")
        self.plain = self.ref(self.name)
        self.reference = self.ref(self.name, registry=self.proxy.address)
        self.version = 0

    def release(self, padding=0):
        """A new version in the registry; its digest."""
        self.version += 1
        files = {".doco-cd.yaml": f"name: {self.name}\n",
                 "compose.yaml": compose({"app": idle_service(environment={"VERSION": self.version})})}
        if padding:
            files["padding"] = os.urandom(padding)
        return self.push(self.plain, files)

    def deploys(self, digest):
        self.succeeds(self.windlass.deploy(self.reference, digest))
        self.assertIn(f"VERSION={self.version}", containers(self.name)["app"]["Config"]["Env"])

    def fails_and_leaves_alone(self, digest, *texts):
        before = containers(self.name)["app"]["Id"]
        record = self.fails(self.windlass.deploy(self.reference, digest), *texts)
        self.assertEqual(containers(self.name)["app"]["Id"], before)
        partial = os.path.join(self.windlass.data, ".windlass/oci/blobs/partial")
        self.assertEqual(os.listdir(partial), [])
        return record

    def test_f41_statuses_that_pass(self):
        self.proxy.on("HEAD", MANIFESTS, status(503), status(500))
        self.proxy.on("GET", MANIFESTS, status(502), status(504))
        self.proxy.on("GET", BLOBS, status(429, Retry_After="nonsense"), status(408))
        self.deploys(self.release())
        for method, path in (("HEAD", MANIFESTS), ("GET", MANIFESTS), ("GET", BLOBS)):
            for headers in self.proxy.requests(method, path):
                self.assertRegex(headers["User-Agent"], r"^windlass/\d")  # oci 3.4

    def test_f41_a_retry_after_is_waited_for(self):
        digest = self.release()
        self.proxy.on("GET", BLOBS, status(429, Retry_After="2"))
        began = time.monotonic()
        self.deploys(digest)
        self.assertGreaterEqual(time.monotonic() - began, 2)
        digest = self.release()
        soon = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
        self.proxy.on("GET", BLOBS, status(503, Retry_After=soon))
        began = time.monotonic()
        self.deploys(digest)
        self.assertGreaterEqual(time.monotonic() - began, 1.5)

    def test_f41_statuses_that_stay(self):
        self.deploys(self.release())
        digest = self.release()
        self.proxy.reset()
        self.proxy.on("GET", BLOBS, always(status(503)))
        self.fails_and_leaves_alone(digest, self.proxy.address, "503")
        self.assertEqual(len(self.proxy.requests("GET", BLOBS)), 5)
        self.proxy.reset()
        self.proxy.on("GET", BLOBS, always(status(429, Retry_After="86400")))
        self.fails_and_leaves_alone(digest, "429", "to be asked again in 86400 s")
        self.assertEqual(len(self.proxy.requests("GET", BLOBS)), 1)
        self.proxy.reset()
        self.deploys(digest)  # P11: the lane comes back by itself; a webhook asks although the registry said to wait

    def test_f43_refusals_are_not_asked_again(self):
        self.deploys(self.release())
        digest = self.release()
        denied = b'{"errors":[{"code":"DENIED","message":"not for you"}]}'
        for fault, text in ((status(403, denied), "403 DENIED: not for you"), (status(404), "404"),
                            (status(401), "401")):
            with self.subTest(text):
                self.proxy.reset()
                self.proxy.on("GET", BLOBS, always(fault))
                self.fails_and_leaves_alone(digest, text)
                self.assertEqual(len(self.proxy.requests("GET", BLOBS)), 1)

    def test_f44_silence_is_cut(self):
        """Before the head, and in the body of a blob: each costs 30 s, then it goes on."""
        digest = self.release(padding=100_000)
        self.proxy.on("HEAD", MANIFESTS, stalled(None))
        self.proxy.on("GET", BLOBS, stalled(50_000))
        began = time.monotonic()
        answer = self.windlass.send(self.reference, digest)
        self.succeeds(self.windlass.wait_run(answer.job_id, seconds=240))
        self.assertGreater(time.monotonic() - began, 55)
        self.assertEqual(self.proxy.requests("GET", BLOBS)[-1]["Range"], "bytes=50000-")

    def test_f44_a_byte_a_second_is_cut_too(self):
        """It never stalls, so only the time of the whole job ends it; then the lane is free again."""
        self.windlass.terminate()
        self.windlass.start(JOB_TIMEOUT="5s")
        digest = self.release(padding=100_000)
        self.proxy.on("GET", BLOBS, always(trickled(1)))
        began = time.monotonic()
        record = self.windlass.deploy(self.reference, digest)
        self.assertEqual(record["status"], "failed", record)
        self.assertLess(time.monotonic() - began, 10)
        self.proxy.reset()
        self.deploys(digest)

    def test_f45_blobs_that_are_not_what_was_asked_for(self):
        self.deploys(self.release())
        digest = self.release()
        longer = changed(lambda body: body + b"x")
        shorter = changed(lambda body: body[:-1])
        for fault, text in ((changed(flipped), "blob digest mismatch"), (longer, "is larger than"),
                            (shorter, "its descriptor says"), (changed(lambda body: b"x" * len(body)), "mismatch")):
            with self.subTest(text):
                self.proxy.reset()
                self.proxy.on("GET", BLOBS, always(fault))
                self.fails_and_leaves_alone(digest, text)
        self.proxy.reset()
        self.deploys(digest)

    def test_f46_manifests_that_are_not_what_was_asked_for(self):
        self.deploys(self.release())
        digest = self.release()
        self.proxy.on("GET", MANIFESTS, always(changed(lambda body: body + b" ")))
        self.fails_and_leaves_alone(digest, "manifest digest mismatch")
        self.proxy.reset()
        lie = "sha256:" + "0" * 64
        self.proxy.on("GET", MANIFESTS, always(changed(lambda body: body, Docker_Content_Digest=lie)))
        self.deploys(digest)  # the header is never trusted for content

    def runs(self, version, digest):
        app = containers(self.name)["app"]["Config"]
        self.assertIn(f"VERSION={version}", app["Env"])
        self.assertEqual(app["Labels"]["cd.doco.deployment.target.sha"], digest)

    def test_f47_a_tag_that_moves_once_its_digest_is_settled(self):  # T11
        """A job ends with the digest it began with; what the tag points to then is the next job's."""
        first, moved = self.release(), []
        self.proxy.on("GET", MANIFESTS, after(lambda: moved.append(self.release())))
        self.succeeds(self.windlass.deploy(self.reference, first))
        self.assertEqual(len(moved), 1)
        self.runs(1, first)
        self.deploys(moved[0])
        late = self.windlass.deploy(self.reference, first)  # P6: what was delivered once never comes back
        self.assertEqual((late["status"], late["message"]), ("skipped", f"superseded: main now points to {moved[0]}"))
        self.runs(2, moved[0])

    def test_f47_a_tag_that_moves_away_and_back(self):
        first, between = self.release(), []

        def away_and_back():
            between.append(self.release())
            run("oras", "tag", "--plain-http", f"{self.plain.rsplit(':', 1)[0]}@{first}", "main")
        self.proxy.on("GET", MANIFESTS, after(away_and_back))
        self.succeeds(self.windlass.deploy(self.reference, first))
        self.assertEqual(len(between), 1)
        self.runs(1, first)
        late = self.windlass.deploy(self.reference, between[0])  # webhook/P3, P4: after 15 s of waiting for the tag
        self.assertEqual((late["status"], late["message"]), ("skipped", f"superseded: main now points to {first}"))
        self.runs(1, first)

    def test_f48_amounts_without_an_end(self):
        self.deploys(self.release())
        digest = self.release()
        self.proxy.on("GET", MANIFESTS, always(changed(lambda body: body + b" " * (5 << 20))))
        self.fails_and_leaves_alone(digest, "answer is over 4194304 bytes")

    def test_f51_redirects(self):
        self.deploys(self.release())
        other = FaultProxy(bed()["REGISTRY"])
        self.addCleanup(other.close)
        digest = self.release()
        self.proxy.on("GET", BLOBS, always(sent_on(f"http://{other.address}")))
        self.deploys(digest)
        self.assertEqual(len(other.requests("GET", BLOBS)), 1)
        self.assertNotIn("Authorization", other.requests("GET", BLOBS)[0])

        digest = self.release()
        self.proxy.reset()
        self.proxy.on("GET", BLOBS, always(lambda handler, upstream: redirect(handler.path)(handler, upstream)))
        self.fails_and_leaves_alone(digest, "more than 10 redirects")
        self.assertEqual(len(self.proxy.requests("GET", BLOBS)), 11)
        for location, text in (("http://169.254.169.254/latest", "link-local address refused"),
                               ("file:///etc/passwd", "redirect without a usable location")):
            with self.subTest(location):
                self.proxy.reset()
                self.proxy.on("GET", BLOBS, always(redirect(location)))
                self.fails_and_leaves_alone(digest, text)

    def test_f54_a_blob_that_is_cut_goes_on_where_it_was(self):
        size = 4 << 20
        digest = self.release(padding=size)
        self.proxy.on("GET", BLOBS, *[cut(700_000, reset=number % 2 == 0) for number in range(5)])
        self.deploys(digest)
        ranges = [headers.get("Range", "") for headers in self.proxy.requests("GET", BLOBS)]
        self.assertEqual(len(ranges), 6)
        self.assertEqual(ranges[0], "")
        self.assertTrue(all(each.startswith("bytes=") for each in ranges[1:]), ranges)

        digest = self.release(padding=size)
        self.proxy.reset()
        self.proxy.on("GET", BLOBS, always(cut(100_000)))
        self.fails_and_leaves_alone(digest, "cut 6 times")

    def test_f54_another_range_than_was_asked_for(self):
        """RFC 9110 allows a registry to send less; the download begins anew."""
        digest = self.release(padding=1 << 20)
        self.proxy.on("GET", BLOBS, cut(300_000), shortened(200_000))
        self.deploys(digest)
        ranges = [headers.get("Range", "") for headers in self.proxy.requests("GET", BLOBS)]
        self.assertEqual(ranges, ["", "bytes=300000-", ""])

    def test_f56_answers_that_are_none(self):
        self.deploys(self.release())
        digest = self.release()
        huge = b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n"
        bomb = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"\x1f\x8b" + b"\0" * 18
        lengths = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "
        endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 80
        for data, text in ((b"hello\r\n", "HTTP/0.9"), (huge, "answer headers are over 65536 bytes"),
                           (bomb, "manifest digest mismatch"), (lengths, "manifest digest mismatch"),
                           (endless, "answer is over 4194304 bytes"),
                           (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "Invalid Content-Length")):
            with self.subTest(data[:60]):
                self.proxy.reset()
                self.proxy.on("GET", MANIFESTS, always(garbage(data)))
                self.fails_and_leaves_alone(digest, self.proxy.address, text)

    def test_f56_two_digests_in_one_answer_are_none(self):
        digest, lie = self.release(), ("Docker-Content-Digest", "sha256:" + "0" * 64)
        self.proxy.on("HEAD", MANIFESTS, always(lambda handler, upstream: handler.send_head(
            upstream.status, [lie, *upstream.headers])))
        self.deploys(digest)  # the bytes say what the tag points to
        self.assertTrue(self.proxy.requests("GET", "/manifests/main"))

    def test_f40_other_registries_are_not_held_up(self):
        """One registry accepts and says nothing; a job from another ends meanwhile."""
        silent = FaultProxy(bed()["REGISTRY"])
        self.addCleanup(silent.close)
        silent.on("*", "/v2/", always(stalled(None)))
        digest = self.release()
        stuck = self.windlass.send(self.ref(self.name + "-stuck", registry=silent.address), digest)
        until(lambda: silent.requests("GET", "/v2/"), "the silent registry to be asked")
        self.deploys(digest)
        self.assertEqual(self.windlass.run(stuck.job_id)["status"], "running")

    def test_f40_a_name_server_that_hangs(self):
        """Each of the five attempts ends when a connection should be there; a job from another registry ends meanwhile."""
        self.windlass.terminate()
        self.windlass.start(LD_PRELOAD=preload("hanging_names", self.windlass.folder), HANGING_NAME="slow.invalid")
        digest = self.release()
        began = time.monotonic()
        stuck = self.windlass.send(self.ref(self.name + "-stuck", registry="slow.invalid"), digest)
        self.deploys(digest)
        self.assertEqual(self.windlass.run(stuck.job_id)["status"], "running")
        record = self.windlass.wait_run(stuck.job_id, seconds=120)
        self.fails(record, "https://slow.invalid/v2/", "no connection within 10 s")
        self.assertLess(time.monotonic() - began, 100)


if __name__ == "__main__":
    unittest.main()
