#!/usr/bin/python3
# Copyright the torii maintainers. Apache-2.0.
"""Binds NICs to vfio-pci for good, except those that the host needs itself."""

import glob
import os
import re

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: torii_nic
short_description: Give NICs to DPDK
description:
  - Binds NICs to vfio-pci by driverctl, so that the binding outlives a reboot.
  - NICs of NVIDIA (Mellanox) keep their driver.
  - Refuses interfaces that carry a default route or the Ansible connection, also where a bond,
    bridge or VLAN above them does, before anything is changed.
options:
  ports:
    description: NICs, each with C(pci) or C(mac).
    type: list
    elements: dict
    required: true
  protect:
    description: Further interfaces to leave alone.
    type: list
    elements: str
    default: []
  connection:
    description: What the login shell has in SSH_CONNECTION; sudo takes it away.
    type: str
    default: ""
  sysfs:
    description: Where sysfs is mounted.
    type: path
    default: /sys
  driverctl:
    description: The command driverctl.
    type: str
    default: driverctl
author:
  - torii maintainers
"""

NVIDIA = "0x15b3"
WANTED = "vfio-pci"
PCI = r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"


def content(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


class Refusal(Exception):
    pass


class Host:
    def __init__(self, module):
        self.module = module
        self.sysfs = module.params["sysfs"]

    def net(self, interface, *parts):
        return os.path.join(self.sysfs, "class/net", interface, *parts)

    def device(self, pci, *parts):
        return os.path.join(self.sysfs, "bus/pci/devices", pci, *parts)

    def interfaces_of(self, pci):
        """Those of the device, and of the virtio device that it carries."""
        found = glob.glob(self.device(pci, "net", "*")) + glob.glob(self.device(pci, "virtio*", "net", "*"))
        return sorted(os.path.basename(p) for p in found)

    def pci_of(self, interface):
        """The last PCI address on the way to the interface's device; "" for one that has none."""
        way = os.path.realpath(self.net(interface, "device")).split(os.sep)
        return next((part for part in reversed(way) if re.fullmatch(PCI, part)), "")

    def driver_of(self, pci):
        link = self.device(pci, "driver")
        return os.path.basename(os.readlink(link)) if os.path.islink(link) else ""

    def lower(self, interface, seen=None):
        """The interface, and all below it: members of a bond, the NIC of a VLAN."""
        seen = seen if seen is not None else set()
        if interface not in seen:
            seen.add(interface)
            names = [os.path.basename(p)[len("lower_"):] for p in glob.glob(self.net(interface, "lower_*"))]
            names += content(self.net(interface, "bonding/slaves")).split()
            names += [os.path.basename(p) for p in glob.glob(self.net(interface, "brif", "*"))]
            for name in names:
                self.lower(name, seen)
        return seen

    def ip(self, *arguments):
        code, out, err = self.module.run_command(["ip", "-o", *arguments])
        if code != 0:
            raise Refusal(f"ip {' '.join(arguments)}: {err.strip()}; without it nobody knows which NIC to spare")
        return out.splitlines()

    def needed(self):
        """Interfaces the host is reached by, and why each is."""
        out = {}
        for family in ("-4", "-6"):
            for line in self.ip(family, "route", "show", "default"):
                for name in re.findall(r"\bdev (\S+)", line):
                    out.setdefault(name, "carries the default route")
        # The address that ssh came to.
        connection = self.module.params["connection"].split()
        if len(connection) == 4:
            ours = connection[2].split("%")[0]
            for line in self.ip("address", "show"):
                fields = line.split()
                if any(field.split("/")[0] == ours for field in fields[3:4]):
                    out.setdefault(fields[1].split("@")[0], "carries the Ansible connection")
        for name in self.module.params["protect"]:
            out.setdefault(name, "is in nic_protect")
        return out

    def find(self, port):
        if port.get("pci"):
            pci = port["pci"].lower()
            if re.fullmatch(r"[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", pci):
                pci = "0000:" + pci
            if not os.path.isdir(self.device(pci)):
                raise Refusal(f"no PCI device {port['pci']}; `lspci -D | grep -i ethernet` lists those there are")
            return pci
        mac = port["mac"].lower()
        for path in glob.glob(os.path.join(self.sysfs, "class/net/*")):
            name = os.path.basename(path)
            # Bonds and VLANs show their member's MAC, and have no device.
            if content(self.net(name, "address")).lower() == mac and self.pci_of(name):
                return self.pci_of(name)
        kept = self.kept_macs().get(mac)
        if kept:
            return kept
        raise Refusal(f"no NIC has the MAC {port['mac']}; where vfio-pci has it already, name it by pci")

    def memory(self):
        return "/var/lib/torii-nic/macs"

    def kept_macs(self):
        """Who had which MAC before vfio-pci took its name away."""
        pairs = (line.split() for line in content(self.memory()).splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def keep_mac(self, mac, pci):
        known = self.kept_macs()
        if known.get(mac) == pci:
            return
        known[mac] = pci
        os.makedirs(os.path.dirname(self.memory()), exist_ok=True)
        with open(self.memory(), "w", encoding="ascii") as file:
            file.writelines(f"{m} {p}\n" for m, p in sorted(known.items()))

    def overridden(self):
        # A bare host has none yet; a trial run does not install it.
        if self.module.check_mode and not self.module.get_bin_path(self.module.params["driverctl"]):
            return {}
        code, out, _ = self.module.run_command([self.module.params["driverctl"], "list-overrides"])
        return dict(line.split()[:2] for line in out.splitlines() if len(line.split()) >= 2) if code == 0 else {}

    def bind(self, pci):
        command = [self.module.params["driverctl"], "set-override", pci, WANTED]
        code, out, err = self.module.run_command(command)
        if code != 0:
            raise Refusal(f"{' '.join(command)}: {(err or out).strip()}; `torii doctor` says whether vfio-pci and the IOMMU are there")


def plan(host, ports):
    """What is to be done, all of it checked before the first step."""
    needed = host.needed()
    steps = []
    for port in ports:
        pci = host.find(port)
        interfaces = host.interfaces_of(pci)
        for upper, why in needed.items():
            for name in interfaces:
                if name in host.lower(upper):
                    through = "" if name == upper else f" (below {upper})"
                    raise Refusal(f"{pci} is {name}{through}, which {why}: torii would cut the host off. "
                                  "Choose another NIC, or move the management to one.")
        keeps = host.driver_of(pci) if content(host.device(pci, "vendor")) == NVIDIA else ""
        mac = content(host.net(interfaces[0], "address")).lower() if interfaces else ""
        steps.append({"pci": pci, "mac": mac, "interfaces": interfaces, "driver": host.driver_of(pci),
                      "wanted": keeps or WANTED})
    return steps


def main():
    module = AnsibleModule(
        argument_spec={
            "ports": {"type": "list", "elements": "dict", "required": True},
            "protect": {"type": "list", "elements": "str", "default": []},
            "connection": {"type": "str", "default": ""},
            "sysfs": {"type": "path", "default": "/sys"},
            "driverctl": {"type": "str", "default": "driverctl"},
        },
        supports_check_mode=True,
    )
    host = Host(module)
    try:
        steps = plan(host, module.params["ports"])
        overrides = host.overridden() if steps else {}
        due = [s for s in steps if s["wanted"] == WANTED and (s["driver"] != WANTED or overrides.get(s["pci"]) != WANTED)]
        if not module.check_mode:
            for step in due:
                if step["mac"]:
                    host.keep_mac(step["mac"], step["pci"])
                host.bind(step["pci"])
                step["driver"] = WANTED
    except Refusal as refusal:
        module.fail_json(msg=f"nic: {refusal}")
    lines = {s["pci"]: f"{s['driver'] or 'no driver'} -> {WANTED}" for s in due} if module.check_mode else {}
    module.exit_json(changed=bool(due), ports=steps, diff={"before": "", "after": "".join(f"{p}: {t}\n" for p, t in lines.items())})


if __name__ == "__main__":
    main()
