"""Network namespaces with real routers in them, for tests and the demo.

A Lab owns everything it makes (namespaces, processes, a working directory) and
takes all of it away again in close(), also what an earlier run of the same name
left behind after a crash.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class LabError(AssertionError):
    pass


def run(*command, check=True, timeout=60, **options):
    """Runs a command to its end and returns what it did; a failure says all."""
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=timeout, **options
    )
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(what, condition, timeout=30.0, every=0.1):
    """Waits until condition() is true and returns its value; says what was missing."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, LabError, KeyError, ValueError, http.client.HTTPException) as error:
            last = error
        if time.monotonic() > deadline:
            raise LabError(f"not within {timeout:g} s: {what} (last: {last!r})")
        time.sleep(every)


class Namespace:
    """One host of the lab."""

    def __init__(self, lab, name):
        self.lab, self.name, self.id = lab, name, f"{lab.prefix}-{name}"
        run("ip", "netns", "add", self.id)
        self.ip("link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.accept_dad", 0)
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)

    def ip(self, *arguments):
        return run("ip", "-n", self.id, *arguments)

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.id, *command, **options)

    def sysctl(self, key, value):
        self.run("sysctl", "-qw", f"{key}={value}")

    def start(self, name, *command, **options):
        return self.lab.start(f"{self.name}-{name}", ["ip", "netns", "exec", self.id, *command], **options)

    def address(self, interface, *addresses):
        for address in addresses:
            extra = ["nodad"] if ":" in address else []
            self.ip("address", "add", address, "dev", interface, *extra)

    def forward(self):
        self.sysctl("net.ipv4.ip_forward", 1)
        self.sysctl("net.ipv6.conf.all.forwarding", 1)

    def ping(self, target, count=3, interval=0.05, wait=1, size=56, extra=()):
        """How many of `count` echo requests were answered."""
        done = self.run("ping", "-n", "-q", "-c", count, "-i", interval, "-W", wait, "-s", size, *extra,
                        target, check=False, timeout=count * max(interval, wait) + 20)
        for line in done.stdout.splitlines():
            if " received" in line:
                return int(line.split(",")[1].split()[0])
        return 0

    def exists(self):
        return pathlib.Path("/run/netns", self.id).exists()


class Here:
    """The machine itself, for what needs no network of its own."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name

    def run(self, *command, **options):
        return run(*command, **options)

    def start(self, name, *command, **options):
        return self.lab.start(f"{self.name}-{name}", command, **options)


class Lab:
    def __init__(self, prefix="tt"):
        self.prefix = prefix
        self.directory = pathlib.Path("/tmp") / f"torii-lab-{prefix}"
        self.processes = {}
        self.sweep()
        self.directory.mkdir(parents=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self, name):
        return Namespace(self, name)

    def link(self, a, a_name, b, b_name):
        """A veth pair between two hosts, up, without checksum offload: a port that
        reads raw frames needs complete ones."""
        run("ip", "link", "add", a_name, "netns", a.id, "type", "veth",
            "peer", "name", b_name, "netns", b.id)
        for host, name in ((a, a_name), (b, b_name)):
            host.run("ethtool", "-K", name, "tx", "off")
            host.ip("link", "set", name, "up")

    def bridge(self, name):
        """A switch: a namespace with a bridge; plug(host, interface) connects to it."""
        switch = self.namespace(name)
        switch.ip("link", "add", "br0", "type", "bridge")
        switch.ip("link", "set", "br0", "type", "bridge", "mcast_snooping", "0")
        switch.sysctl("net.ipv6.conf.br0.disable_ipv6", 1)
        for key in ("iptables", "ip6tables", "arptables"):
            switch.run("sysctl", "-qw", f"net.bridge.bridge-nf-call-{key}=0", check=False)
        switch.ip("link", "set", "br0", "up")
        switch.count = 0
        return switch

    def plug(self, switch, host, interface):
        switch.count += 1
        port = f"p{switch.count}"
        self.link(host, interface, switch, port)
        switch.ip("link", "set", port, "master", "br0")
        return port

    def start(self, name, command, env=None, cwd=None, pass_fds=()):
        log = open(self.directory / f"{name}.log", "ab")
        process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env={**os.environ, **(env or {})}, cwd=cwd or self.directory,
            pass_fds=pass_fds,
        )
        log.close()
        process.log_file = self.directory / f"{name}.log"
        self.processes[name] = process
        (self.directory / "pids").open("a").write(f"{process.pid} {os.getpid()}\n")
        return process

    def log(self, name):
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def stop(self, process, how=signal.SIGTERM, timeout=10):
        """Ends a process that this lab started; returns its exit code."""
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        return process.returncode

    def close(self):
        for process in reversed(list(self.processes.values())):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 5
        for process in self.processes.values():
            try:
                process.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.sweep()

    def sweep(self):
        """Removes namespaces of our prefix, and only the processes that live in them."""
        listed = run("ip", "netns", "list", check=False).stdout.splitlines()
        for line in listed:
            name = line.split()[0] if line.split() else ""
            if not name.startswith(f"{self.prefix}-"):
                continue
            for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            run("ip", "netns", "delete", name, check=False)
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{self.directory}/"):
                run("umount", "-l", line.split()[1], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Api:
    """The gateway's REST API through its Unix socket."""

    def __init__(self, path):
        self.path = path

    def request(self, method, target, body=None):
        connection = UnixConnection(self.path)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, (json.loads(text) if "json" in kind and text else text)

    def get(self, target):
        status, body = self.request("GET", target)
        if status != 200:
            raise LabError(f"GET {target}: {status} {body}")
        return body

    def neighbors(self):
        return {n["address"]: n for n in self.get("/api/v1/neighbors?limit=1000")["neighbors"]}

    def established(self):
        return sorted(a for a, n in self.neighbors().items() if n["state"] == "Established")

    def route(self, prefix):
        """The rows of exactly this prefix."""
        rows = self.get(f"/api/v1/routes?prefix={prefix}")["routes"]
        return [r for r in rows if r["prefix"] == prefix]

    def installed(self, prefix):
        """The next hops that packets to this prefix take; empty when there are none."""
        return sorted(hop["address"] for row in self.route(prefix) if row["installed"]
                      for hop in row["next_hops"])
