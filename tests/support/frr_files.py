"""Random FRR configurations of a gate, from a grammar of what operators write, and random
routes for its neighbors. One seed gives one file.
"""

import ipaddress
import random

GATE_AS = 65001
SENDERS = 6          # eBGP neighbors with filters on what they announce
COLLECTOR = 9        # iBGP: receives all that was accepted
TAKERS = (31, 32)    # eBGP neighbors with filters on what is announced to them
COMMUNITIES = [(65000, n) for n in range(1, 5)]
LARGE = [(65000, 1, n) for n in range(1, 4)]
ASES = [100, 200, 300]
ORIGINS = ("igp", "egp", "incomplete")


def address(number):
    return f"10.0.0.{number}"


def v6_address(number):
    return f"fd00::{number}"


def v4_prefix(rng, sender, low=8, high=32):
    length = rng.choice([n for n in (8, 16, 20, 23, 24, 24, 25, 32) if low <= n <= high])
    return f"{20 + sender}.{rng.randrange(3)}.{rng.randrange(3)}.{rng.choice((0, 64, 128))}", length


def v6_prefix(rng, sender, low=32, high=128):
    length = rng.choice([n for n in (32, 48, 56, 64, 64, 128) if low <= n <= high])
    return f"2001:db{sender}:{rng.randrange(3)}:{rng.randrange(2):x}00::{rng.randrange(2)}", length


