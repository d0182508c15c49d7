"""Services of many messages as one column of structures.

Requests are few, however many messages there are: each is decoded once, and so is each short response. What a response
with table data says but for these follows from its request, so that the data are all that is taken from the messages.
Whatever is not of that kind is left to the decoder of single messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1219.tabular.arrow import arrow_table
from c1219.tabular.schema import RowSchema
from c1222.bulk.merging import distinct_octets
from c1222.bulk.schema import SERVICE, SERVICES_TYPE, service_row
from c1222.protocol.message import requests_of
from c1222.services import Request
from c1222.services.malformed import decode_service
from c1222.services.table_data import CHUNK
from c1222.services.tables import TableAccess, TableResponse, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from c1222.bulk.opening import OpenedShape
    from c1222.services import Service

__all__ = ["ServiceColumns", "ServiceForms"]

_MAX_FORMS: Final = 65_536  # kept from one batch to the next
_BEFORE_DATA: Final = 2  # octets of the count
_TABLE_DATA: Final = _BEFORE_DATA + 1  # octets of table data, besides the data: count, checksum
_NAMES: Final = tuple(member.name for member in SERVICE)
_DATA: Final = _NAMES.index("data")
_WHERE: Final = ("table", "offset", "count", "indices")  # are of the request


class ServiceForms:
    """Services that were met, each with a number.

    Attributes:
        rows: the members of each.
        requests: the request that each is; None for what is none.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.requests: list[Request | None] = []
        self._numbers: dict[bytes, int] = {}
        self._short: dict[tuple[bytes, type[Request]], int] = {}
        self._answers: dict[tuple[type[Request], bool, bool], int] = {}
        self._answer_of: dict[int, int] = {}
        self._asked: dict[bytes, tuple[int, ...]] = {}
        self._shown = np.zeros(0, np.bool_)

    def tidy(self) -> None:
        """Forget all, if there is much of it."""
        if len(self.rows) > _MAX_FORMS or len(self._asked) > _MAX_FORMS:
            self.__init__()  # type: ignore[misc]  # all it has is what it starts with

    def holds(self) -> NDArray[np.bool_]:
        """Return by number whether a service has data that are shown; False for -1."""
        if len(self._shown) <= len(self.rows):
            self._shown = np.array([row[_DATA] is not None for row in self.rows] + [False])
        return self._shown

    def _add(self, service: Service) -> int:
        if service.findings:
            return -1
        self.rows.append(service_row(service))
        self.requests.append(service if isinstance(service, Request) else None)
        return len(self.rows) - 1

    def request(self, octets: bytes) -> int:
        """Return the number of a service that answers none; -1 for one with findings."""
        number = self._numbers.get(octets)
        if number is None:
            number = self._numbers[octets] = self._add(decode_service(octets))
        return number

    def asked(self, body: bytes) -> tuple[int, ...]:
        """Return the numbers of the requests in a list of services."""
        numbers = self._asked.get(body)
        if numbers is None:
            numbers = self._asked[body] = tuple([self.request(request.encode()) for request in requests_of(body)])
        return numbers

    def short(self, octets: bytes, request: Request) -> int:
        """Return the number of a response too short for table data, but for where that is; -1 with findings."""
        key = (octets, type(request))
        number = self._short.get(key)
        if number is None:
            number = self._short[key] = self._add(decode_service(octets, request))
        return number

    def answer(self, number: int) -> int:
        """Return the number of a response with table data, but for these; -1 where it has none, or they say more.

        Args:
            number: of its request; -1 for none.
        """
        answer = self._answer_of.get(number)
        if answer is None:
            request = None if number < 0 else self.requests[number]
            answer = self._answer_of[number] = -1 if request is None else self._answer(request)
        return answer

    def _answer(self, request: Request) -> int:
        depends = _depends(request)
        key = (type(request), request.conceals, depends)
        number = self._answers.get(key)
        if number is None:
            empty = decode_service(bytes(1 + _TABLE_DATA), request)
            number = self._add(empty) if isinstance(empty, TableResponse) and not depends else -1
            self._answers[key] = number
        return number


