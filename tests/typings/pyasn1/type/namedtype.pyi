from pyasn1.type import base

class NamedType:
    isOptional: bool
    isDefaulted: bool
    name: str
    asn1Object: base.Asn1Type
    def __init__(self, name: str, asn1Object: base.Asn1Type) -> None: ...

class OptionalNamedType(NamedType): ...
class DefaultedNamedType(NamedType): ...

class NamedTypes:
    namedTypes: tuple[NamedType, ...]
    def __init__(self, *namedTypes: NamedType) -> None: ...
