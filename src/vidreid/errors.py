"""What the library raises about data that it cannot use."""


class DataError(ValueError):
    """Data on disk are damaged, contradict each other or have another form than their reader expects.

    The message is one sentence for the user: what is wrong, where, what to do. Readers raise nothing else,
    whatever a file holds.
    """


class MissingDataError(DataError, FileNotFoundError):
    """A file or folder that must be there is not."""
