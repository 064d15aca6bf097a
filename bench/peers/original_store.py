"""The store that stet began with: one lock, a dict of lists, sorted at each call.

Rewritten from its description, after the fix: a reentrant lock around six
methods. Nothing in it is slower than it needs to be for what it does, except what
is the point: every call of list_versions, and so of get_latest_version, sorts.

Run it and it times itself on one thread and prints JSON:

    python3 original_store.py [VERSIONS [SECONDS]]
"""

import json
import platform
import sys
import threading
import time


class Version:
    __slots__ = ("prompt_id", "version", "text")

    def __init__(self, prompt_id, version, text):
        self.prompt_id = prompt_id
        self.version = version
        self.text = text


def precedence(version):
    """The key that puts 1.10.0 after 1.9.0."""
    major, minor, patch = version.version.split(".")
    return int(major), int(minor), int(patch)


class InMemoryStorage:
    def __init__(self):
        self._lock = threading.RLock()
        self._versions = {}

    def save_version(self, version):
        with self._lock:
            versions = self._versions.setdefault(version.prompt_id, [])
            for v in versions:
                if v.version == version.version:
                    raise ValueError(f"{version.prompt_id} has {version.version} already")
            versions.append(version)

    def get_version(self, prompt_id, number):
        with self._lock:
            for v in self._versions.get(prompt_id, ()):
                if v.version == number:
                    return v
            return None

    def list_versions(self, prompt_id):
        with self._lock:
            return sorted(self._versions.get(prompt_id, ()), key=precedence)

    def get_latest_version(self, prompt_id):
        with self._lock:
            versions = self.list_versions(prompt_id)
            return versions[-1] if versions else None

    def delete_version(self, prompt_id, number):
        with self._lock:
            versions = self._versions.get(prompt_id, [])
            for i, v in enumerate(versions):
                if v.version == number:
                    del versions[i]
                    return True
            return False

    def clear_all(self):
        with self._lock:
            self._versions.clear()


def nanoseconds(seconds, operation):
    """What one call takes, from as many as fit into the time."""
    clock = time.perf_counter_ns
    calls, began = 0, clock()
    until = began + int(seconds * 1e9)
    while True:
        operation(calls)
        calls += 1
        now = clock()
        if now >= until:
            return (now - began) / calls


def main():
    versions = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 0.2
    store = InMemoryStorage()
    prompt = "support/triage"

    began = time.perf_counter_ns()
    for i in range(versions):
        store.save_version(Version(prompt, f"1.{i}.0", f"text {i}"))
    save = (time.perf_counter_ns() - began) / versions

    newest = f"1.{versions - 1}.0"
    assert store.get_latest_version(prompt).version == newest
    numbers = [f"1.{i * 7919 % versions}.0" for i in range(versions)]
    json.dump(
        {
            "python": platform.python_version(),
            "versions": versions,
            "latest_ns": nanoseconds(seconds, lambda _: store.get_latest_version(prompt)),
            "get_ns": nanoseconds(seconds / 4, lambda i: store.get_version(prompt, numbers[i % versions])),
            "save_ns": save,
        },
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main()
