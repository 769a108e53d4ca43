"""Every key of the configuration is changed on a running gateway with live sessions, and what
was felt is compared with what `config diff` had said."""

import copy
import re
import time

import pytest
from lab import ROOT, wait_for
from routers import Bird, Frr, Torii

NONE, REFRESH, NEXT, RESET, RESTART = "none", "refresh", "next session", "reset", "restart"


def libconfig(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[ " + ", ".join(map(libconfig, value)) + " ]"
    if isinstance(value, tuple):
        return "( " + ", ".join(map(libconfig, value)) + " )"
    return "{ " + " ".join(f"{key} = {libconfig(v)};" for key, v in value.items()) + " }"


def text_of(config):
    return "".join(f"{key} = {libconfig(value)};\n" for key, value in config.items())


def base(lab, socket):
    return {
        "router": {"hostname": "gate"},
        "dataplane": {"file_prefix": f"{lab.prefix}-keys",
                      "eal_arguments": ["--log-level=pmd.net.af_packet:5"]},
        "ports": {
            "left": {"vdev": "net_af_packet0,iface=gwl", "addresses": ["10.0.0.1/24"]},
            "right": {"vdev": "net_af_packet1,iface=gwr", "addresses": ["10.2.0.1/24"]},
            "sub": {"parent": "right", "vlan": 7, "addresses": ["10.7.0.1/24"]},
        },
        "routes": ({"prefix": "203.0.113.0/24", "via": ["10.2.0.2"]},
                   {"prefix": "203.0.114.0/24", "discard": True}),
        "neighbors": ({"port": "right", "address": "10.2.0.9", "mac": "02:00:00:00:00:09"},),
        "liveness": {"interval": 1000},
        "prefix_lists": {"pods": ["10.244.0.0/16 ge 24 le 24"], "more": {"rules": ["10.9.0.0/16"]}},
        "as_path_lists": {"paths": {"rules": ["neighbor 64999"]}},
        "community_lists": {"colours": {"rules": ["64999:1"]}},
        "policies": {"unused": {"terms": ({"match": {"prefix": ["more"]}, "set": {"med": 7}},)}},
        "bgp": {
            "asn": 64512, "router_id": "10.0.0.1",
            "guard": {"mode": "off"}, "mrt": {"directory": str(lab.directory)},
            "aggregates": ({"prefix": "10.96.0.0/16"},),
            "defaults": {"connect_retry": 1, "hold_time": 9},
            "groups": {"upper": {"remote_as": "external"}, "nodes": {"remote_as": "external", "passive": True, "import": ["pods"],
                                              "export": ["none"]}},
            "listen": ({"range": "10.0.0.0/24", "group": "nodes"},),
            # On trial: it has a key of each nested block.
            "neighbors": ({"address": "10.0.0.11", "remote_as": 64601, "passive": True, "import": ["pods"],
                           "export": ["any"]},),
        },
        "readiness": {"nodes": True},
        "management": {"socket": str(socket), "http": [],
                       "tokens": ({"name": "one", "hash": HASH},)},
        "log": {"level": "info"},
    }


HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
TRIAL = "bgp.neighbors[]"

#: For each key: its place in the configuration above and another value.
VALUES = {
    "router": {"hostname": "gate2"},
    "dataplane": {
        "workers": 2, "lcores": "0", "memory": 512, "hugepages": "off", "mbufs": 40000,
        "eal_arguments": [], "file_prefix": "other", "ipv4_routes": 100000, "ipv6_routes": 100000,
        "next_hop_groups": 4096, "neighbors": 4096, "poll": "busy", "lookup": "scalar",
        "icmp_errors_per_second": 500, "offload": False, "udp_services": [161], "unbalanced_after": 30,
    },
    "ports.NAME": {
        "pci": "0000:3b:00.0", "vdev": "net_af_packet0,iface=other", "netdev": "other", "parent": "left",
        "vlan": 8, "addresses": ["10.0.0.1/24", "10.0.5.1/24"], "mtu": 1400, "mac": "02:00:00:00:00:aa",
        "queues": 1, "rx_descriptors": 512, "tx_descriptors": 512, "promiscuous": True, "shutdown": True,
        "strict_rpf": True, "description": "text",
    },
    "routes[]": {"prefix": "203.0.115.0/24", "via": ["10.2.0.3"], "discard": True, "unreachable": True,
                 "distance": 9, "description": "text"},
    "neighbors[]": {"port": "left", "address": "10.2.0.8", "mac": "02:00:00:00:00:08"},
    "liveness": {"detect": "probe", "interval": 2000, "multiplier": 5, "on_death": "suppress", "slow_start": 3,
                 "dampen": False},
    "bgp": {
        "asn": 64510, "router_id": "10.0.0.2", "listen_addresses": ["0.0.0.0"], "port": 1790,
        "listen_limit": 100, "maximum_paths_ebgp": 8, "maximum_paths_ibgp": 8, "multipath_relax": False,
        "always_compare_med": True, "missing_med_as_worst": True, "compare_router_id": True,
        "cluster_id": "10.0.0.3", "restart_deferral": 20, "kept_routes": "", "networks": ["198.18.0.0/24"],
        "redistribute": ["static"],
    },
    "bgp.aggregates[]": {"prefix": "10.97.0.0/16", "summary_only": True},
    "bgp.guard": {"mode": "alert", "pods": ["10.244.0.0/16"], "shared": ["10.96.0.0/16"], "lease": 30,
                  "min_length_ipv4": 20, "min_length_ipv6": 56, "prefixes_per_node": 100},
    "bgp.mrt": {"directory": "/tmp", "table_interval": 3600, "updates": False, "updates_interval": 60},
    "bgp.defaults": {
        "description": "text", "remote_as": 64999, "local_as": 64500, "shutdown": True, "passive": False,
        "families": ["ipv4"], "password": "secret", "ttl_security": 1, "multihop": 3,
        "update_source": "10.0.0.1", "port": 1791, "hold_time": 12, "keepalive": 2, "connect_retry": 2,
        "advertisement_interval": 1, "import": ["any"], "export": ["pods"], "import_policy": ["unused"],
        "export_policy": ["unused"], "default_originate": True, "next_hop_self": True,
        "extended_next_hop": False, "mapped_next_hop": False, "route_reflector_client": True,
        "send_community": "none", "add_path": "receive", "allowas_in": 1, "as_override": True,
        "remove_private_as": "all", "enforce_first_as": False, "graceful_restart": "off",
        "restart_time": 60, "stale_time": 60, "stale_while_alive": False, "hold_down": 5,
        "graceful_shutdown": True, "weight": 2,
        "guarded": True, "accept_blackhole": True, "next_hop_unchanged": True, "route_server_client": True,
        "extended_messages": False, "allow_as_set": True, "role": "provider", "strict_role": True,
        "send_hold_time": 60, "long_lived_stale_time": 60, "shutdown_message": "text",
        "minimum_hold_time": 3, "receive_limit": 1000, "receive_octets": 1000000,
    },
    "bgp.defaults.max_prefix": {"limit": 900, "action": "warn", "warn_percent": 50, "restart": 60},
    "bgp.defaults.liveness": {"detect": "probe", "interval": 500, "multiplier": 9, "on_death": "suppress",
                              "slow_start": 3, "dampen": False},
    "bgp.defaults.bfd": {"transmit": 500, "receive": 500, "multiplier": 5, "echo_receive": 0,
                         "minimum_ttl": 200, "passive": True, "shutdown": True,
                         "authentication": "keyed-md5", "key": "secret", "key_id": 2},
    "bgp.groups.NAME": {"inherits": "upper"},
    "bgp.listen[]": {"range": "10.0.0.0/25", "group": "upper", "limit": 9},
    "bgp.neighbors[]": {"address": "10.0.0.99", "group": "nodes"},
    "prefix_lists.NAME": {"rules": ["10.8.0.0/16"]},
    "as_path_lists.NAME": {"rules": ["neighbor 64998"]},
    "community_lists.NAME": {"rules": ["64998:1"]},
    "policies.NAME": {},
    "policies.NAME.terms[]": {"name": "first", "action": "reject"},
    "policies.NAME.terms[].match": {
        "family": "ipv4", "prefix": ["pods"], "as_path": ["paths"], "community": ["colours"],
        "next_hop": ["10.0.0.0/24"], "med": 1, "local_pref": 1, "origin": "igp", "from": "own"},
    "policies.NAME.terms[].set": {
        "local_pref": 1, "med": 8, "origin": "igp", "community": ["64512:1"], "add_community": ["64512:1"],
        "remove_community": ["64512:1"], "prepend": 1, "prepend_as": [64512], "next_hop": "self", "weight": 2},
    "readiness": {"ports": ["left"], "uplinks": ["10.0.0.11"], "nodes": False, "file": ""},
    "management": {"socket": "@OTHER@", "socket_mode": "0600", "http": ["127.0.0.1:18080"],
                   "max_connections": 100},
    "management.tls": {"certificate": "/nowhere.crt", "key": "/nowhere.key", "client_ca": "/nowhere.ca"},
    "management.tokens[]": {"name": "two", "hash": HASH.replace("aGFz", "bGFz"), "role": "admin"},
    "log": {"level": "notice", "format": "json", "stderr": True, "journal": True, "file": "@LOG@"},
    "": {"pools": ["10.244.0.0/16"], "drop_sources": ["198.51.100.0/24"]},
}

#: What another key needs with it, so that the configuration is a good one.
WITH = {
    "bgp.defaults.ttl_security": {}, "bgp.defaults.keepalive": {},
    "bgp.defaults.shutdown_message": {}, "bgp.defaults.strict_role": {"role": "provider"},
    "bgp.defaults.route_reflector_client": {"remote_as": "internal"},
    "bgp.defaults.max_prefix": {"limit": 1000}, "bgp.defaults.bfd.key_id": {"key": "secret"},
    "bgp.defaults.bfd.minimum_ttl": {"multihop": 2},
    "management.tls": {"certificate": "/nowhere.crt", "key": "/nowhere.key"},
}


def documented():
    """(block, key, cost) of every key that is no block, as the reference has them."""
    block = None
    for line in (ROOT / "config" / "reference.md").read_text().splitlines():
        if title := re.fullmatch(r"## `(.*)`", line):
            block = title.group(1)
        elif line == "## The outermost level":
            block = ""
        elif row := re.match(r"\| `(\w+)` \| (.*?) \| .* \| ([\w -]+) \| ", line):
            key, kind, cost = row.groups()
            if not re.match(r"(number or )?block|blocks by name|lists by name|list of blocks", kind):
                yield block, key, NONE if cost == "-" else cost


def blocks_in(config, block):
    """The block of that name, made where it is not there."""
    at = config
    names = {"ports": "sub", "bgp.groups": "nodes", "prefix_lists": "more", "as_path_lists": "paths",
             "community_lists": "colours", "policies": "unused"}
    path = block.replace("bgp.defaults", TRIAL)
    done = ""
    for part in filter(None, path.split(".")):
        if part == "NAME":
            at = at[names[done]]
            continue
        name, item = part.removesuffix("[]"), part.endswith("[]")
        done = f"{done}.{name}".strip(".")
        at = at.setdefault(name, ({},) if item else {})
        if item:
            at = at[0]
    return at


@pytest.fixture
def world(lab):
    gateway, fabric = lab.namespace("gw"), lab.bridge("fabric")
    lab.plug(fabric, gateway, "gwl")
    right = lab.namespace("right")
    lab.link(gateway, "gwr", right, "eth0")
    right.address("eth0", "10.2.0.2/24")
    nodes = []
    for n in (1, 2):
        node = lab.namespace(f"node{n}")
        lab.plug(fabric, node, "eth0")
        node.address("eth0", f"10.0.0.1{n}/24")
        nodes.append(node)
    torii = Torii(gateway, "")
    config = base(lab, torii.socket)
    torii.write(text_of(config))
    torii.start()
    Frr(nodes[0], """
        router bgp 64601
         bgp router-id 10.0.0.11
         no bgp ebgp-requires-policy
         no bgp network import-check
         neighbor 10.0.0.1 remote-as external
         neighbor 10.0.0.1 timers 3 9
         neighbor 10.0.0.1 timers connect 1
         address-family ipv4 unicast
          network 10.244.1.0/24
         exit-address-family
        """).start()
    Bird(nodes[1], """
        router id 10.0.0.12;
        protocol device {}
        protocol static { ipv4; route 10.244.2.0/24 unreachable; }
        protocol bgp gate {
          local as 64602; neighbor 10.0.0.1 external;
          connect delay time 1; connect retry time 1; error wait time 1, 1; hold time 9;
          ipv4 { import all; export where source = RTS_STATIC; };
        }
        """).start()
    yield lab, torii, config
    assert torii.stop() == 0
    assert "Sanitizer" not in torii.log()


def settle(torii):
    wait_for("both nodes are there", lambda: torii.api.established() == ["10.0.0.11", "10.0.0.12"], 40)


def sessions(torii):
    """(times established, updates sent) of both nodes; what is down counts as one more."""
    return {a: (n["times_established"] + (n["state"] != "Established"), n["updates_sent"])
            for a, n in torii.api.neighbors().items()}


def at_rest(torii):
    """The same, when what was sent for an earlier change is over."""
    seen = [sessions(torii)]

    def twice():
        time.sleep(0.2)
        seen.append(sessions(torii))
        return seen[-1] if seen[-1] == seen[-2] else None

    return wait_for("the sessions are at rest", twice, 10)


def test_what_a_change_of_each_key_costs_is_what_was_said(world):
    lab, torii, config = world
    settle(torii)
    good, wrong, missing, tried = text_of(config), [], [], 0

    def commit(text):
        status, answer = torii.api.request("POST", "/api/v1/config/commit", {"text": text})
        return answer if status == 200 else pytest.fail(f"{answer}\n{text}")

    for block, key, cost in documented():
        if key not in VALUES.get(block, {}):
            missing.append(f"{block}.{key}")
            continue
        path = f"{block}.{key}".strip(".")
        changed = copy.deepcopy(config)
        at = blocks_in(changed, block)
        value = VALUES[block][key]
        if value == "@OTHER@":
            continue  # the test asks through it
        if isinstance(value, str):
            value = value.replace("@LOG@", str(lab.directory / "other.log"))
        # The nodes are on the left one: what stops it is felt whatever it costs.
        if block == "ports.NAME" and key not in ("parent", "vlan", "shutdown"):
            at = changed["ports"]["left"]
            if key in ("pci", "netdev"):
                del at["vdev"]
        if block == "routes[]" and key in ("discard", "unreachable"):
            del at["via"]
        for name, more in {**WITH.get(block, {}), **WITH.get(path, {})}.items():
            owner = changed["bgp"]["neighbors"][0] if name in ("multihop", "remote_as") else at
            owner.setdefault(name, more) if name != "remote_as" else owner.update(remote_as=more)
        before_key = text_of(changed)
        at[key] = value
        text = text_of(changed)
        if before_key != good:
            # What it needs with it is no part of the question.
            status, _ = torii.api.request("POST", "/api/v1/config/check", {"text": before_key})
            if status == 200:
                commit(before_key)
                time.sleep(0.3)
                if "remote_as" not in WITH.get(path, {}):
                    settle(torii)
        status, diff = torii.api.request("POST", "/api/v1/config/diff", {"text": text})
        if status != 200:
            wrong.append(f"{path}: {diff}")
            continue
        said = {change["cost"] for change in diff["changes"]}
        before = at_rest(torii)
        answer = commit(text)
        time.sleep(0.25)
        after = sessions(torii)
        fell = {a for a in before if a not in after or after[a][0] > before[a][0]}
        told = {name.removeprefix("neighbor ") for name in answer["sessions_reset"]}
        tried += 1
        if bool(fell) != (RESET in said) and not (block == "bgp.listen[]" or "remote_as" in WITH.get(path, {})):
            wrong.append(f"{path}: said {sorted(said)}, fell {sorted(fell)}")
        if fell - told:
            wrong.append(f"{path}: fell {sorted(fell)}, the commit named {sorted(told)}")
        if bool(answer["waits_for_restart"]) != (RESTART in said):
            wrong.append(f"{path}: said {sorted(said)}, waits: {answer['waits_for_restart']}")
        if said <= {NONE, NEXT, RESTART} and any(after[a][1] != before[a][1] for a in after if a in before):
            wrong.append(f"{path}: said {sorted(said)}, and routes were sent again")
        if cost not in said and not (cost == NONE and said <= {NONE, REFRESH, RESET}):
            wrong.append(f"{path}: the reference says {cost}, the diff {sorted(said)}")
        again = commit(good)
        if again["waits_for_restart"]:
            wrong.append(f"{path}: back again, and {again['waits_for_restart']} waits")
        settle(torii)
    assert not missing, f"keys without a value to try: {missing}"
    assert not wrong, "\n".join(wrong)
    assert tried > 150
