"""What hypothesis makes of every class of service."""

from hypothesis import strategies as st

from c1222.message.aptitle import ApTitle
from c1222.services import (
    SERVICE_ERRORS,
    ErrorResponse,
    RawRequest,
    Service,
    TableData,
    UnpairedResponse,
    c1218,
    codec,
    identify,
    network,
    session,
    tables,
)

u8, u16, u24 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 24))
octets = st.binary(max_size=40)
arcs = st.lists(st.integers(0, 1 << 40), min_size=1, max_size=6)
titles = arcs.map(lambda values: ApTitle("." + ".".join(map(str, values)))) | arcs.map(
    lambda values: ApTitle("2.16." + ".".join(map(str, values)))
)
or_empty = titles | st.just(ApTitle("."))
tags = st.sampled_from((0x80, 0x0D))
data = st.builds(TableData, octets)
indices = st.lists(u16, min_size=1, max_size=9).map(tuple)
path = st.lists(titles, max_size=4).map(tuple)
timing = {"traffic": u8, "inter_character": u8, "response": u8, "retries": u8}
features = st.lists(
    st.one_of(
        st.builds(identify.AuthenticationFeature, u8, u8),
        st.builds(identify.AuthenticationTicket, u8, u8, octets),
        st.builds(identify.SecurityMechanism, arcs.map(lambda v: ApTitle("1.3." + ".".join(map(str, v))))),
        st.builds(identify.SessionControl.of, st.integers(0, 127), sessionless=st.booleans()),
        st.builds(identify.DeviceClass.of, octets, tag=st.sampled_from((0x06, 0x0D, 0x80))),
        st.builds(identify.DeviceIdentity, octets),
    ),
    max_size=5,
).map(tuple)
unknown = st.builds(lambda tag, rest: identify.UnknownFeature(bytes((tag,)) + rest), st.integers(8, 255), octets)


def register(pattern: bytes | None, node_type: int, **fields: object) -> network.RegisterRequest:
    bit = network.NodeType.DOMAIN_PATTERN
    node = network.NodeType(node_type | bit if pattern is not None else node_type & ~bit)
    return network.RegisterRequest(node_type=node, pattern=pattern, **fields)  # type: ignore[arg-type]


STRATEGIES: dict[type[Service], st.SearchStrategy[Service]] = {
    identify.IdentifyRequest: st.builds(identify.IdentifyRequest),
    identify.IdentifyResponse: st.builds(
        identify.IdentifyResponse, u8, u8, u8, features | st.builds(lambda f, u: (*f, u), features, unknown)
    ),
    session.LogonRequest: st.builds(session.LogonRequest, u16, st.binary(min_size=10, max_size=10), st.none() | u16),
    session.LogonResponse: st.builds(session.LogonResponse, st.none() | u16),
    session.SecurityRequest: st.builds(session.SecurityRequest, st.binary(min_size=20, max_size=20), st.none() | u16),
    session.SecurityResponse: st.builds(session.SecurityResponse),
    session.LogoffRequest: st.builds(session.LogoffRequest),
    session.LogoffResponse: st.builds(session.LogoffResponse),
    session.TerminateRequest: st.builds(session.TerminateRequest),
    session.TerminateResponse: st.builds(session.TerminateResponse),
    session.DisconnectRequest: st.builds(session.DisconnectRequest),
    session.DisconnectResponse: st.builds(session.DisconnectResponse),
    session.WaitRequest: st.builds(session.WaitRequest, u8),
    session.WaitResponse: st.builds(session.WaitResponse),
    c1218.AuthenticateRequest: st.builds(c1218.AuthenticateRequest, octets),
    c1218.AuthenticateResponse: st.builds(c1218.AuthenticateResponse, octets),
    c1218.NegotiateRequest: st.builds(c1218.NegotiateRequest, u16, u8, st.binary(max_size=11)),
    c1218.NegotiateResponse: st.builds(c1218.NegotiateResponse, u16, u8, u8),
    c1218.TimingSetupRequest: st.builds(c1218.TimingSetupRequest, **timing),
    c1218.TimingSetupResponse: st.builds(c1218.TimingSetupResponse, **timing),
    tables.ReadRequest: st.builds(tables.ReadRequest, u16),
    tables.ReadResponse: st.builds(tables.ReadResponse, data),
    tables.ReadIndexRequest: st.builds(tables.ReadIndexRequest, u16, indices, u16),
    tables.ReadIndexResponse: st.builds(tables.ReadIndexResponse, data, st.lists(data, max_size=3).map(tuple)),
    tables.ReadDefaultRequest: st.builds(tables.ReadDefaultRequest),
    tables.ReadDefaultResponse: st.builds(tables.ReadDefaultResponse, data),
    tables.ReadOffsetRequest: st.builds(tables.ReadOffsetRequest, u16, u24, u16),
    tables.ReadOffsetResponse: st.builds(tables.ReadOffsetResponse, data),
    tables.WriteRequest: st.builds(tables.WriteRequest, u16, data),
    tables.WriteResponse: st.builds(tables.WriteResponse),
    tables.WriteIndexRequest: st.builds(tables.WriteIndexRequest, u16, indices, data),
    tables.WriteIndexResponse: st.builds(tables.WriteIndexResponse),
    tables.WriteDefaultRequest: st.builds(tables.WriteDefaultRequest, octets),
    tables.WriteDefaultResponse: st.builds(tables.WriteDefaultResponse),
    tables.WriteOffsetRequest: st.builds(tables.WriteOffsetRequest, u16, u24, data),
    tables.WriteOffsetResponse: st.builds(tables.WriteOffsetResponse),
    network.RegisterRequest: st.builds(
        register,
        pattern=st.none() | octets,
        node_type=u8,
        connection_type=u8.map(network.ConnectionType),
        device_class=st.binary(min_size=4, max_size=4),
        ap_title=or_empty,
        serial_number=or_empty,
        native_address=octets,
        period=u24,
        relative_tag=tags,
    ),
    network.RegisterResponse: st.builds(
        network.RegisterResponse, titles, u16, u24, u8.map(network.RegistrationInfo), relative_tag=tags
    ),
    network.DeregisterRequest: st.builds(network.DeregisterRequest, titles, relative_tag=tags),
    network.DeregisterResponse: st.builds(network.DeregisterResponse, st.none() | titles, relative_tag=tags),
    network.ResolveRequest: st.builds(network.ResolveRequest, titles, relative_tag=tags),
    network.ResolveResponse: st.builds(network.ResolveResponse, octets),
    network.TraceRequest: st.builds(network.TraceRequest, path, relative_tag=tags),
    network.TraceResponse: st.builds(network.TraceResponse, path, relative_tag=tags),
    ErrorResponse: st.builds(ErrorResponse, st.sampled_from(sorted(SERVICE_ERRORS)), octets),
    RawRequest: st.builds(RawRequest, st.integers(0x20, 0xFF).filter(lambda code: code not in codec.REQUESTS), octets),
    UnpairedResponse: st.builds(UnpairedResponse, octets),
}
