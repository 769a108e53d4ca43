#!/usr/bin/python3
"""rte_flow for real, without a NIC: a guest with Debian's own kernel, whose traffic control
net_tap's rte_flow is made of, runs the gateway. Says of each kind of frame which queue it
came by, or that no worker saw it, and compares that with what the rules say.

  guest.py [--keep DIRECTORY]      takes a minute or two; needs qemu-system-x86, busybox-static
                                   and cpio, and fetches the kernel's package
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from lab import ROOT, run  # noqa: E402
from routers import build_directory  # noqa: E402
from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, ICMPv6ND_NS, IPv6, Raw  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MODULES = ("net/sched/sch_multiq", "net/sched/sch_ingress", "net/sched/cls_flower", "net/sched/act_gact",
           "net/sched/act_skbedit", "net/sched/act_mirred", "drivers/net/tun")
APPLETS = ("sh", "mount", "ip", "insmod", "sleep", "cat", "grep", "echo", "mkdir", "ls", "poweroff", "cut", "tr", "tail")
MAC = "02:00:00:00:00:aa"
CONFIG = f"""
dataplane = {{ file_prefix = "guest"; memory = 192; mbufs = 8192; ipv4_routes = 4096; ipv6_routes = 4096;
              next_hop_groups = 1024; neighbors = 256; hugepages = "off"; }};
