#!/bin/sh
# The first process of the guest: loads what rte_flow of net_tap needs, starts the
# gateway and tells the serial line what happened, line by line, for guest.py.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
export PATH=/bin LD_LIBRARY_PATH=/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu HOME=/
for module in sch_multiq sch_ingress cls_flower act_gact act_skbedit act_mirred tun ipv6; do
    for file in /mods/$module.ko*; do [ -e "$file" ] && insmod "$file"; done
done
mkdir -p /dev/net /run /tmp /var/run/dpdk /var/lib/torii
ip link set lo up

toriid --config /torii.cfg >/log 2>&1 &
i=0
until torii --socket /run/torii.sock status >/dev/null 2>&1 || [ $i -ge 60 ]; do
    sleep 1
    i=$((i + 1))
done
# Nothing but our frames.
echo 1 >/proc/sys/net/ipv6/conf/wire/disable_ipv6
sleep 1
queues() { probe telemetry /var/run/dpdk/guest/dpdk_telemetry.v2 /ethdev/stats,0; }

echo "LOG $(tail -n 5 /log | tr '\n' '~')"
echo "OFFLOAD $(torii --socket /run/torii.sock --json offload)"
while read -r name frame; do
    before=$(queues)
    probe send wire $frame $frame $frame
    sleep 1
    echo "FRAME $name $before $(queues)"
done </frames
# A source that is let in again is let in again.
torii --socket /run/torii.sock offload undrop 198.51.100.0/24
before=$(queues)
probe send wire $(grep '^drop4 ' /frames | cut -d' ' -f2)
sleep 1
echo "FRAME undropped $before $(queues)"
echo "COUNTERS $(torii --socket /run/torii.sock --json counters torii_exit)"
echo "GUEST DONE"
poweroff -f
