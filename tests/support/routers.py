"""The routers of a lab: torii itself, and FRR, BIRD, GoBGP, OpenBGPD and ExaBGP as its peers.

Each runs with a configuration, sockets and pid files of its own; none touches
what a package installed.
"""

import json
import os
import pathlib
import pwd
import textwrap

from lab import ROOT, Api, LabError, wait_for


def build_directory():
    return ROOT / os.environ.get("TORII_BUILD", "build")


class Torii:
    """toriid in a namespace."""

    def __init__(self, host, config, name="torii", env=None):
        self.host, self.lab, self.name = host, host.lab, name
        self.socket = self.lab.directory / f"{name}.sock"
        self.config_file = self.lab.directory / f"{name}.cfg"
        self.api = Api(self.socket)
        self.env = env
        self.write(config)
        self.process = None

    def write(self, config):
        self.config_file.write_text(textwrap.dedent(config).replace("@SOCKET@", str(self.socket)))

    def start(self, timeout=60):
        self.process = self.host.start(self.name, build_directory() / "toriid",
                                       "--config", self.config_file, env=self.env)

        def settled():
            return self.process.poll() is not None or self.api.request("GET", "/healthz")[0] == 200

        wait_for("toriid answers", settled, timeout)
        if self.process.poll() is not None:
            raise LabError(f"toriid ended with {self.process.returncode}:\n{self.log()}")
        return self

    def stop(self):
        return self.lab.stop(self.process)

    def log(self):
        return self.process.log_file.read_text(errors="replace")

    def cli(self, *arguments, check=True):
        return self.host.run(build_directory() / "torii", "--socket", self.socket, *arguments, check=check)


class Frr:
    """bgpd of FRR; with zebra=True what it learns goes into the namespace's kernel, with
    the text of bfd (which needs zebra) bfdd runs beside it. With an address of its own it
    leaves the host's others to others."""

    def __init__(self, host, config, name="frr", zebra=False, bfd="", address=None):
        self.host, self.lab, self.address = host, host.lab, address
        self.name, self.zebra, self.bfd = name, zebra, bfd
        self.directory = self.lab.directory / f"{host.name}-{name}"
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o777)
        for daemon, text in (("bgpd", config), ("bfdd", bfd)):
            (self.directory / f"{daemon}.conf").write_text(
                "log stdout\n" + textwrap.dedent(text).strip() + "\n")
        (self.directory / "zebra.conf").write_text("log stdout\n")

    def _daemon(self, daemon, *arguments):
        return self.host.start(
            f"{self.name}-{daemon}", f"/usr/lib/frr/{daemon}", "-f", self.directory / f"{daemon}.conf",
            "-i", self.directory / f"{daemon}.pid", "--vty_socket", self.directory,
            "-P", "0", "-z", self.directory / "zserv.api", *arguments)

    def start(self):
        if self.zebra:
            self._daemon("zebra")
            wait_for("zebra listens", lambda: (self.directory / "zserv.api").exists(), 10)
        if self.bfd:
            self._daemon("bfdd", "--bfdctl", self.directory / "bfdd.sock")
            wait_for("bfdd listens", lambda: (self.directory / "bfdd.vty").exists(), 10)
        self.process = self._daemon("bgpd", *([] if self.zebra else ["-n", "-Z"]),
                                    *(["-l", self.address] if self.address else []))
        return self

    def vty(self, *commands, daemon="bgpd"):
        arguments = [a for c in commands for a in ("-c", c)]
        return self.host.run("vtysh", "--vty_socket", self.directory, "-d", daemon, *arguments).stdout

    def json(self, command):
        return json.loads(self.vty(command + " json") or "{}")

    def stop(self, **how):
        return self.lab.stop(self.process, **how)


