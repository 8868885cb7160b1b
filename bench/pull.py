#!/usr/bin/env python3
"""Pull, verify and unpack: windlass against `oras pull`, alternating, from one registry on loopback.

Both get the same artifact, a folder that `oras push` packed, and both unpack it. windlass hashes the whole blob before
it looks into it, and unpacks under its rules for hostile archives. Every run writes into a folder of its own, and
nothing is deleted before the last one: mass deletes distort what ext4 does next, for five minutes, so the folders are on
an ext4 of their own. The host of a virtual machine takes memory back that is free for two seconds and gives it again
page by page, at two seconds for a gigabyte: what the page cache will take is in use until each run begins.
"""

import argparse
import contextlib
import mmap
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
from harness import BED_DIR, bed, child_environment, run  # noqa: E402

DRIVER = os.environ.get("WINDLASS_PULL_BENCH", os.path.join(HERE, "..", "build", "release", "pull_bench"))
WORDS = [bytes(random.Random(1).choices(b"abcdefghijklmnopqrstuvwxyz_", k=random.Random(i).randint(3, 12)))
         for i in range(4000)]


def make_tree(folder, files, total_bytes, dice):
    """Text of words, which gzip makes about a third of; 50 files in a folder."""
    each = total_bytes // files
    for number in range(files):
        place = os.path.join(folder, f"d{number // 50:03}")
        os.makedirs(place, exist_ok=True)
        text = b" ".join(dice.choices(WORDS, k=each // 8 + 1))
        with open(os.path.join(place, f"file{number:05}.txt"), "wb") as file:
            file.write(text[:each].ljust(each, b"."))


# A small parent: what a process had before it became the program counts as its own, and this one holds a dictionary.
HELPER = """
import os, sys, time
began = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print(time.perf_counter() - began, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(command, cwd):
    """Seconds of one run, the most memory it had in MiB, seconds of CPU."""
    done = subprocess.run([sys.executable, "-ISc", HELPER, *command], cwd=cwd, env=child_environment(), text=True,
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}")
    return tuple(float(number) for number in done.stdout.split()[-3:])


@contextlib.contextmanager
def own_disk(megabytes):
    """An ext4 that has seen no deletes, in a file of the bed; the bed's own folder for whoever may not mount."""
    with tempfile.TemporaryDirectory(prefix="pull-", dir=BED_DIR) as place:
        if os.geteuid() != 0:
            print("not root: on a disk that others use")
            yield place
            return
        image, mounted = os.path.join(place, "disk"), os.path.join(place, "mounted")
        os.mkdir(mounted)
        with open(image, "wb") as file:
            file.truncate(megabytes * 1_000_000)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        run("mount", "-o", "loop", image, mounted)
        try:
            yield mounted
        finally:
            run("umount", "--lazy", mounted)


def use_memory(megabytes):
    """Leaves so much free memory behind that the host has just given."""
    with mmap.mmap(-1, megabytes << 20) as memory:
        for page in range(0, megabytes << 20, mmap.PAGESIZE):
            memory[page] = 1


def compare(files, megabytes, rounds, place):
    ref = f"{bed()['REGISTRY']}/bench/pull-{files}:1"
    source = os.path.join(place, f"source-{files}")
    make_tree(os.path.join(source, "data"), files, megabytes * 1_000_000, random.Random(files))
    run("sh", "-c", f"cd {source} && oras push --plain-http {ref} data")
    results = {"windlass": [], "oras": []}
    for number in range(rounds + 1):  # the first one warms the registry's files and is not counted
        for side in results:
            folder = os.path.join(place, f"{side}-{files}-{number}")
            os.makedirs(folder)
            command = ([DRIVER, ref, folder] if side == "windlass" else
                       ["oras", "pull", "--plain-http", "-o", folder, ref])
            os.sync()
            use_memory(megabytes * 2)
            result = measure(command, place)
            if number:
                results[side].append(result)
    print(f"{files} files, {megabytes} MB, {rounds} rounds")
    medians = {}
    for side, rows in results.items():
        seconds, rss, cpu = (statistics.median(column) for column in zip(*rows))
        medians[side] = seconds
        print(f"  {side:8}  {seconds * 1000:8.0f} ms   {cpu * 1000:8.0f} ms CPU   "
              f"{max(row[1] for row in rows):6.1f} MiB at most")
    print(f"  windlass is {medians['oras'] / medians['windlass']:.2f}x as fast")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["small", "large"])
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    sizes = [(2_000, 20, options.rounds * 2), (20_000, 500, options.rounds)]
    sizes = sizes[options.only == "large":1 if options.only == "small" else 2]
    # Of each round both sides keep what they fetched, a third, and what they unpacked.
    megabytes = sum((rounds + 2) * size * 3 for _, size, rounds in sizes)
    with own_disk(megabytes + 2_000) as place:
        for files, size, rounds in sizes:
            compare(files, size, rounds, place)


if __name__ == "__main__":
    main()
