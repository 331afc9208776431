"""What can go wrong, named: each error carries the values a reader needs and one sentence for the person.

Faces map these once (`api/errors.py` to a status, `app/ui/frame.py` to a message). `message` says what happened,
`hint` what to do next; both may be shown to a user, so neither ever holds SQL, a path or a secret.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any


class AppError(Exception):
    """Base of every error that a user may see. With `retry_after_seconds`, the same may be sent again then."""

    retry_after_seconds: int | None = None

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFound(AppError):
    """No such row, or none that this person may know of."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"This {kind} does not exist.", hint="Go back to the list and open it again.")
        self.kind = kind
        self.key = key


class NotAuthenticated(AppError):
    """Wrong e-mail or password, or a session that has ended. Never says which."""


class SecondFactorNeeded(NotAuthenticated):
    """The password is right, and the code of the authenticator app is missing."""

    def __init__(self) -> None:
        super().__init__("The code of your authenticator app is needed too.", hint="Enter the six digits it shows.")


class IdentityProviderFailed(NotAuthenticated):
    """The company's identity provider did not answer, refused, or said something that cannot be relied on."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Try again, or sign in with your password.")


class NotPermitted(AppError):
    """The person is known and may not do this."""


class SessionNeeded(NotPermitted):
    """A token was used for what only somebody who has signed in may do."""

    def __init__(self) -> None:
        super().__init__(
            "This is not open to tokens.",
            hint="Sign in with a browser and do it there. The description of this API says what a token may do.",
        )


class NotRecent(NotPermitted):
    """The person may do this, but must prove again who they are."""


class SecondFactorRequired(NotPermitted):
    """The person's role needs an authenticator app, and they have none yet."""

    def __init__(self) -> None:
        super().__init__(
            "Your role needs a second factor.", hint="Set up an authenticator app, then go on: sign in once more."
        )


class IllegalTransition(AppError):
    """A move that the lifecycle does not know; `legal` lists those it does."""

    def __init__(self, from_status: str, to_status: str, legal: Sequence[str], *, what: str = "action") -> None:
        words = ", ".join(status.replace("_", " ") for status in legal) or "nothing else"
        article = "An" if what[0] in "aeiou" else "A"
        super().__init__(
            f"{article} {what} that is {from_status.replace('_', ' ')} cannot become {to_status.replace('_', ' ')}.",
            hint=f"From here it can become: {words}.",
        )
        self.from_status = from_status
        self.to_status = to_status
        self.legal = tuple(legal)


class StaleVersion(AppError):
    """Somebody else changed the row first.

    `current` is the row as it is now (an Action or a Suggestion), `changes` the events since `expected_version`, oldest
    first, so that a face can show what changed beside what was typed. Nothing was written.
    """

    def __init__(self, current: Any, expected_version: int, changes: Sequence[Any] = ()) -> None:
        names = sorted({change.actor_name for change in changes})
        who = " and ".join(names) if names else "Somebody"
        super().__init__(
            f"{who} changed this while you were working on it.",
            hint="Your text is kept: look at what changed, then save again.",
        )
        self.current = current
        self.expected_version = expected_version
        self.changes = tuple(changes)


class InvalidInput(AppError):
    """A value that cannot be taken; `field` names it and `value` is what was typed, so that nothing is lost."""

    def __init__(self, field: str, message: str, *, value: object = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.value = value


class IdempotencyConflict(AppError):
    """The same request key came back with another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "This form was already sent with other content.", hint="Open it again, then send the new content."
        )
        self.key = key


class TooManyRequests(AppError):
    """More requests within a minute than one may send; the next one is taken in `retry_after_seconds`."""

    def __init__(self, per_minute: int, *, retry_after_seconds: int) -> None:
        super().__init__(
            f"More than {per_minute} requests within a minute.", hint=f"Try again in {retry_after_seconds} s."
        )
        self.retry_after_seconds = retry_after_seconds


class Busy(AppError):
    """Somebody else holds what this needs for longer than one waits: nothing was written, and the same may be tried
    again in `retry_after_seconds`."""

    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__(
            "This is being changed by somebody else at this very moment.",
            hint="Nothing was saved and nothing you typed is lost: try again in a few seconds.",
        )


class TooManyStatements(AppError):
    """As many statements of one person run as may at once, or of all people together; nothing was run."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message, hint="Wait for one to end, or cancel it, then run this one again.")
        self.retry_after_seconds = retry_after_seconds


class StatementFailed(AppError):
    """A statement of an analyst that the database refused; the message never holds a value of a row."""


class StatementEnded(AppError):
    """A statement of an analyst that was ended before its answer: too slow, or nobody waited for it any more."""


class SandboxUnavailable(AppError):
    """Statements of analysts cannot be run at all here, now."""

    def __init__(self) -> None:
        super().__init__("SQL cannot be run right now.", hint="Everything else works. Try again in a minute.")


class Overloaded(AppError):
    """More is asked than can be answered; nothing was begun, and it may be sent again in `retry_after_seconds`."""

    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("Too much is asked at once right now.", hint="Try again in a moment; nothing was changed.")


class MartUnavailable(AppError):
    """Figures are asked for and no build has been published yet."""

    def __init__(self, mart: str) -> None:
        super().__init__(
            "There are no figures yet: the first build has not been published.",
            hint="This page fills itself as soon as the first load and build have finished.",
        )
        self.mart = mart


class BuildReplaced(AppError):
    """Rows of one build were asked for while another one was published; whoever asked begins anew with that one."""

    def __init__(self, build_id: int) -> None:
        super().__init__(f"Build {build_id} has just been replaced.", hint="Ask again.")


class Throttled(AppError):
    """Too many attempts; `retry_at` is when the next one will be looked at."""

    def __init__(self, retry_at: datetime, *, retry_after_seconds: int) -> None:
        super().__init__(
            "Too many attempts to sign in.", hint=f"Try again in {max(1, round(retry_after_seconds / 60))} min."
        )
        self.retry_at = retry_at
        self.retry_after_seconds = retry_after_seconds
