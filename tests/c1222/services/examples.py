"""Worked examples: octets of one service, the value they stand for, and where they come from.

A pair is (octets in hex, value); the value's ``encode`` gives the octets again.
"""

from c1222.message.aptitle import ApTitle
from c1222.services import ErrorResponse, Request, Response, TableData, c1218, identify, network, session, tables

METER = ApTitle(".123.8437")
HOST = ApTitle(".123.4")
ESN = ApTitle("1.3.6.1.4.1.33507.7")

# Octets of real meters, and example 8 of the standard.
ST1_A3R = bytes.fromhex("454520204133522020202020020003062020202020202020") + b"12345678"
ST1_A3R_IPV6 = bytes.fromhex("454520204133522020202020020303062020202020202020") + b"13022906"
ST2_A3R_IPV6 = bytes.fromhex("2020312e3830312e38303030012020202039540099202020203230202020322e35")

REGISTER = network.RegisterRequest(
    node_type=network.NodeType.END_DEVICE,
    connection_type=network.ConnectionType.CONNECTIONLESS,
    device_class=b"ITR1",
    ap_title=ApTitle("."),
    serial_number=ESN,
    native_address=bytes((192, 168, 0, 1, 4, 0x81)),
    period=86400,
    relative_tag=0x0D,
)

KNOWN_REQUESTS: list[tuple[str, Request]] = [
    # example 8 of the standard, captured
    ("51 50415353574F5244 202020202020202020202020 0002", session.SecurityRequest.of("PASSWORD", 2)),
    ("3F 0001 000010 0010", tables.ReadOffsetRequest(1, 16, 16)),
    # IPv4 and IPv6 captures of an A3R meter
    ("30 0001", tables.ReadRequest(1)),
    ("51 3030303030303030303030303030303030303030 0000", session.SecurityRequest(b"0" * 20, 0)),
    # EAX' (2011), vectors 1 and 2: procedure 26 written to ST7
    ("40 0007 0005 1A00000200 E4", tables.WriteRequest(7, TableData(bytes.fromhex("1A00000200")))),
    # icsnpp-c1222's traces
    ("31 0001 0000 0001", tables.ReadIndexRequest(1, (0,), 1)),
    (
        "27 FD EF 01828563 06082B06010401828563 06082B06010401828563 08 66697A7A62757A7A 010203 04 62656566",
        network.RegisterRequest(
            node_type=network.NodeType(0xFD),
            connection_type=network.ConnectionType(0xEF),
            device_class=bytes.fromhex("01828563"),
            ap_title=ApTitle("1.3.6.1.4.1.33507"),
            serial_number=ApTitle("1.3.6.1.4.1.33507"),
            native_address=b"fizzbuzz",
            period=0x010203,
            pattern=b"beef",
        ),
    ),
    # made from the layouts
    ("20", identify.IdentifyRequest()),
    ("21", session.TerminateRequest()),
    ("22", session.DisconnectRequest()),
    ("24 8003 7BC175", network.DeregisterRequest(METER)),
    ("25 8003 7BC175", network.ResolveRequest(METER)),
    ("26 8002 7B04", network.TraceRequest((HOST,))),
    (
        "27 20 10 49545231 0D00 0609 2B0601040182856307 06 C0A800010481 015180",
        REGISTER,
    ),
    ("3E", tables.ReadDefaultRequest()),
    ("41 0005 0000 0003 414243 3A", tables.WriteIndexRequest(5, (0,), TableData(b"ABC"))),
    ("4E", tables.WriteDefaultRequest()),
    ("4F 0005 000000 0003 414243 3A", tables.WriteOffsetRequest(5, 0, TableData(b"ABC"))),
    ("50 0002 55534552202020202020 003C", session.LogonRequest.of(2, "USER", 60)),
    ("50 0002 55534552202020202020", session.LogonRequest.of(2, "USER", None)),
    ("51 3030303030303030303030303030303030303030", session.SecurityRequest(b"0" * 20)),
    ("52", session.LogoffRequest()),
    ("53 09 01 1122334455667788", c1218.AuthenticateRequest(bytes.fromhex("011122334455667788"))),
    ("63 0040 02 060809", c1218.NegotiateRequest(64, 2, b"\x06\x08\x09")),
    ("70 0A", session.WaitRequest(10)),
    ("71 1E 01 04 03", c1218.TimingSetupRequest(30, 1, 4, 3)),
]

