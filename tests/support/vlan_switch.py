"""A switch in user space, for hosts whose kernel knows no VLANs: one trunk with tags
(IEEE 802.1Q), access ports without. Knows nothing of torii.

usage: vlan_switch.py TRUNK VLAN=PORT...

A frame from an access port leaves by the trunk with its VLAN's tag; one from the trunk
leaves by the port of its tag, or nowhere."""

import select
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
TP_STATUS_VLAN_VALID = 16
ETH_P_ALL, TPID = 3, 0x8100


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    port.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    port.bind((name, 0))
    return port


def receive(port):
    """The frame and its tag, if it has one; nothing for a frame of our own side."""
    data, ancillary, _, address = port.recvmsg(65536, socket.CMSG_SPACE(20))
    if address[2] == PACKET_OUTGOING:
        return None, None
    # The kernel takes the tag out of the frame and tells it beside.
    for level, kind, value in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", value)
            if status & TP_STATUS_VLAN_VALID:
                return data, tci & 0xFFF
    if data[12:14] == b"\x81\x00":
        return data[:12] + data[16:], struct.unpack("!H", data[14:16])[0] & 0xFFF
    return data, None


def main():
    trunk = open_port(sys.argv[1])
    ports = {int(vlan): open_port(name) for vlan, name in (word.split("=") for word in sys.argv[2:])}
    vlans = {port: vlan for vlan, port in ports.items()}
    print("ready", flush=True)
    while True:
        for port in select.select([trunk, *vlans], [], [])[0]:
            frame, tag = receive(port)
            if frame is None:
                continue
            try:
                if port is trunk:
                    if tag in ports:
                        ports[tag].send(frame)
                elif tag is None:
                    trunk.send(frame[:12] + struct.pack("!HH", TPID, vlans[port]) + frame[12:])
            except OSError as error:
                print(f"lost {len(frame)} octets: {error}", flush=True)


main()