ports = {{ tap = {{ vdev = "net_tap0,iface=wire"; mac = "{MAC}"; addresses = ["10.1.0.1/24", "fd01::1/64"]; }}; }};
routes = ( {{ prefix = "203.0.113.0/24"; discard = true; }} );
drop_sources = [ "198.51.100.0/24", "2001:db8:bad::/48" ];
management = {{ socket = "/run/torii.sock"; http = []; }};
"""
ORDINARY, URGENT, CONTROL = 0, 1, 2


def frames():
    """name -> (frame, the queue it is to come by; None: nobody is to see it)"""
    here, there = Ether(src="02:00:00:00:00:bb", dst=MAC), "10.1.0.2"
    us, us6 = IP(src=there, dst="10.1.0.1"), IPv6(src="fd01::2", dst="fd01::1")
    return {
        "drop4": (here / IP(src="198.51.100.7", dst="203.0.113.1") / UDP(dport=9), None),
        "drop6": (here / IPv6(src="2001:db8:bad::7", dst="fd01::1") / ICMPv6EchoRequest(), None),
        "drop_bgp": (here / IP(src="198.51.100.7", dst="10.1.0.1") / TCP(dport=179), None),
        "transit": (here / IP(src=there, dst="203.0.113.1") / UDP(dport=9), ORDINARY),
        "transit_bgp": (here / IP(src=there, dst="203.0.113.1") / TCP(dport=179), ORDINARY),
        "bgp_open": (here / us / TCP(dport=179, flags="S"), URGENT),
        "bgp_answer": (here / us / TCP(sport=179, dport=40000, flags="A"), URGENT),
        "bgp6": (here / us6 / TCP(dport=179, flags="S"), URGENT),
        "bfd": (here / us / UDP(sport=49152, dport=3784) / Raw(b"x" * 24), URGENT),
        "arp": (Ether(src="02:00:00:00:00:bb", dst="ff:ff:ff:ff:ff:ff") / ARP(psrc=there, pdst="10.1.0.1"), URGENT),
        "nd": (Ether(src="02:00:00:00:00:bb", dst="33:33:ff:00:00:01")
               / IPv6(src="fd01::2", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt="fd01::1"), URGENT),
        "icmp": (here / us / ICMP(), CONTROL),
        "icmp6": (here / us6 / ICMPv6EchoRequest(), CONTROL),
        "ssh": (here / us / TCP(dport=22, flags="S"), CONTROL),
    }


def libraries(*files):
    """What they are linked with, by the paths the loader looks for."""
    out = set()
    for file in files:
        out |= set(re.findall(r"(/[^ ]+\.so[^ ]*|/lib64/[^ ]+)", run("ldd", file).stdout))
    return sorted(out)


def make_root(root, kernel):
    modules = next((kernel / "lib/modules").iterdir())
    for directory in ("bin", "proc", "sys", "dev", "mods", "run", "tmp", "var/lib"):
        (root / directory).mkdir(parents=True)
    (root / "var/run").symlink_to("/run")
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    for module in MODULES:
        for file in (modules / "kernel").glob(module + ".ko*"):
            shutil.copy(file, root / "mods" / file.name)
    programs = [build_directory() / name for name in ("toriid", "torii", "tests/offload/probe")]
    for program in programs:
        shutil.copy(program, root / "bin" / program.name)
    drivers = next(pathlib.Path("/usr/lib/x86_64-linux-gnu/dpdk").glob("pmds-*"))
    wanted = [drivers / f"librte_{name}.so" for name in ("net_tap", "mempool_ring", "bus_vdev")]
    (root / str(drivers)[1:]).mkdir(parents=True)
    for library in libraries(*programs, *wanted):
        source = pathlib.Path(library)
        target = root / library[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        if (drivers / source.name).exists():
            # One file for each driver: loaded twice it would register twice.
            real = root / str(drivers / source.name)[1:]
            if not real.exists():
                shutil.copy(drivers / source.name, real)
            if real != target:
                target.symlink_to(drivers / source.name)
        else:
            shutil.copy(source.resolve(), target)
    for driver in wanted:
        name = re.search(r"SONAME +(\S+)", run("objdump", "-p", driver).stdout).group(1)
        real = root / str(drivers / name)[1:]
        if not real.exists():
            shutil.copy(driver.resolve(), real)
    # EAL loads what ends with the whole version: links, for a driver that is there twice
    # would register twice.
    for real in (root / str(drivers)[1:]).glob("*.so.*"):
        real.with_name(real.name + ".0").symlink_to(real.name)
    (root / "torii.cfg").write_text(CONFIG)
    (root / "frames").write_text("".join(f"{name} {bytes(f).hex()}\n" for name, (f, _) in frames().items()))
    shutil.copy(HERE / "guest_init.sh", root / "init")
    (root / "init").chmod(0o755)


def boot(work):
    package = re.search(r"Depends: (\S+)", run("apt-cache", "depends", "linux-image-amd64").stdout).group(1)
    if not list(work.glob(f"{package}_*.deb")):
        run("apt-get", "download", "-qq", package, cwd=work, timeout=300)
    kernel = work / "kernel"
    if not kernel.exists():
        run("dpkg-deb", "-x", next(work.glob(f"{package}_*.deb")), kernel)
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    make_root(root, kernel)
    subprocess.run("find . | cpio -o -H newc --quiet | gzip -1 > ../initrd.gz", shell=True, cwd=root, check=True)
    image = next((kernel / "boot").glob("vmlinuz-*"))
    # Without KVM: it is not to be had everywhere, and this takes a minute as it is.
    done = subprocess.run(
        ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
         "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536", "-kernel", image,
         "-initrd", work / "initrd.gz", "-append", "console=ttyS0 panic=-1 mitigations=off quiet"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=280)
    return done.stdout.replace("\r", "")


def by_queue(before, after):
    """What each receive queue took meanwhile."""
    a, b = (json.loads(text)["/ethdev/stats"]["q_ipackets"] for text in (before, after))
    return [y - x for x, y in zip(a, b)][:3]


def judge(text):
    """Prints what was found; False when something is not as the rules say."""
    if "GUEST DONE" not in text:
        print(text[-4000:])
        return False
    report = json.loads(re.search(r"^OFFLOAD (.*)$", text, re.M).group(1))["ports"][0]
    hardware = [r for r in report["rules"] if r["place"] == "hardware"]
    for rule in report["rules"]:
        if rule not in hardware:
            print(f"not in hardware: {rule['match']}: {rule['reason']}")
    good = len(hardware) == len(report["rules"])
    print(json.dumps({"name": "rte_flow-rules", "hardware": len(hardware), "of": len(report["rules"])}))
    expected = {name: queue for name, (_, queue) in frames().items()} | {"undropped": ORDINARY}
    for name, before, after in re.findall(r"^FRAME (\S+) (\{.*\}) (\{.*\})$", text, re.M):
        queues, queue = by_queue(before, after), expected.pop(name)
        sent = 1 if name == "undropped" else 3
        # The guest's own chatter may add to a queue, never take from one.
        right = queues[queue] >= sent if queue is not None else sum(queues) == 0
        wrong_queue = queue is not None and any(n >= sent for q, n in enumerate(queues) if q != queue)
        good &= right and not wrong_queue
        print(json.dumps({"name": f"rte_flow-{name}", "queues": queues,
                          "wanted": "dropped" if queue is None else queue, "good": right and not wrong_queue}))
    if expected:
        print(f"never sent: {', '.join(expected)}")
    return good and not expected


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.keep or pathlib.Path(scratch)
        work.mkdir(exist_ok=True)
        text = boot(work)
        (work / "serial.log").write_text(text)
        sys.exit(0 if judge(text) else 1)


if __name__ == "__main__":
    main()
