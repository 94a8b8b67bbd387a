"""A root file system with processes of its own: what was started in it ends with it."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

# Mounts are this sandbox's own, too. What is bound is read-only where the root is.
ENTER = """
set -e
root=$1
mount --bind "$root" "$root"
cd "$root"
mkdir -p proc dev tmp run
mount -t proc proc proc
mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
ln -s /proc/self/fd dev/fd
if [ "$2" = read-only ]; then mount -o remount,bind,ro "$root"; fi
# From here, the mounted one.
cd "$root"
exec sleep infinity
"""


# The rest is systemd's to mount. It makes its groups of processes below one of its own.
BOOT = """
set -e
root=$1
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -o bind,ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
ln -s /proc/self/fd dev/fd
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs run run
hostname roundhouse-test
pivot_root . mnt
umount -l /mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null --show-status=0
"""


class Running(subprocess.Popen):
    """A program in a sandbox. Entering its processes takes a fork; signals are for the program itself."""

    def terminate(self):
        for child in pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)


class Sandbox:
    """Its first process only holds the mounts."""

    name = "sleep"

    def __init__(self, root, read_only=False):
        self.root = pathlib.Path(root)
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
             "bash", "-c", ENTER, "enter", str(self.root), "read-only" if read_only else "writable"],
            stderr=subprocess.DEVNULL)
        self.first = self._first()

    def _first(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
            # It has mounted everything when it has become this program.
            if children and pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip() == self.name:
                return int(children[0])
            assert self.holder.poll() is None, "the sandbox ended"
            time.sleep(0.02)
        raise AssertionError("the sandbox did not start within 20 s")

    def command(self, *words, user=None):
        process = f"/proc/{self.first}"
        enter = ["nsenter", f"--target={self.first}", "--mount", "--pid",
                 f"--root={process}/cwd", f"--wd={process}/cwd"]
        if user is not None:
            enter += [f"--setuid={user}", f"--setgid={user}"]
        return [*enter, "--", *map(str, words)]

    def run(self, *words, user=None, **options):
        return subprocess.run(
            self.command(*words, user=user), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=options.pop("timeout", 600), env=ENVIRONMENT, **options)

    def start(self, *words, user=None, log):
        with open(log, "wb") as output:
            return Running(
                self.command(*words, user=user), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=ENVIRONMENT, start_new_session=True)

    def close(self):
        if self.holder.poll() is None:
            os.kill(self.first, signal.SIGKILL)
            self.holder.wait(20)


class Booted(Sandbox):
    """Its first process is systemd, which the root has to have, in a network namespace."""

    name = "systemd"

    def __init__(self, root, namespace):
        self.root = pathlib.Path(root)
        mounted = subprocess.run(
            ["findmnt", "--noheadings", "--first-only", "--types", "cgroup2", "--output", "TARGET"], check=True,
            capture_output=True, text=True).stdout.strip()
        self.group = pathlib.Path(mounted, f"roundhouse-{os.getpid()}")
        self.group.mkdir()
        self.holder = subprocess.Popen(
            ["ip", "netns", "exec", namespace, "bash", "-c",
             'echo $$ >"$1/cgroup.procs"; exec unshare --cgroup --mount --pid --fork --kill-child --uts --ipc '
             '--propagation private bash -c "$2" boot "$3"', "boot", self.group, BOOT, self.root],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.first = self._first()

    def command(self, *words, user=None):
        assert user is None
        kinds = ["--mount", "--pid", "--net", "--cgroup", "--uts", "--ipc", "--root", "--wd"]
        return ["nsenter", f"--target={self.first}", *kinds, "--", *map(str, words)]

    def systemctl(self, *words):
        return self.run("systemctl", "--no-pager", *words)

    def property(self, name, unit="roundhouse"):
        return self.systemctl("show", "--property", name, "--value", unit).stdout.strip()

    def close(self):
        super().close()
        # A group goes when the last process in it has been buried.
        deadline = time.monotonic() + 20
        while self.group.exists() and time.monotonic() < deadline:
            for folder, _, _ in os.walk(self.group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            time.sleep(0.05)


ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