class File:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.text = []
        self.lists = {kind: [] for kind in ("v4", "v6", "access", "path", "community", "large")}
        self.maps = []
        self.senders = [11 + n for n in range(SENDERS)]
        # Nothing that torii has no words for, so that both must do exactly the same.
        self.plain = self.chance(60)

    def some(self, *choices):
        return self.rng.choice(choices)

    def chance(self, percent):
        return self.rng.randrange(100) < percent

    def name(self, kind):
        """A list's name, now and then one that the file lacks."""
        names = self.lists[kind]
        return "MISSING" if not names or self.chance(4) else self.rng.choice(names)

    def rules(self, head, v6):
        for _ in range(self.rng.randrange(1, 5)):
            sender = self.rng.randrange(SENDERS)
            network, length = (v6_prefix if v6 else v4_prefix)(self.rng, sender)
            most = 128 if v6 else 32
            rule = f"{network}/{length}"
            shape = self.rng.randrange(5)
            if shape == 0 and length < most:
                rule += f" le {self.rng.randrange(length, most + 1)}"
            elif shape == 1 and length < most:
                rule += f" ge {self.rng.randrange(length + 1, most + 1)}"
            elif shape == 2 and length < most - 2:
                low = self.rng.randrange(length + 1, most)
                rule += f" ge {low} le {self.rng.randrange(low, most + 1)}"
            elif shape == 3:
                rule = "any"
            elif not v6 and length < 32:
                rule += " le 32"
            seq = f"seq {self.rng.randrange(1, 60)} " if self.chance(50) else ""
            yield f"{head} {seq}{'permit' if self.chance(65) else 'deny'} {rule}"

    def access(self, name):
        for _ in range(self.rng.randrange(1, 4)):
            network, length = v4_prefix(self.rng, self.rng.randrange(SENDERS))
            rule = self.some(f"{network}/{length}", f"{network}/{length} exact-match", "any",
                             f"{network.rsplit('.', 2)[0]}.0.0 0.0.255.255", f"host {network}")
            yield f"access-list {name} {'permit' if self.chance(70) else 'deny'} {rule}"

    def make_lists(self):
        out = []
        for n in range(4):
            # FRR has a namespace for each kind: equal names on purpose.
            name = self.some(f"L{n}", f"L.{n}", f"M{n}")
            self.lists["v4"].append(name)
            out += self.rules(f"ip prefix-list {name}", False)
            six = self.some(name, f"S{n}")
            self.lists["v6"].append(six)
            out += self.rules(f"ipv6 prefix-list {six}", True)
        for n in range(2):
            name = self.some(f"L{n}", f"{10 + n}")
            self.lists["access"].append(name)
            out += self.access(name)
        for n in range(2):
            name = self.some(f"L{n}", f"{n + 1}")
            self.lists["path"].append(name)
            for _ in range(self.rng.randrange(1, 3)):
                regex = self.some("_100_", "^65[0-9]+ 200", "_300$", ".*", "^[0-9]+$", "_(100|200)_", "^$")
                out.append(f"bgp as-path access-list {name} {'permit' if self.chance(70) else 'deny'} {regex}")
        for kind, values, head in (("community", COMMUNITIES, "bgp community-list standard"),
                                   ("large", LARGE, "bgp large-community-list standard")):
            for n in range(2):
                name = f"C{n}"
                self.lists[kind].append(name)
                for _ in range(self.rng.randrange(1, 3)):
                    some = self.rng.sample(values, self.rng.randrange(1, 3))
                    out.append(f"{head} {name} {'permit' if self.chance(75) else 'deny'} "
                               + " ".join(":".join(map(str, c)) for c in some))
        if not self.plain and self.chance(50):
            self.lists["community"].append("EXPANDED")
            out.append("bgp community-list expanded EXPANDED permit 65000:[12]")
        return out

    def match(self):
        choices = [
            lambda: f"match ip address prefix-list {self.name('v4')}",
            lambda: f"match ip address prefix-list {self.name('v4')}",
            lambda: f"match ipv6 address prefix-list {self.name('v6')}",
            lambda: f"match ipv6 address prefix-list {self.name('v6')}",
            lambda: f"match ip address {self.name('access')}",
            lambda: f"match community {self.name('community')}",
            lambda: f"match community {self.name('community')}",
            lambda: f"match large-community {self.name('large')}",
            lambda: f"match as-path {self.name('path')}",
            lambda: f"match metric {self.some(10, 20)}",
            lambda: f"match origin {self.some(*ORIGINS)}",
            lambda: "match local-preference 200",
        ]
        if not self.plain:
            choices += [
                lambda: f"match ip next-hop prefix-list {self.name('v4')}",
                lambda: f"match ip next-hop address {address(self.rng.choice(self.senders))}",
                lambda: self.some("match tag 7", "match community C0 exact-match", "match peer 10.0.0.11",
                                  "match local-preference 100"),
            ]
        return self.rng.choice(choices)()

    def set(self):
        community = " ".join(f"{a}:{b}" for a, b in self.rng.sample(COMMUNITIES, self.rng.randrange(1, 3)))
        return self.some(
            f"set local-preference {self.some(50, 200)}", f"set metric {self.some('10', '30', '+5', '-5')}",
            f"set community {community}", f"set community {community} additive", "set community none",
            f"set large-community 65000:1:{self.rng.randrange(1, 4)}{self.some('', ' additive')}",
            f"set comm-list {self.name('community')} delete", "set as-path prepend 65001 65001",
            f"set origin {self.some(*ORIGINS)}", f"set ip next-hop {address(self.rng.choice(self.senders))}",
            f"set ipv6 next-hop global {v6_address(77)}", "set weight 5",
            *([] if self.plain else ["set as-path exclude 100", "set ip next-hop peer-address"]))

    def make_map(self, name):
        out, jumps = [], self.chance(35)
        seqs = sorted(self.rng.sample(range(1, 60), self.rng.randrange(1, 6)))
        for at, seq in enumerate(seqs):
            permit = self.chance(75)
            out.append(f"route-map {name} {'permit' if permit else 'deny'} {seq}")
            out += [" " + self.match() for _ in range(self.some(0, 1, 1, 1, 2))]
            if permit and self.chance(60):
                out += [" " + self.set() for _ in range(self.rng.randrange(1, 3))]
            if jumps and permit and self.chance(45):
                out.append(" " + self.some("on-match next", "on-match next", f"on-match goto {seq + self.rng.randrange(1, 20)}",
                                           f"continue {seqs[-1]}" if at + 1 < len(seqs) else "on-match next"))
            if permit and self.maps and self.chance(12):
                out.append(f" call {self.rng.choice(self.maps)}")
        self.maps.append(name)
        return out

    def filters(self, who, direction, v6):
        out = []
        if self.chance(80):
            name = "GONE" if self.chance(3) else self.rng.choice(self.maps)
            out.append(f"neighbor {who} route-map {name} {direction}")
        if self.chance(30):
            out.append(f"neighbor {who} prefix-list {self.name('v6' if v6 else 'v4')} {direction}")
        elif not v6 and self.chance(15):
            out.append(f"neighbor {who} distribute-list {self.name('access')} {direction}")
        if self.chance(12):
            out.append(f"neighbor {who} filter-list {self.name('path')} {direction}")
        return out

    def make(self):
        """The file, and the same with `router bgp` at its end."""
        lists = self.make_lists()
        maps = []
        for n in range(6):
            maps.append(self.make_map(self.some(f"M{n}", f"L{n}", f"M.{n}")))
        version, profile = self.some("8.4.4", "8.4.4", "7.3"), self.some("traditional", "traditional", "datacenter")
        bgp = [f"router bgp {GATE_AS}", " bgp router-id 10.0.0.1", " no bgp network import-check",
               " no bgp default ipv4-unicast"]
        if self.chance(30):
            bgp.append(" no bgp ebgp-requires-policy")
        bgp.append(" neighbor GROUP peer-group")
        for n, number in enumerate(self.senders):
            bgp.append(f" neighbor {address(number)} remote-as {65100 + n}")
            if n < 2:
                bgp.append(f" neighbor {address(number)} peer-group GROUP")
        bgp.append(f" neighbor {address(COLLECTOR)} remote-as {GATE_AS}")
        bgp += [f" neighbor {address(n)} remote-as {65200 + n}" for n in TAKERS]
        for v6 in (False, True):
            bgp.append(f" address-family {'ipv6' if v6 else 'ipv4'} unicast")
            lines = ["neighbor GROUP activate"] + self.filters("GROUP", "in", v6)
            # The second member has filters of its own in the place of the group's.
            lines += self.filters(address(self.senders[1]), "in", v6)
            for number in self.senders[2:]:
                if self.chance(85) or not v6:
                    lines.append(f"neighbor {address(number)} activate")
                lines += self.filters(address(number), "in", v6)
            lines.append(f"neighbor {address(COLLECTOR)} activate")
            for number in TAKERS:
                lines.append(f"neighbor {address(number)} activate")
                lines += self.filters(address(number), "out", v6)
            bgp += ["  " + line for line in lines] + [" exit-address-family"]
        parts = [lists, *maps]
        self.rng.shuffle(parts)
        whole = [f"frr version {version}", f"frr defaults {profile}", "!", "interface gate0",
                 " ip address 10.0.0.1/24", " ipv6 address fd00::1/64", "exit", "!"]
        flat = self.chance(20)

        def text(parts):
            lines = whole + [line for part in parts for line in [*part, "!"]]
            return "\n".join(line.strip() if flat else line for line in lines) + "\n"

        # bgpd looks for a route-map that stands behind its neighbors seconds later only, and
        # waits a second before it sends.
        return (text([*parts[:3], bgp, *parts[3:]]),
                text([*parts, [bgp[0], " coalesce-time 0", *bgp[1:]]]))

    def routes(self, n, count):
        """Routes of sender n, each prefix once."""
        out = {}
        while len(out) < count:
            v6 = self.chance(35)
            network, length = (v6_prefix if v6 else v4_prefix)(self.rng, n)
            prefix = str(ipaddress.ip_network(f"{network}/{length}", strict=False))
            if prefix in out and self.chance(90):
                count -= 1
                continue
            hop = self.senders[n] if self.chance(80) else self.rng.choice(self.senders)
            out[prefix] = {
                "prefix": prefix, "next_hop": (v6_address if v6 else address)(hop),
                "as_path": [65100 + n] + [self.rng.choice(ASES) for _ in range(self.rng.randrange(4))],
                "origin": self.some(*ORIGINS), "med": self.some(None, 10, 20, 40),
                "communities": self.rng.sample(COMMUNITIES, self.rng.randrange(4)),
                "large": self.rng.sample(LARGE, self.some(0, 0, 1, 2)),
            }
        return list(out.values())

    def task(self, count):
        speakers = [{"source": address(number), "as": 65100 + n, "id": address(number),
                     "routes": self.routes(n, count)} for n, number in enumerate(self.senders)]
        speakers.append({"source": address(COLLECTOR), "as": GATE_AS, "id": address(COLLECTOR), "routes": []})
        speakers += [{"source": address(n), "as": 65200 + n, "id": address(n), "routes": []} for n in TAKERS]
        return {"gate": address(1), "quiet": 1.2, "speakers": speakers}