class ServiceColumns:
    """The services of the usual messages of a batch, shape after shape.

    Args:
        count: rows of the batch.
        opened: the messages.
        forms: gives the numbers.

    Attributes:
        start: of each row, where its services start.
        size: of each row, how many it has.
        right: of each row, whether its services are known.
    """

    def __init__(self, count: int, opened: Sequence[OpenedShape], forms: ServiceForms) -> None:
        self._forms = forms
        self.start = np.zeros(count, np.int64)
        self.size = np.zeros(count, np.int64)
        self.right = np.zeros(count, np.bool_)
        self._opened: list[tuple[OpenedShape, slice]] = []
        total = 0
        for some in opened:
            rows, size = some.shape.rows, len(some.spans)
            self.start[rows] = np.arange(total, total + len(rows) * size, size)
            self.size[rows] = size
            self._opened.append((some, slice(total, total + len(rows) * size)))
            total += len(rows) * size
        self._what = np.full(total, -1, np.int32)
        self._where = np.full(total, -1, np.int32)
        self._length = np.full(total, -1, np.int64)  # of the data; -1 for none
        self._data: list[bytes] = [b""] * len(opened)
        self._more: list[int] = []
        for position, (some, _) in enumerate(self._opened):
            if not some.responds:
                self._requests(position)

    def remember(self, body: bytes) -> tuple[int, int]:
        """Return start and number of services that are in no row, as for `responses`."""
        numbers = self._forms.asked(body)
        self._more += numbers
        return len(self._what) + len(self._more) - len(numbers), len(numbers)

    def responses(self, start: NDArray[np.int64], size: NDArray[np.int64]) -> None:
        """Fill in the services of responses.

        Args:
            start: of each row, where the services start that it answers.
            size: how many these are; 0 where they are not known.
        """
        positions = [position for position, (some, _) in enumerate(self._opened) if some.responds]
        if not positions:
            return
        asked = np.concatenate((self._where, np.array(self._more, np.int32)))
        for position in positions:
            some, place = self._opened[position]
            rows, count = some.shape.rows, len(some.spans)
            known = size[rows] == count
            first = np.where(known, start[rows], 0)
            for slot in range(count):
                numbers = np.where(known, asked[first + slot * known], -1)
                self._where[place][slot::count] = numbers
        short: dict[bytes, int] = {}
        table_data, which, width = self._forms_of_responses(positions, short)
        self._what = np.where(table_data, _coded(self._where, self._forms.answer), self._what)
        self._of_short(which, list(short))
        holds = table_data & self._forms.holds()[self._what]
        self._length[holds] = width[holds]
        for position in positions:
            some, place = self._opened[position]
            self._right(position)
            spans = [(first, end) for first, end in some.spans if end - first > _TABLE_DATA]
            self._keep(
                position,
                [some.body[:, first + 1 + _BEFORE_DATA : end - 1] for first, end in spans],
                [slot for slot, span in enumerate(some.spans) if span in spans],
            )

    def _forms_of_responses(
        self, positions: list[int], short: dict[bytes, int]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
        """Tell by the octets of responses what they are.

        Args:
            positions: of the shapes.
            short: takes those too short for table data, each with a number.

        Returns:
            Of each service whether it is right table data, the number of a short one or -1, and octets of the data.
        """
        table_data = np.zeros(len(self._what), np.bool_)
        which, width = np.full((2, len(self._what)), -1, np.int64)
        for position in positions:
            some, place = self._opened[position]
            count = len(some.spans)
            for slot, (first, end) in enumerate(some.spans):
                octets = some.body[:, first:end]
                size = end - first - 1 - _TABLE_DATA
                if size < 0:
                    distinct, each = distinct_octets(octets)
                    numbers = [short.setdefault(one, len(short)) for one in distinct]
                    which[place][slot::count] = np.array(numbers)[each]
                elif size != CHUNK:
                    right = (octets[:, : 1 + _BEFORE_DATA] == (0, size >> 8, size & 0xFF)).all(axis=1)
                    table_data[place][slot::count] = right & _checked(octets[:, 1 + _BEFORE_DATA :])
                    width[place][slot::count] = size
        return table_data, which, width

    def _of_short(self, which: NDArray[np.int64], each: list[bytes]) -> None:
        """Fill in the responses too short for table data."""
        there = np.flatnonzero(which >= 0)

        def code(pair: int) -> int:
            place, number = divmod(pair, 1 << 32)
            request = None if not number else self._forms.requests[number - 1]
            return -1 if request is None else self._forms.short(each[place], request)

        self._what[there] = _coded(which[there] << 32 | self._where[there] + 1, code)

    def _requests(self, position: int) -> None:
        some, place = self._opened[position]
        count = len(some.spans)
        data: list[NDArray[np.uint8]] = []
        slots: list[int] = []
        for slot, (first, end) in enumerate(some.spans):
            octets = np.ascontiguousarray(some.body[:, first:end])
            numbers, at = self._of_requests(octets)
            self._where[place][slot::count] = numbers
            holds = self._forms.holds()[numbers]
            if at:
                self._length[place][slot::count][holds] = end - first - at - 1
                data.append(octets[:, at:-1])
                slots.append(slot)
            self._what[place][slot::count] = numbers if at else np.where(holds, -1, numbers)  # it has its own data
        self._right(position)
        self._keep(position, data, slots)

    def _of_requests(self, octets: NDArray[np.uint8]) -> tuple[NDArray[np.int32], int]:
        """Return the number of each service, -1 where it is to be decoded alone, and where table data start, if any."""
        number = self._forms.request
        example = decode_service(octets[0].tobytes())
        if not isinstance(example, Write) or example.findings:
            distinct, which = distinct_octets(octets)
            return np.array([number(each) for each in distinct], np.int32)[which], 0
        head = octets.shape[1] - _TABLE_DATA - len(example.data)
        at = head + _BEFORE_DATA
        alike_at = [0, *range(head, at)]  # code and count
        right = (octets[:, alike_at] == octets[:1, alike_at]).all(axis=1)
        right &= _checked(octets[:, at:])
        alike = octets[right]
        alike[:, at:] = 0
        distinct, which = distinct_octets(alike)
        numbers = [-1 if _depends(decode_service(each)) else number(each) for each in distinct]
        result = np.full(len(octets), -1, np.int32)
        result[right] = np.array(numbers, np.int32)[which]
        return result, at

    def _right(self, position: int) -> None:
        some, place = self._opened[position]
        right = self._what[place] >= 0
        count = len(some.spans)
        self.right[some.shape.rows] = right if count == 1 else right.reshape(-1, count).all(axis=1)

    def _keep(self, position: int, data: list[NDArray[np.uint8]], slots: list[int]) -> None:
        """Keep the data of a shape.

        Args:
            position: of the shape.
            data: octets of the services that may have some.
            slots: which of the services these are.
        """
        some, place = self._opened[position]
        if not data:
            return
        matrix = data[0] if len(data) == 1 else np.hstack(data)
        holds = self._length[place].reshape(-1, len(some.spans))[:, slots] >= 0
        if not holds.all():
            matrix = matrix[np.repeat(holds, [octets.shape[1] for octets in data], axis=1)]
        self._data[position] = matrix.tobytes()

    def column(self, rows: NDArray[np.int64]) -> pa.Array:
        """Return the column of services.

        Args:
            rows: which rows, in order, of those that are right.
        """
        size = self.size[rows]
        ends = np.zeros(len(rows) + 1, np.int32)
        np.cumsum(size, out=ends[1:])
        index = np.repeat(self.start[rows] - ends[:-1], size) + np.arange(ends[-1])
        what, where = pa.array(self._what[index]), pa.array(self._where[index])
        forms = arrow_table(RowSchema("", "", SERVICE), self._forms.rows)
        members = []
        for member in SERVICE:
            if member.name == _NAMES[_DATA]:
                members.append(self._octets().take(pa.array(index)))
            else:
                column = forms.column(member.name).combine_chunks()
                nothing = column.null_count == len(column)
                chosen = where if member.name in _WHERE else what
                members.append(pa.nulls(len(index), column.type) if nothing else column.take(chosen))
        services = pa.StructArray.from_arrays(members, fields=list(SERVICES_TYPE.value_type))
        return pa.ListArray.from_arrays(pa.array(ends), services, SERVICES_TYPE)

    def _octets(self) -> pa.Array:
        """Return the data of all services."""
        offsets = np.zeros(len(self._length) + 1, np.int32)
        np.cumsum(np.maximum(self._length, 0), out=offsets[1:])
        known = np.packbits(self._length >= 0, bitorder="little")
        buffers = [pa.py_buffer(each) for each in (known, offsets, b"".join(self._data))]
        return pa.Array.from_buffers(pa.binary(), len(self._length), buffers)


def _depends(request: Request | Service) -> bool:
    """Return whether the octets of its table tell whether they are concealed."""
    return isinstance(request, TableAccess) and request.conceals_octets(None) is not request.conceals_octets(b"")


def _checked(octets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each row whether data and checksum make 0."""
    result: NDArray[np.bool_] = octets.sum(axis=1, dtype=np.uint8) == 0
    return result


def _coded(numbers: NDArray[Any], code: Callable[[int], int]) -> NDArray[np.int32]:
    """Return the code of each number; it is asked for once for each."""
    found = pa.array(numbers).dictionary_encode()
    codes = np.array([code(number) for number in found.dictionary.to_numpy().tolist()], np.int32)
    result: NDArray[np.int32] = codes[found.indices.to_numpy()]
    return result