KNOWN_RESPONSES: list[tuple[str, Request | None, Response]] = [
    # example 8 of the standard, and the captured meters: the four checksums 92, 21, 2B, 54
    (
        "00 0010 4D414E55464143545552455220534E20 92",
        tables.ReadOffsetRequest(1, 16, 16),
        tables.ReadOffsetResponse(TableData(b"MANUFACTURER SN ", b"\x92")),
    ),
    ("00 0020" + ST1_A3R.hex() + "21", tables.ReadRequest(1), tables.ReadResponse(TableData(ST1_A3R, b"\x21"))),
    (
        "00 0020" + ST1_A3R_IPV6.hex() + "2B",
        tables.ReadRequest(1),
        tables.ReadResponse(TableData(ST1_A3R_IPV6, b"\x2b")),
    ),
    (
        "00 0021" + ST2_A3R_IPV6.hex() + "54",
        tables.ReadRequest(2),
        tables.ReadResponse(TableData(ST2_A3R_IPV6, b"\x54")),
    ),
    ("00", session.SecurityRequest(b"0" * 20, 0), session.SecurityResponse()),
    # identify, accepted by tshark 4.0.17 as a whole message
    (
        (
            "00 03 01 00 04 0609607C86F75401160201 05 80 06 0D0449545231"
            "07 15 01 4D455445522D30303030303030303030303030 31 00"
        ),
        identify.IdentifyRequest(),
        identify.IdentifyResponse(
            3,
            1,
            0,
            (
                identify.SecurityMechanism(ApTitle("2.16.124.113620.1.22.2.1")),
                identify.SessionControl.of(0, sessionless=True),
                identify.DeviceClass.of(b"ITR1"),
                identify.DeviceIdentity.of("METER-00000000000001"),
            ),
        ),
    ),
    # made from the layouts
    ("00", tables.WriteRequest(7, TableData(b"")), tables.WriteResponse()),
    ("00 003C", session.LogonRequest.of(2, "USER"), session.LogonResponse(60)),
    ("00", session.LogonRequest.of(2, "USER", None), session.LogonResponse()),
    ("00 06 C0A800010481", network.ResolveRequest(METER), network.ResolveResponse(bytes.fromhex("C0A800010481"))),
    ("00 8002 7B04 8003 7BC175", network.TraceRequest((HOST,)), network.TraceResponse((HOST, METER))),
    ("00 8003 7BC175", network.DeregisterRequest(METER), network.DeregisterResponse(METER)),
    ("00", network.DeregisterRequest(METER), network.DeregisterResponse()),
    (
        "00 8003 7BC175 003C 015180 01",
        REGISTER,
        network.RegisterResponse(METER, 60, 86400, network.RegistrationInfo.DIRECT_MESSAGING),
    ),
    ("00 0040 02 06", c1218.NegotiateRequest(64, 2, b"\x06"), c1218.NegotiateResponse(64, 2, 6)),
    ("00 1E 01 04 03", c1218.TimingSetupRequest(30, 1, 4, 3), c1218.TimingSetupResponse(30, 1, 4, 3)),
    ("00 02 0102", c1218.AuthenticateRequest(b"\x01\x02"), c1218.AuthenticateResponse(b"\x01\x02")),
    ("0F 00000200", tables.ReadRequest(1), ErrorResponse(0x0F, bytes.fromhex("00000200"), "read")),
    ("10 00000200", tables.ReadRequest(1), ErrorResponse(0x10, bytes.fromhex("00000200"), "read")),
    ("12 0030 0051", None, ErrorResponse(0x12, bytes.fromhex("00300051"))),
    ("03", tables.ReadRequest(42), ErrorResponse(0x03, service="read")),
]
