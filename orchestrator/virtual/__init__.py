"""Virtual space: calculators that tell the property of an alloy from its composition, and their station.

``calculator`` is what all of them have in common; ``slater_pauling`` is closed form and instant; ``elk`` and
``akaikkr`` run programs of others; ``catalogue`` makes the one that a lab file asks for.
"""
