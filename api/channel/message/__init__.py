"""The messages of the channel interface as they travel: one noun a file.

Every model here is checked on reading and on writing, and is the source of the served OpenAPI
document. Attribute names are the wire's own, so a member is found by the name that a channel
developer knows. Amounts are integers in minor units (cents), times are UTC.

Reading is lenient, as the interface's other peers are: unknown members are ignored, a number may
come as a string and a string as a number, a missing list is empty and a null optional is absent.
Writing is strict: no nulls, numbers as JSON numbers.
"""
