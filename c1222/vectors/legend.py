"""What cases can be about: every flag, with how sure it is that it must be so."""

from __future__ import annotations

from typing import Final

from c1222.vectors.model import Flag

__all__ = ["LEGEND"]

LEGEND: Final[dict[str, Flag]] = {
    # EAX'
    "BlockBoundary": Flag("V", "The length of header or body is at, before or behind a multiple of 16."),
    "EmptyBody": Flag("V", "There is nothing to encrypt: the MAC is that of the header alone, and no counter is used."),
    "SubkeyCarry": Flag(
        "V", "Doubling carries out of octet 15, or does not, so that octet 0 is changed by 87, or not."
    ),
    "CounterMask": Flag(
        "V", "Bits that are cleared in the counter block (octets 12 and 14) are set in the header's MAC."
    ),
    "CounterCarry": Flag("V", "Counting up carries from octet 15 into octet 14."),
    "Mode1": Flag(
        "V", "Cleartext with authentication: one MAC over header and body, no counter, nothing started at Q."
    ),
    "MacBitFlip": Flag("V", "One bit of the MAC is wrong."),
    "WrongMac": Flag("V", "MAC, body, header or key do not belong together."),
    "MacLength": Flag("V", "The MAC has not four octets."),
    "ShortHeader": Flag(
        "V",
        "The header has 16 octets or fewer, where EAX' is forgeable (eprint 2012/018); a primitive may leave the check "
        "to its caller.",
    ),
    "Forgery": Flag("V", "Made without the key: it verifies under every key where short headers are not refused."),
    "Erratum2008": Flag(
        "V", "As the first print of C12.22-2008 has it: counter bits cleared in octets 1 and 3, MAC reversed."
    ),
    "BigEndianDoubling": Flag("V", "Subkeys doubled as CMAC does, octet 0 being the most significant."),
    "HeaderOnlyMac": Flag("V", "In mode 1 the MAC leaves the body out, so that nothing protects it."),
    # messages
    "AbsentElement": Flag("V", "An element that need not be there is absent."),
    "NoCalledTitle": Flag("1", "A secured message without a called title; one reader cannot verify it."),
    "RelativeTitle": Flag("V", "A relative ApTitle stands in the canonical header in its absolute form."),
    "OtherBase": Flag("V", "Relative titles lie under another base than 2.16.124.113620.1.22.0."),
    "ContextBase": Flag(
        "1", "With an application context, relative titles lie below it and an arc 0; one reader leaves out the 0."
    ),
    "RelativeTag0D": Flag("1", "A relative title with the tag 0D: tables, some services, and the draft of 2006."),
    "EmptyTitle": Flag("1", "The empty relative title: the node has no title yet."),
    "LargeArc": Flag("V", "An arc of several octets, or one that needs more than 32 bits."),
    "FirstArc2": Flag(
        "V", "Under the first arc 2 the second may exceed 39: the first subidentifier has several octets."
    ),
    "LengthBoundary": Flag("V", "A length at the edge of its one, two or three octets."),
    "NonMinimalLength": Flag("V", "A length in more octets than it needs; it is authenticated as it was sent."),
    "LeadingZero": Flag("V", "An integer with leading zeros; it is authenticated as it was sent."),
    "UnsignedInteger": Flag("V", "An integer whose top bit is set is not negative."),
    "NoKeyId": Flag("?", "The authentication value has no key id: N is met without its octet and with 00."),
    "SessionWithoutAuthentication": Flag(
        "1", "A message of a session has no authentication value; key id and vector of the session stay in N."
    ),
    "IndirectReference": Flag("1", "The EXTERNAL says an indirect reference of 0, its default."),
    "DirectReference": Flag("?", "The EXTERNAL has a direct reference, which nobody uses."),
    "ElementOrder": Flag("1", "Elements are out of the usual order; that of the canonical header is fixed."),
    "UnknownElement": Flag("?", "An element that C12.22 does not have; the MAC does not cover it."),
    "RepeatedElement": Flag("?", "An element is there twice."),
    "DraftAuthentication": Flag("1", "An authentication value of the draft of January 2008, of C12.21, or opaque."),
    "MechanismName": Flag("V", "A mechanism name is part of the canonical header."),
    "Segment": Flag("1", "A segment is not secured by itself; the whole message is."),
    "Truncated": Flag("V", "Octets are missing at the end."),
    "TrailingOctets": Flag("V", "Octets are left over."),
    "IndefiniteLength": Flag("1", "The indefinite length, or the reserved length octet FF."),
    "BadTag": Flag("V", "A tag that cannot stand there."),
    "BadIdentifier": Flag("V", "Octets that are no object identifier."),
    "BadInteger": Flag("V", "An integer of no octets, or of more than five."),
    "BadAuthentication": Flag("V", "An authentication value that is none."),
    "MissingElement": Flag("V", "An element that must be there is absent."),
    "BadControl": Flag("V", "Bit 7 of the control octet is 0."),
    "ReservedMode": Flag("?", "Security mode 3 or response control 3 has no known meaning."),
    "EdClass": Flag("V", "The ED class is the first part of what is protected."),
    "EndOfList": Flag("V", "A length of 0 ends the list of services; what follows is padding."),
    "Downgrade": Flag("1", "The response is secured less than the request."),
    "NotTheAnswer": Flag("1", "The response quotes another request, or names other nodes."),
    "ResponseLeftOut": Flag("V", "Security has no response of its own, as in example 8 of the standard."),
    # services
    "TableChecksum": Flag("V", "The checksum of table data is the two's complement of the sum of the data alone."),
    "Chunk65535": Flag("V", "65535 octets of table data are followed by another chunk, if only an empty one."),
    "UnknownService": Flag("V", "A code without a meaning."),
    "IndexRead": Flag("1", "Reads and writes by index are known from one implementation."),
    "OptionalParameter": Flag("V", "A parameter whose presence shows in the length only."),
    "UnknownFeature": Flag("1", "Features of Identify have no length, so an unknown one ends what can be read."),
    "UnpairedResponse": Flag("V", "Without its request, only the result of a response is certain."),
    "ResponseParameters": Flag("1", "Parameters of a response other than ok."),
    "SegmentOverlap": Flag("1", "A segment brings octets that came before."),
    "SegmentGap": Flag("1", "Octets of the message are missing."),
    # tables
    "ByteOrder": Flag("V", "DATA_ORDER: 0 least significant octet first, 1 most significant first."),
    "NegativeNumber": Flag("V", "A negative number, in the form that INT_FORMAT says."),
    "NegativeZero": Flag("V", "Zero with a minus sign, which one's complement and sign-magnitude have."),
    "ReservedCode": Flag("1", "A format code without a meaning: not even the size is known."),
    "NoValue": Flag("1", "Octets that say that there is no value."),
    "NotANumber": Flag("V", "Octets that express no value of their type."),
    "CounterTime": Flag("V", "A time as minutes (TM_FORMAT 3) or seconds (4) since 1970."),
    "InferredForm": Flag(
        "?", "The form rests on inference: STIME, hundredths of a second, and times of day in TM_FORMAT 3 and 4."
    ),
    "UnassignedDate": Flag("?", "A month or day of 0; it may stand for a date that is not assigned."),
    "RecurringMinutes": Flag("1", "RDATE with MONTH 0: a period in minutes."),
    "NumberText": Flag("?", "A number as text: how sign, point, exponent and padding stand there is inference."),
    "WideCharacters": Flag("?", "UTF-16 and UTF-32: the order of octets, and what a length counts, are inference."),
    "ZeroPadding": Flag("?", "Zeros behind a text are padding, as blanks are."),
    "YearWindow": Flag("V", "Two digits of a year: 90 to 99 are 1990 to 1999, 00 to 89 are 2000 to 2089."),
    "OneSourceNumber": Flag(
        "1", "A form of numbers that one source describes: BCD with sign or point, NI_FMAT 12, 13."
    ),
    "Padding": Flag("V", "Blanks behind a text are padding."),
    "BitField": Flag("V", "The integer is read in DATA_ORDER and then split; bit 0 is its least significant."),
    "DependentTable": Flag("V", "The layout depends on ST0 and on the actual (x1) table of the decade."),
    "OneSourceTable": Flag("1", "A table that one source describes, or one that rests on inference."),
    "InferredTable": Flag("?", "A table whose layout rests on inference."),
    "Surplus": Flag("1", "The table is longer than its layout; devices do that."),
    "Absent": Flag("V", "The element takes no octets in this configuration."),
    "Slice": Flag("V", "Several entries of an array at once."),
    "SubField": Flag("V", "Part of a bit field: its octets are those of the bit field."),
    "BlockOrder": Flag("V", "ST63 tells in which order blocks and intervals stand."),
    "NewestBlock": Flag(
        "?", "Which entries of a block that is not full are in use where intervals stand in descending order."
    ),
    "Scaled": Flag("V", "A stored value times divisor, divided by scalar, is in the unit of its source."),
    "IntervalStatus": Flag("V", "Status of each interval, common and by channel, in nibbles."),
    # a serial line
    "Crc16": Flag("V", "CRC-16/X-25 from EE to the end of the data, low octet first."),
    "SwappedCrc": Flag("1", "The high octet of the CRC comes first, as some modules send it."),
    "PacketSize": Flag("V", "The size of a packet counts all of it, and is looked at before the CRC."),
    "EmptyPacket": Flag("1", "No data: an end of the local port shows that it is there; no service is empty."),
    "SeriesOfPackets": Flag("V", "A message of several packets: bits 7 and 6 of control, numbers down to 0."),
    "SeriesBroken": Flag("1", "A part is missing: it is acknowledged, and the message is given up."),
    "NoStuffing": Flag("V", "EE, 06 and 15 may stand in data: packets are found by state."),
    "BadNumber": Flag("V", "A number that does not fit its octets."),
    "LineNoise": Flag("V", "Octets between packets mean nothing."),
    "LineEcho": Flag("V", "The line brings back what is sent; it is taken off by count."),
    "MissingCrcOctet": Flag(
        "1", "A device that leaves out the last octet of the CRC, and then sends the packet again."
    ),
    "Repetition": Flag("V", "The same octets again: acknowledged, and not a second message."),
    "Retries": Flag("V", "A packet is sent four times; then the link is down."),
    "ToggleFault": Flag("1", "The toggle bit does not flip, and the packet is another one: it is taken."),
    "IdentifyAgain": Flag("?", "Identify with the same octets is never a repetition: somebody begins anew."),
    "AnswerInDoubt": Flag("?", "Nobody can tell the answer from one to an older question: it is sent again."),
    "ImpliedAcknowledgement": Flag("1", "Who asks for the next thing has received the last answer."),
    "DataFormat": Flag("1", "Data format 1, of C12.22: refused where services are spoken, acknowledged in packets."),
    "OneAtATime": Flag("V", "A message is sent once the one before is done with."),
}
"""Name of a flag to what it means."""
