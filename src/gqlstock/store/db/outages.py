"""How long a process waits for its database, and the errors that tell that it is away."""

from dataclasses import dataclass


class Disconnected(Exception):
    """The connection was lost, its server takes no writes, or a statement was not answered in time.

    A transaction sent no COMMIT, so it can be repeated. A single write outside of a transaction may have been committed.
    """


class Unavailable(Exception):
    """The database does not answer or has no space left, or others hold its locks, and waiting is over.

    The transaction was not committed. Others of the same call may have been before it.
    """


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
