import inspect

import pytest

from c1222.errors import EncodeError
from c1222.services import REDACTED, ErrorResponse, Request, Service, session, tables
from c1222.services.fields import U8, U16, FieldForm, Maybe
from c1222.services.service import Value, beside, wire


class Point(Value):
    x: int = wire(U8)
    y: int = wire(U16, default=7)
    note: int = beside(U8, default=0, kw_only=True)


def test_constructor() -> None:
    point = Point(1)
    assert (point.x, point.y, point.note) == (1, 7, 0)
    assert Point(y=2, x=1, note=3).note == 3
    assert list(inspect.signature(Point).parameters) == ["x", "y", "note"]
    match point:
        case Point(1, y):
            assert y == 7
        case _:
            pytest.fail("positional patterns follow the declaration")


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "Point needs x"),
        ((1, 2, 3), {}, "takes 2 positional values, not 3"),
        ((1,), {"x": 1}, "got x twice"),
        ((1,), {"z": 1}, "has no z"),
        (("1",), {}, "Point.x: an int is needed, not str"),
    ],
)
def test_constructor_misused(args: tuple, kwargs: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Point(*args, **kwargs)


@pytest.mark.parametrize("x", [-1, 256])
def test_values_without_octets(x: int) -> None:
    with pytest.raises(EncodeError, match=r"Point\.x"):
        Point(x)


def test_immutable() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    with pytest.raises(AttributeError):
        point.other = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")
    assert point.replace(x=2) == Point(2)
    assert point.x == 1


def test_equality_counts_octets_only() -> None:
    assert Point(1) == Point(1, note=5)
    assert hash(Point(1)) == hash(Point(1, note=5))
    assert Point(1) != Point(2)
    assert session.TerminateRequest() != session.DisconnectRequest()
    assert Point(1) != 1


def test_repr() -> None:
    assert repr(Point(1)) == "Point(x=1, y=7)"
    assert repr(Point(1, note=2)) == "Point(x=1, y=7)"
    assert repr(ErrorResponse(3, service="read")) == "ErrorResponse(code=3, parameters=b'', service='read')"
    assert repr(session.LogoffRequest(trailing=b"x")) == "LogoffRequest(trailing=b'x')"
    assert repr(tables.ReadOffsetRequest(1, 16, 16)) == "ReadOffsetRequest(table=1, offset=16, count=16)"


def test_read_and_write() -> None:
    assert Point.read(b"\xff\x01\x00\x02\xff", 1, 4) == (Point(1, 2), 4)
    assert Point(1, 2).write() == b"\x01\x00\x02"


def test_slots_of_a_subclass_are_kept() -> None:
    class Marked(Point):
        __slots__ = ("mark",)

    marked = Marked(1)
    object.__setattr__(marked, "mark", 3)
    assert marked.mark == 3  # type: ignore[attr-defined]


def test_services_have_no_dict() -> None:
    def walk(cls: type) -> None:
        assert "__dict__" not in dir(cls), cls
        for below in cls.__subclasses__():
            walk(below)

    walk(Service)


def test_what_a_form_must_say() -> None:
    form: FieldForm[int] = FieldForm()
    for call in (lambda: form.read(b"", 0, 0), lambda: form.write(1), lambda: form.check(1)):
        with pytest.raises(NotImplementedError):
            call()
    assert Maybe(U8).read(b"", 0, 0) == (None, 0)


def test_secrets() -> None:
    request = session.SecurityRequest.of("swordfish", 2)
    assert "swordfish" not in repr(request)
    assert REDACTED in repr(request)
    assert "swordfish" not in str(request.as_dict())
    assert request.as_dict()["password"] == REDACTED
    assert request.as_dict(show_secrets=True)["password"] == b"swordfish".ljust(20).hex()
    assert isinstance(request, Request)
    with pytest.raises(EncodeError) as caught:
        session.SecurityRequest.of("a password longer than twenty", 2)
    assert "longer than" not in str(caught.value)
    with pytest.raises(EncodeError) as caught:
        session.SecurityRequest(b"swordfish")
    assert "swordfish" not in str(caught.value)
