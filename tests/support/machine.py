"""Debian machines for a lab: systemd as process 1 in namespaces of its own.

A base root is made once by mmdebstrap and kept; a Machine is a layer above it,
so that what it installs is gone with it. No hypervisor, no image: what the
kernel has is the host's.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from lab import LabError, Namespace, run, wait_for

CACHE = pathlib.Path(os.environ.get("TORII_ROOTS", "/var/cache/torii-tests"))
SOURCES = pathlib.Path("/etc/apt/sources.list.d/debian.sources")
# What a server has before anybody installs torii, and what torii depends on, so
# that its own package installs without a network.
PACKAGES = [
    "systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "iproute2", "python3-minimal",
    "python3-apt", "iputils-ping", "nftables", "keepalived", "driverctl",
    "libboost-json1.81.0", "libconfig++9v5", "libmnl0", "libprometheus-cpp-core1.0", "libsodium23",
    "libspdlog1.10", "libssl3", "libsystemd0", "libzstd1", "zlib1g",
    "librte-meta-bus", "librte-meta-mempool", "librte-meta-net",
]
LEFT_OUT = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"]

BOOT = r"""
set -e
root=$1
mount --make-rprivate /
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t tmpfs tmpfs $root/sys/fs/cgroup
mkdir $root/sys/fs/cgroup/unified $root/sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup $root/sys/fs/cgroup/systemd || true
mount -t tmpfs tmpfs $root/run
mount -t tmpfs tmpfs $root/dev
for device in null zero full random urandom tty; do
    touch $root/dev/$device && mount --bind /dev/$device $root/dev/$device
done
mkdir -p $root/dev/net $root/dev/pts $root/dev/shm
touch $root/dev/net/tun && mount --bind /dev/net/tun $root/dev/net/tun
mount -t devpts devpts $root/dev/pts
ln -s /proc/self/fd $root/dev/fd
export container=torii-lab
exec chroot $root /lib/systemd/systemd --log-target=console
"""


def missing():
    """Why machines cannot be made here; nothing when they can."""
    if os.getuid() != 0:
        return "machines take root"
    if not shutil.which("mmdebstrap"):
        return "mmdebstrap is not installed"
    if "overlay" not in pathlib.Path("/proc/filesystems").read_text():
        return "this kernel has no overlay filesystem"
    if not pathlib.Path("/dev/net/tun").exists():
        return "/dev/net/tun is missing"
    return ""


def debian_sources(directory):
    """This machine's package sources, as far as they are Debian's."""
    if SOURCES.exists():
        return SOURCES
    lines = [line for line in pathlib.Path("/etc/apt/sources.list").read_text().splitlines()
             if line.startswith("deb ") and "bookworm" in line]
    chosen = directory / "debian.list"
    chosen.write_text("\n".join(lines) + "\n")
    return chosen


def base_root():
    """The directory of a fresh Debian 12, made when it is not there."""
    key = hashlib.sha256(repr((PACKAGES, LEFT_OUT)).encode()).hexdigest()[:12]
    root = CACHE / f"bookworm-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        # Somebody may be making it just now.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _make_root(root)
    return root


def _make_root(root):
    began = time.monotonic()
    for old in CACHE.glob("*-*"):
        shutil.rmtree(old, ignore_errors=True)
    making = CACHE / f"making-{os.getpid()}"
    run("mmdebstrap", "--quiet", "--variant=apt", "--mode=root", "--dpkgopt=force-unsafe-io",
        *[f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT],
        f"--include={','.join(PACKAGES)}", "bookworm", making, debian_sources(CACHE), timeout=900)
    # The way to packages is this machine's.
    for file in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copy(file, making / file[1:])
    for file in pathlib.Path("/etc/apt/apt.conf.d").iterdir():
        shutil.copy(file, making / "etc/apt/apt.conf.d" / file.name)
    (making / "etc/machine-id").write_text("")
    making.rename(root)
    print(f"a Debian root was made in {time.monotonic() - began:.0f} s")


class Machine(Namespace):
    """A host of a lab that has booted. It has all that a Namespace has."""

    pid = None  # of its process 1, as the host counts

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.directory = lab.directory / name
        self.root = self.directory / "root"
        for part in ("root", "layer", "work"):
            (self.directory / part).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={base_root()},upperdir={self.directory}/layer,workdir={self.directory}/work",
            self.root)
        (self.root / "etc/hostname").write_text(name + "\n")

    def boot(self, timeout=60):
        script = self.directory / "boot"
        script.write_text(BOOT)
        self.unshare = self.lab.start(
            f"{self.name}-boot",
            ["ip", "netns", "exec", self.id, "unshare", "-m", "-p", "-u", "-i", "-C", "--fork",
             "--kill-child", "bash", script, self.root])

        def first_process():
            children = pathlib.Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children")
            pids = children.read_text().split()
            return pids and "systemd" in pathlib.Path(f"/proc/{pids[0]}/comm").read_text() and int(pids[0])

        self.pid = wait_for(f"{self.name} boots", first_process, timeout)
        wait_for(f"{self.name} is up", lambda: self.run(
            "systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"), timeout)
        return self

    def _inside(self, *command, net=True):
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C", *(["-n"] if net else []), "-r", "-w",
                "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *map(str, command)]

    def run(self, *command, net=True, **options):
        """Inside; with net=False in the host's network, to reach packages."""
        if self.pid is None:
            return super().run(*command, **options)
        return run(*self._inside(*command, net=net), **options)

    def start(self, name, *command, **options):
        if self.pid is None:
            return super().start(name, *command, **options)
        return self.lab.start(f"{self.name}-{name}", self._inside(*command), **options)

    def copy(self, source, target):
        destination = self.root / str(target).lstrip("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, destination)

    def write(self, target, text):
        destination = self.root / str(target).lstrip("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_text(text)

    def install(self, *packages, timeout=180):
        return self.run("apt-get", "install", "-qq", "-y", "--no-install-recommends",
                        "-o", "Dpkg::Options::=--force-unsafe-io", *packages, net=False, timeout=timeout)

    def systemctl(self, *arguments, check=True, **options):
        return self.run("systemctl", "--no-pager", *arguments, check=check, **options)

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False).stdout

    def show(self, unit, what):
        return self.systemctl("show", "-p", what, "--value", unit).stdout.strip()

    def close(self):
        if self.pid is not None:
            # Process 1 takes all others along.
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            try:
                self.unshare.wait(10)
            except subprocess.TimeoutExpired:
                self.unshare.kill()
            self.pid = None
        run("umount", "-l", self.root, check=False)


if __name__ == "__main__":
    # Ahead of the tests, while others build.
    if not missing():
        base_root()
