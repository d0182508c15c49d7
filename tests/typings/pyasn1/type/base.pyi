from typing import Self

from pyasn1.type import constraint, tag

class Asn1Type:
    tagSet: tag.TagSet
    subtypeSpec: constraint.ConstraintsIntersection
    def subtype(
        self,
        *,
        implicitTag: tag.Tag = ...,
        explicitTag: tag.Tag = ...,
        subtypeSpec: constraint.AbstractConstraint = ...,
    ) -> Self: ...
