"""What a service is: a code and fields, each field declared once with its form on the wire.

A class lists its fields::

    class ReadOffsetRequest(Request):
        code = 0x3F
        service = "read-offset"

        table: int = wire(U16)
        offset: int = wire(U24)
        count: int = wire(U16)

Slots, constructor with validation, decoding, encoding, equality, ``repr`` and JSON follow from that list.
Values are immutable. The octets of a service are those without the length that stands before it in EPSEM.
"""

from __future__ import annotations

from enum import Enum
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, dataclass_transform

from c1222.errors import DecodeError, EncodeError, Finding
from c1222.services.fields import REST, Beside, FieldForm

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Iterable, Mapping

    from c1222.message.ber import Octets

__all__ = ["REDACTED", "Effect", "Field", "Request", "Response", "Service", "Value", "beside", "wire"]

REDACTED = "<redacted>"
"""What stands in ``repr`` and JSON where a secret would."""

_REQUIRED: Any = object()
_new = object.__new__


class Field:
    """One field of a value, as its class declares it; ``get`` and ``set`` are those of its slot."""

    __slots__ = ("default", "form", "get", "hidden", "kw_only", "name", "on_wire", "secret", "set", "show")

    name: str
    get: Callable[[Any], Any]
    set: Callable[[Any, Any], None]

    def __init__(self, form: FieldForm[Any], default: Any, *, on_wire: bool, secret: bool, kw_only: bool, hidden: bool):
        self.form = form
        # None where JSON has the value as it is: that saves a call for every integer.
        self.show = None if type(form).show is FieldForm.show else form.show
        self.default = default
        self.on_wire = on_wire
        self.secret = secret
        self.kw_only = kw_only
        self.hidden = hidden


def wire(
    form: FieldForm[Any], *, default: Any = _REQUIRED, secret: bool = False, kw_only: bool = False, hidden: bool = False
) -> Any:
    """Declare a field that stands on the wire, in the order of declaration.

    Args:
        form: how it stands there.
        default: its value when the constructor is not given one.
        secret: a password or key, concealed in ``repr`` and JSON.
        kw_only: the constructor takes it by name only; on the wire it comes after the others.
        hidden: JSON leaves it to the class's own ``as_dict``.
    """
    return Field(form, default, on_wire=True, secret=secret, kw_only=kw_only, hidden=hidden)


def beside(form: FieldForm[Any], *, default: Any, kw_only: bool = False) -> Any:
    """Declare a field that goes with the value but has no octets of its own, and does not count in comparisons."""
    return Field(form, default, on_wire=False, secret=False, kw_only=kw_only, hidden=True)


@dataclass_transform(eq_default=True, frozen_default=True, field_specifiers=(wire, beside))
class _Declared(type):
    """Turns the declared fields of a class into its slots, and into what the methods of :class:`Value` run over."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        own = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        inherited = {field.name: field for base in bases for field in getattr(base, "fields", ())}
        fields = sorted({**inherited, **own}.values(), key=attrgetter("kw_only"))
        for key, field in own.items():
            field.name = key
            del namespace[key]
        namespace.update(
            __slots__=(*own, *namespace.get("__slots__", ())),
            __match_args__=tuple([field.name for field in fields if not field.kw_only]),
            fields=tuple(fields),
            _wire=tuple([field for field in fields if field.on_wire]),
            _shown=tuple([field for field in fields if not field.hidden]),
        )
        cls: Any = super().__new__(mcs, name, bases, namespace)
        for field in own.values():
            slot = cls.__dict__[field.name]
            field.get, field.set = slot.__get__, slot.__set__
        cls._readers = tuple([(field.name, field.form.read, field.set) for field in fields if field.on_wire])
        cls._writers = tuple([(field.form.write, field.get) for field in fields if field.on_wire])
        cls._filling = tuple([(field.name, field.form.check, field.set, field.default) for field in fields])
        cls._defaults = tuple([(field.set, field.default) for field in fields if not field.on_wire])
        return cls

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's signature, made when somebody asks."""
        return _signature(cls.fields)  # type: ignore[attr-defined]  # every class it makes has them


def _signature(fields: Iterable[Field]) -> inspect.Signature:
    import inspect  # noqa: PLC0415 - nothing on the way to a message needs it

    keyword, either, empty = (
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.empty,
    )
    return inspect.Signature(
        [
            inspect.Parameter(
                field.name,
                keyword if field.kw_only else either,
                default=empty if field.default is _REQUIRED else field.default,
            )
            for field in fields
        ]
    )


