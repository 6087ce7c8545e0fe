"""What can go wrong with a night, one thing at a time, and which checks say so.

Each takes a copy of a clean night and does one thing to it that no correct program would have done.  `catches` are
all the checks that must find a breach; none beside them may.
"""

from tests.audit.mutations import acts, calculations, campaign, documents, order, reference, samples, world
from tests.audit.mutations.kit import MUTATIONS, Mutation, put

__all__ = [
    "MUTATIONS",
    "Mutation",
    "acts",
    "calculations",
    "campaign",
    "documents",
    "order",
    "put",
    "reference",
    "samples",
    "world",
]
