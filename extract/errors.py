"""What can go wrong while reading a source, named by what a caller does about it.

Every message is one sentence (or two) a person can act on: the source, the address without secrets, what to do.
"""


class ExtractError(Exception):
    """Base of all errors of this room."""


class SourceUnavailable(ExtractError):
    """The source did not answer, or asked us to stop for now. Trying again later is right."""


class SourceRejected(ExtractError):
    """The source understood and refused, or its answer cannot be right. Trying again changes nothing."""


class TruncatedExtract(ExtractError):
    """A full read returned so much less than is stored that it must not be believed. Nothing was tombstoned."""


class StreamBusy(ExtractError):
    """Another run holds this stream, or has moved its state while this one was reading. Nothing was lost."""