class Value(metaclass=_Declared):
    """An immutable value made of declared fields.

    Raises:
        EncodeError: a field's value has no octets.
        TypeError: a field is missing, unknown, or of a wrong type.
    """

    fields: ClassVar[tuple[Field, ...]]
    _wire: ClassVar[tuple[Field, ...]]
    _readers: ClassVar[tuple[tuple[str, Callable[[bytes, int, int], tuple[Any, int]], Callable[[Any, Any], None]], ...]]
    _defaults: ClassVar[tuple[tuple[Callable[[Any, Any], None], Any], ...]]
    _writers: ClassVar[tuple[tuple[Callable[[Any], bytes], Callable[[Any], Any]], ...]]
    _filling: ClassVar[tuple[tuple[str, Callable[[Any], Any], Callable[[Any, Any], None], Any], ...]]
    _shown: ClassVar[tuple[Field, ...]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        count = len(args)
        name = ""
        try:
            for index, (name, check, put, default) in enumerate(self._filling):
                value = args[index] if index < count else kwargs.get(name, default)
                if value is _REQUIRED:
                    raise TypeError(f"needs {name}")
                put(self, check(value))
        except (EncodeError, TypeError) as error:
            self._check_names(args, kwargs)
            raise type(error)(f"{type(self).__name__}.{name}: {error}") from None
        if kwargs or count > len(self.__match_args__):
            self._check_names(args, kwargs)
        self._check()

    def _check_names(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        names = self.__match_args__
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} positional values, not {len(args)}")
        given = names[: len(args)]
        if twice := kwargs.keys() & set(given):
            raise TypeError(f"{type(self).__name__} got {', '.join(sorted(twice))} twice")
        for field in self.fields:
            if field.default is _REQUIRED and field.name not in kwargs and field.name not in given:
                raise TypeError(f"{type(self).__name__} needs {field.name}")
        if unknown := kwargs.keys() - {field.name for field in self.fields}:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")

    def _check(self) -> None:
        """Check what concerns several fields; raise EncodeError."""

    @property
    def conceals(self) -> bool:
        """Whether the secret fields are to be concealed in ``repr`` and JSON."""
        return True

    @classmethod
    def read(cls, octets: bytes, at: int, end: int) -> tuple[Self, int]:
        """Read the fields at ``octets[at:end]``; return the value and the position after it.

        Raises:
            DecodeError: a field is not there or not what it should be; path and offset tell which.
        """
        self = _new(cls)
        name = ""
        try:
            for name, read, put in cls._readers:  # noqa: B007  (the handler names it)
                value, at = read(octets, at, end)
                put(self, value)
        except DecodeError as error:
            path = f"{name}.{error.path}" if error.path else name
            raise type(error)(path, error.offset, error.reason) from None
        for put, default in cls._defaults:
            put(self, default)
        return self, at

    def write(self) -> bytes:
        """Return the octets of the fields."""
        return b"".join([write(get(self)) for write, get in self._writers])

    def show(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        shown = {}
        for field in self._shown:
            value = field.get(self)
            if field.secret and not show_secrets and self.conceals:
                shown[field.name] = None if value is None else REDACTED
            else:
                shown[field.name] = value if field.show is None else field.show(value)
        return shown

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values in some fields.

        Raises:
            EncodeError: a value has no octets.
            TypeError: there is no such field, or the value has a wrong type.
        """
        return type(self)(**{**{field.name: field.get(self) for field in self.fields}, **changes})

    def _key(self) -> tuple[Any, ...]:
        return tuple([field.get(self) for field in self._wire])

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Value) and type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __repr__(self) -> str:
        parts = []
        for field in self.fields:
            value = field.get(self)
            if field.kw_only and (not field.on_wire or value == field.default):
                continue
            # What follows the last field may be the rest of a secret whose count is wrong.
            secret = field.secret or (field.name == "trailing" and any(other.secret for other in self.fields))
            concealed = secret and value is not None and self.conceals
            parts.append(f"{field.name}={REDACTED if concealed else repr(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), {field.name: field.get(self) for field in self.fields})


def _restore(cls: type[Value], values: Mapping[str, Any]) -> Value:
    # A value that was decoded may break rules that the constructor keeps, so this goes past it.
    self = _new(cls)
    for field in cls.fields:
        field.set(self, values[field.name])
    return self


class Service(Value):
    """A request or a response.

    Args:
        trailing: octets after the last field, as received; there should be none.

    Attributes:
        code: the first octet: request code 20..7F, response code 00..1F.
        codes: all codes of the class (the index services have nine each).
        kind: ``request`` or ``response``.
    """

    codes: ClassVar[tuple[int, ...]] = ()
    kind: ClassVar[str]

    trailing: bytes = wire(REST, default=b"", kw_only=True, hidden=True)

    @property
    def code(self) -> int:
        """The first octet."""
        return self.codes[0]

    @property
    def service(self) -> str | None:
        """Name of the request; of a response, the name of the request it answers, or None."""
        raise NotImplementedError

    @classmethod
    def label(cls) -> str:
        """Return what paths of errors start with."""
        raise NotImplementedError

    @classmethod
    def decode(cls, octets: Octets) -> Self:
        """Read a service of this class.

        Args:
            octets: all octets of the service, without the length before it.

        Raises:
            DecodeError: the octets are not such a service.
        """
        if type(octets) is not bytes:
            octets = bytes(memoryview(octets))  # through a view: bytes(5) would make five zeros
        end = len(octets)
        if not end or octets[0] not in cls.codes:
            found = f"{octets[0]:02X}" if end else "nothing"
            raise DecodeError(f"{cls.label()}.code", 0, f"{found} is not a code of {cls.__name__}")
        return cls.decode_parameters(octets)

    @classmethod
    def decode_parameters(cls, octets: bytes) -> Self:
        """Read a service whose code is known to be one of this class.

        Args:
            octets: all octets of the service, without the length before it.

        Raises:
            DecodeError: the octets are not such a service.
        """
        try:
            return cls.read(octets, 1, len(octets))[0]
        except DecodeError as error:
            raise type(error)(f"{cls.label()}.{error.path}", error.offset, error.reason) from None

    def encode(self) -> bytes:
        """Return the octets of the service, without the length before it."""
        return bytes((self.code,)) + self.write()

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the service as JSON has it; passwords are redacted unless asked for."""
        raise NotImplementedError

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the service; offsets count from its first octet."""
        if not self.trailing:
            return ()
        size = len(self.trailing)
        text = f"{size} octet{'' if size == 1 else 's'} after the last parameter, kept as they are"
        at = len(self.encode()) - size
        return (Finding("warning", "trailing-octets", f"{self.label()}.trailing", at, text),)


class Effect(Enum):
    """What a service does to the node that carries it out, if its answer is ok."""

    READS = "changes nothing: carrying it out twice does no harm"
    CHANGES = "changes what the node or its network holds"
    PROVES = "shows who asks"
    OPENS = "shows who asks, and opens a session"
    STRETCHES = "lets the session stand idle for longer"
    ENDS = "ends the session"
    SETS_LINK = "agrees on a link of C12.18 or C12.21"


class Request(Service):
    """A service request.

    Attributes:
        effect: what it does to the node; each class of a service says it.
        answer: class of the ok response; None where it is not known.
    """

    kind = "request"
    effect: ClassVar[Effect]
    answer: ClassVar[type[Response] | None] = None

    def __init_subclass__(cls) -> None:
        if isinstance(code := cls.__dict__.get("code"), int):
            cls.codes = (code,)

    @classmethod
    def label(cls) -> str:
        """Return the name of the service."""
        return str(cls.service)

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return code, service, kind and parameters."""
        shown = {"code": self.code, "service": self.service, "kind": "request"}
        shown.update(self.show(show_secrets=show_secrets))
        return shown


class Response(Service):
    """The response ok to a request; other results are an ``ErrorResponse``.

    Args:
        request: the request it answers; known after decoding with it, not part of the octets.

    Attributes:
        answers: class of the request.
    """

    code = 0x00
    codes: ClassVar[tuple[int, ...]] = (0x00,)
    kind = "response"
    answers: ClassVar[type[Request]]

    request: Request | None = beside(Beside(Request, NoneType), default=None, kw_only=True)

    def __init_subclass__(cls) -> None:
        if "answers" in cls.__dict__:
            cls.answers.answer = cls

    @property
    def service(self) -> str | None:
        """Name of the request this answers."""
        return self.label()

    @property
    def result(self) -> str:
        """Name of the response code."""
        return "ok"

    @classmethod
    def label(cls) -> str:
        """Return the name of the request's service."""
        return cls.answers.label() if hasattr(cls, "answers") else "response"

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return code, kind, result, service and parameters."""
        shown = {"code": self.code, "kind": "response", "result": self.result, "service": self.service}
        shown.update(self.show(show_secrets=show_secrets))
        return shown
