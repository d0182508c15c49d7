tagClassUniversal: int
tagClassApplication: int
tagClassContext: int
tagFormatSimple: int
tagFormatConstructed: int

class Tag:
    def __init__(self, tagClass: int, tagFormat: int, tagId: int) -> None: ...
    @property
    def tagClass(self) -> int: ...
    @property
    def tagFormat(self) -> int: ...
    @property
    def tagId(self) -> int: ...

class TagSet:
    @property
    def superTags(self) -> tuple[Tag, ...]: ...
