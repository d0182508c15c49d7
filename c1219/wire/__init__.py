"""Wire forms: one type of the standard, in the formats of one device, as octets.

A `Form` is what a type becomes once ST0 is known: it has a size, it decodes and encodes octets, and it carries the
few words that the generated codec needs (`codes`, `load`, `store`). `decode` and the generated words are two
implementations of the same thing on purpose; the tests compare them.
"""

from c1219.wire.fields import BitsForm, BitSpan, CodedForm, bits_type
from c1219.wire.form import Form, Formats
from c1219.wire.numbers import BcdForm, FixedBcdForm, FloatForm, IntForm, NumberTextForm
from c1219.wire.text import BytesForm, DigitsForm, SecretForm, SetForm, TextForm
from c1219.wire.times import DateForm, RecurringDateForm, time_form

__all__ = [
    "BcdForm", "BitSpan", "BitsForm", "BytesForm", "CodedForm", "DateForm", "DigitsForm", "FixedBcdForm", "FloatForm",
    "Form", "Formats", "IntForm", "NumberTextForm", "RecurringDateForm", "SecretForm", "SetForm", "TextForm",
    "bits_type", "time_form",
]  # fmt: skip
