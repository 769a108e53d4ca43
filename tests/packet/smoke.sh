#!/bin/bash
# Two hosts in namespaces and the data plane between them on af_packet: ping,
# traceroute and iperf3, IPv4 and IPv6. usage: smoke.sh FORWARDER
set -u
forwarder=$(realpath "$1")
tag=${SMOKE_TAG:-dataplane}
gw=$tag-gw a=$tag-a b=$tag-b
failures=0
log=$(mktemp)

cleanup() {
    [ -n "${pid:-}" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    [ -n "${server:-}" ] && kill "$server" 2>/dev/null
    for ns in $gw $a $b; do ip netns del $ns 2>/dev/null; done
    rm -f "$log"
}
trap cleanup EXIT
for ns in $gw $a $b; do
    ip netns del $ns 2>/dev/null
    ip netns add $ns
    ip -n $ns link set lo up
done

check() {
    local name=$1
    shift
    if "$@" >"$log.out" 2>&1; then
        echo "PASS $name"
    else
        echo "FAIL $name"
        sed 's/^/     /' "$log.out" | tail -15
        failures=$((failures + 1))
    fi
    rm -f "$log.out"
}

for side in a b; do
    ns=$tag-$side
    ip -n $gw link add gw$side type veth peer name eth0 netns $ns
    ip -n $gw link set gw$side up
    ip netns exec $ns ethtool -K eth0 tx off >/dev/null 2>&1
    ip -n $ns link set eth0 up
done
ip -n $a addr add 10.1.0.2/24 dev eth0
ip -n $a addr add 2001:db8:1::2/64 dev eth0 nodad
ip -n $a route add default via 10.1.0.1
ip -n $a route add default via 2001:db8:1::1
ip -n $b addr add 10.2.0.2/24 dev eth0
ip -n $b addr add 2001:db8:2::2/64 dev eth0 nodad
ip -n $b addr add 10.244.7.1/24 dev lo
ip -n $b addr add fd00:10:244:7::1/64 dev lo nodad
ip -n $b route add default via 10.2.0.1
ip -n $b route add default via 2001:db8:2::1

ip netns exec $gw "$forwarder" ${FORWARDER_ARGS:-} \
    port p0 "${DEVICE_A:-gwa}" 10.1.0.1/24 2001:db8:1::1/64 -- \
    port p1 "${DEVICE_B:-gwb}" 10.2.0.1/24 2001:db8:2::1/64 -- \
    route 10.244.7.0/24 10.2.0.2 1 route fd00:10:244:7::/64 2001:db8:2::2 1 >"$log" 2>&1 &
pid=$!
for _ in $(seq 100); do
    grep -q ^ready "$log" && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
done
grep -q ^ready "$log" || { cat "$log"; exit 1; }

in_a() { ip netns exec $a "$@"; }
check "ping the gateway, IPv4" in_a ping -c 3 -i 0.2 -W 2 10.1.0.1
check "ping the gateway, IPv6" in_a ping -c 3 -i 0.2 -W 2 2001:db8:1::1
check "ping through, IPv4" in_a ping -c 3 -i 0.2 -W 2 10.2.0.2
check "ping through, IPv6" in_a ping -c 3 -i 0.2 -W 2 2001:db8:2::2
check "ping the far port of the gateway" in_a ping -c 2 -i 0.2 -W 2 10.2.0.1
check "ping a pod, IPv4" in_a ping -c 3 -i 0.2 -W 2 10.244.7.1
check "ping a pod, IPv6" in_a ping -c 3 -i 0.2 -W 2 fd00:10:244:7::1
check "the gateway pings a pod" ip netns exec $gw ping -c 2 -i 0.2 -W 2 -I 10.2.0.1 10.244.7.1
check "the gateway pings a pod, IPv6" ip netns exec $gw ping -c 2 -i 0.2 -W 2 -I 2001:db8:2::1 fd00:10:244:7::1
check "traceroute shows the gateway" bash -c "ip netns exec $a traceroute -n -q 1 -w 2 10.244.7.1 | grep -q '10\.1\.0\.1 '"
check "traceroute shows the gateway, IPv6" bash -c "ip netns exec $a traceroute -6 -n -q 1 -w 2 fd00:10:244:7::1 | grep -q '2001:db8:1::1 '"
check "unreachable host is told" bash -c "ip netns exec $a ping -c 1 -W 6 10.2.0.77 | grep -qi 'Host Unreachable'"
check "no route is told" bash -c "ip netns exec $a ping -c 1 -W 2 192.0.2.1 | grep -qi 'Net Unreachable'"
# af_packet lets the kernel put fragments together, which then exceed its ring's frames.
[ "${SMOKE_FRAGMENTS:-0}" = 1 ] && check "fragments pass" in_a ping -c 2 -i 0.2 -W 2 -s 4000 10.244.7.1
ip netns exec $b iperf3 -s >/dev/null 2>&1 &
server=$!
sleep 0.5
for target in 10.244.7.1 fd00:10:244:7::1; do
    rate=$(in_a iperf3 -c $target -t "${IPERF_SECONDS:-3}" -J 2>/dev/null |
        grep -A8 '"sum_received"' | grep bits_per_second | tr -dc '0-9.')
    if [ -n "$rate" ]; then
        echo "PASS iperf3 $target: $(echo "$rate" | awk '{printf "%.2f Gbit/s", $1 / 1e9}')"
    else
        echo "FAIL iperf3 $target"
        failures=$((failures + 1))
    fi
done
sleep 0.5
kill -USR1 $pid
sleep 0.5
ledger=$(grep ^ledger "$log" | tail -1)
read -r entered left < <(echo "$ledger" | sed 's/ledger entered=\([0-9]*\) left=\([0-9]*\).*/\1 \2/')
if [ "$entered" = "$left" ] && [ "$entered" -gt 100 ]; then echo "PASS $ledger"; else echo "FAIL $ledger"; failures=$((failures + 1)); fi
[ -n "${SMOKE_VERBOSE:-}" ] && cat "$log"
kill $pid && wait $pid
pid=
leftover=$(ip -n $gw rule | grep -cE '^378[45]:')
[ "$leftover" = 0 ] && ! ip -n $gw link show p0 >/dev/null 2>&1 && echo "PASS nothing is left behind" || { echo "FAIL left behind"; failures=$((failures + 1)); }
exit $((failures > 0))
