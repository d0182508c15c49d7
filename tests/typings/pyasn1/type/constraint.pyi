from collections.abc import Iterator

class AbstractConstraint:
    def __init__(self, *values: object) -> None: ...

class ConstraintsIntersection(AbstractConstraint):
    def __iter__(self) -> Iterator[AbstractConstraint]: ...

class SingleValueConstraint(AbstractConstraint): ...

class ValueRangeConstraint(AbstractConstraint):
    start: int
    stop: int

class ValueSizeConstraint(ValueRangeConstraint): ...
