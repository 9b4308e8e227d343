"""How long a process waits for its database, and the errors that tell that it is away."""

from dataclasses import dataclass


class Disconnected(Exception):
    """The connection was lost, or its server takes no writes. A transaction sent no COMMIT, so it can be repeated.

    A single write outside of a transaction may have been committed.
    """


class Unavailable(Exception):
    """The database does not answer, or has no space left, and waiting is over. Nothing was committed."""


class ConnectionLost(Unavailable):
    """Like ``Disconnected``, in a process without a watcher, such as a command. It does not wait."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server waits for its database, in seconds.

    ``outage``: calls that arrive during an outage wait until it has lasted this long; later ones fail immediately.
    ``statement``: a statement without an answer for this long counts as a lost connection. PostgreSQL ends transactions
    that send no statement for this long: their process may be gone.
    """

    outage: float
    statement: float

    @property
    def lock(self) -> float:
        """How long a statement waits for a lock. Shorter, so that PostgreSQL ends the wait before the client gives up."""
        return self.statement / 6