class Bird:
    def __init__(self, host, config, name="bird"):
        self.host, self.lab, self.name = host, host.lab, name
        self.file = self.lab.directory / f"{host.name}-{name}.conf"
        self.socket = self.lab.directory / f"{host.name}-{name}.ctl"
        self.file.write_text(textwrap.dedent(config))

    def start(self):
        self.process = self.host.start(self.name, "/usr/sbin/bird", "-f", "-c", self.file,
                                       "-s", self.socket, "-P", str(self.socket) + ".pid")
        return self

    def ctl(self, *command):
        return self.host.run("birdc", "-s", self.socket, *command).stdout

    def stop(self, **how):
        return self.lab.stop(self.process, **how)


class GoBgp:
    def __init__(self, host, config, name="gobgp", port=50051):
        self.host, self.lab, self.name, self.port = host, host.lab, name, port
        self.file = self.lab.directory / f"{host.name}-{name}.toml"
        self.file.write_text(textwrap.dedent(config))

    def start(self, *more):
        self.process = self.host.start(self.name, "/usr/bin/gobgpd", "-f", self.file, "--log-plain", *more,
                                       "--api-hosts", f"127.0.0.1:{self.port}", "--pprof-disable")
        wait_for("gobgpd answers", lambda: self.host.run(
            "gobgp", "-p", str(self.port), "global", check=False).returncode == 0)
        return self

    def ctl(self, *command):
        return self.host.run("gobgp", "-p", str(self.port), *command).stdout

    def announce(self, prefix, family="ipv4", **attributes):
        extra = [word for pair in attributes.items() for word in (pair[0].replace("_", "-"), str(pair[1]))]
        self.ctl("global", "rib", "-a", family, "add", prefix, *extra)

    def withdraw(self, prefix, family="ipv4"):
        self.ctl("global", "rib", "-a", family, "del", prefix)

    def stop(self, **how):
        return self.lab.stop(self.process, **how)


def make_openbgpd_home():
    """Its processes lock themselves up in the home of their user."""
    pathlib.Path(pwd.getpwnam("_openbgpd").pw_dir).mkdir(parents=True, exist_ok=True)


class OpenBgpd:
    def __init__(self, host, config, name="openbgpd"):
        self.host, self.lab, self.name = host, host.lab, name
        self.file = self.lab.directory / f"{host.name}-{name}.conf"
        self.socket = self.lab.directory / f"{host.name}-{name}.sock"
        self.file.write_text(f'socket "{self.socket}"\nfib-update no\nlog updates\n'
                             + textwrap.dedent(config))
        self.file.chmod(0o600)

    def start(self):
        make_openbgpd_home()
        self.process = self.host.start(self.name, "/usr/sbin/bgpd", "-d", "-f", self.file)
        return self

    def ctl(self, *command):
        return self.host.run("bgpctl", "-s", self.socket, *command).stdout

    def stop(self, **how):
        return self.lab.stop(self.process, **how)


class ExaBgp:
    """What it hears it writes as JSON, a line a message."""

    def __init__(self, host, neighbor, name="exabgp"):
        self.host, self.lab, self.name = host, host.lab, name
        self.file = self.lab.directory / f"{host.name}-{name}.conf"
        self.heard_file = self.lab.directory / f"{host.name}-{name}.heard"
        self.heard_file.touch()
        self.heard_file.chmod(0o666)
        listener = self.lab.directory / f"{host.name}-{name}.sh"
        listener.write_text(f"#!/bin/sh\nexec cat >>{self.heard_file}\n")
        listener.chmod(0o755)
        self.file.write_text(f"process watch {{ run {listener}; encoder json; }}\n"
                             + textwrap.dedent(neighbor))

    def start(self):
        env = dict(os.environ) | {"exabgp.daemon.user": "root", "exabgp.api.cli": "false",
                                  "exabgp.log.all": "true", "exabgp.cache.nexthops": "false"}
        self.process = self.host.start(self.name, "/usr/sbin/exabgp", self.file, env=env)
        return self

    def heard(self):
        return self.heard_file.read_text()

    def stop(self, **how):
        return self.lab.stop(self.process, **how)
