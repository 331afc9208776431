"""What is in the outbox leaves: by SMTP to people, by a webhook to the team's channel.

Every attempt has a time-out, and a receiver that cannot be reached is left alone for the rest of the round, so that
one dead server costs one time-out and not one per message. What a receiver refuses for good (an unknown mailbox, a
channel that was removed) is given up at once; everything else is tried again, see `outbox.pause_after`.
"""

import logging
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import blake2b
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Connection, Engine

from app.db import unit_of_work
from app.notices import outbox
from app.notices.outbox import MOST_ATTEMPTS, Channel, Message, MessageStatus
from app.notices.service import NewNotice, NoticeKind, admins_of, notify_all
from app.settings import Settings, get_settings

LOG = logging.getLogger(__name__)
SMTP_TIMEOUT_SECONDS = 10.0
WEBHOOK_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
ROUND_SECONDS = 120.0  # a round that takes longer leaves the rest to the next one
IMPLICIT_TLS_PORT = 465
_HTTP_LATER = frozenset({408, 425, 429})


class DeliveryFailed(Exception):
    """A message did not leave. `is_final`: it never will as it is; `is_unreachable`: no other would now either."""

    def __init__(
        self, sentence: str, *, is_final: bool = False, is_unreachable: bool = False, wait: timedelta | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.is_final = is_final
        self.is_unreachable = is_unreachable
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What one round did: messages sent, attempts that failed and will be made again, messages given up."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


def message_id_header(message: Message, settings: Settings) -> str:
    """The same for every attempt of a message, so that a receiver can drop a repeat."""
    name = blake2b(message.dedupe_key.encode(), digest_size=20).hexdigest()
    domain = parseaddr(settings.smtp_from)[1].rpartition("@")[2] or "localhost"
    return f"<{name}@{domain}>"


def as_email(message: Message, settings: Settings) -> EmailMessage:
    """The message as it goes over the wire. Raises DeliveryFailed when it cannot be written as one."""
    mail = EmailMessage()
    try:
        mail["From"] = settings.smtp_from
        mail["To"] = message.recipient
        mail["Subject"] = message.subject
    except ValueError:
        raise DeliveryFailed("The address or the subject cannot be written into an e-mail.", is_final=True) from None
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = message_id_header(message, settings)
    mail["Auto-Submitted"] = "auto-generated"  # out-of-office assistants do not answer
    mail.set_content(message.body)
    return mail


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _told_in_words() -> Iterator[None]:
    """What smtplib raises, as DeliveryFailed. The server's own words are kept, ours never hold a secret."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise DeliveryFailed(f"The address was refused: {_words(code, words)}", is_final=code >= 500) from None
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        # 5xx, but for "insufficient storage" which some servers say so
        is_final = error.smtp_code >= 500 and error.smtp_code != 552
        raise DeliveryFailed(f"Refused: {_words(error.smtp_code, error.smtp_error)}", is_final=is_final) from None
    except smtplib.SMTPAuthenticationError:
        raise DeliveryFailed("The mail server refused our sign-in.", is_unreachable=True) from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryFailed(f"The mail server cannot do what is needed: {error}.") from None
    except smtplib.SMTPResponseException as error:
        words = _words(error.smtp_code, error.smtp_error)
        raise DeliveryFailed(f"The mail server answered: {words}", is_unreachable=True) from None
    except ssl.SSLError as error:
        raise DeliveryFailed(f"No safe connection: {error.reason or 'TLS failed'}.", is_unreachable=True) from None
    except (TimeoutError, smtplib.SMTPServerDisconnected):  # smtplib tells a time-out as the latter
        raise DeliveryFailed("The mail server took too long, or hung up.", is_unreachable=True) from None
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryFailed(f"The mail server is away: {type(error).__name__}.", is_unreachable=True) from None


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())[:300]}"


def send_email(message: Message, settings: Settings) -> None:
    """Hand one message to the configured mail server. Raises DeliveryFailed.

    With SMTP_STARTTLS a server that does not offer it is refused; a password never travels in the clear to another
    machine.
    """
    mail, host, port = as_email(message, settings), settings.smtp_host or "", settings.smtp_port
    has_tls = port == IMPLICIT_TLS_PORT or settings.smtp_starttls
    if settings.smtp_username and not has_tls and not _is_loopback(host):
        raise DeliveryFailed("The password would travel in the clear: set SMTP_STARTTLS=true.", is_unreachable=True)
    trusted = ssl.create_default_context()
    with _told_in_words():
        if port == IMPLICIT_TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SMTP_TIMEOUT_SECONDS, context=trusted)
        else:
            server = smtplib.SMTP(host, port, timeout=SMTP_TIMEOUT_SECONDS)
        try:
            if has_tls and port != IMPLICIT_TLS_PORT:
                server.starttls(context=trusted)
            if settings.smtp_username:
                password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
                server.login(settings.smtp_username, password)
            server.send_message(mail)
        finally:
            _leave(server)


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye, whether or not anybody listens: what was accepted stays accepted."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def _retry_after(answer: httpx.Response) -> timedelta | None:
    told = answer.headers.get("retry-after", "")
    return timedelta(seconds=int(told)) if told.isdigit() and len(told) < 7 else None


def send_webhook(message: Message, settings: Settings) -> None:
    """Post one message to the team's channel as {"text": ...}. Raises DeliveryFailed; never follows a redirect."""
    secret = settings.notify_webhook_url.get_secret_value() if settings.notify_webhook_url else ""
    try:
        parts = urlsplit(secret)
    except ValueError:
        raise DeliveryFailed("The address of the channel is malformed.", is_unreachable=True) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise DeliveryFailed("The address of the channel must begin with https.", is_unreachable=True)
    name = message_id_header(message, settings).strip("<>")
    try:
        with httpx.Client(timeout=WEBHOOK_TIMEOUT, follow_redirects=False) as client:
            answer = client.post(
                secret, json={"text": f"*{message.subject}*\n{message.body}"}, headers={"Idempotency-Key": name}
            )
    except httpx.TimeoutException:
        raise DeliveryFailed("The channel took too long.", is_unreachable=True) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DeliveryFailed(f"The channel is away: {type(error).__name__}.", is_unreachable=True) from None
    if answer.is_success:
        return
    status = answer.status_code
    if status in _HTTP_LATER or status >= 500:
        raise DeliveryFailed(f"The channel answered {status}.", is_unreachable=True, wait=_retry_after(answer))
    raise DeliveryFailed(f"The channel refused the message: {status}.", is_final=True)


_SENDERS = {Channel.EMAIL: send_email, Channel.WEBHOOK: send_webhook}


def _send(message: Message) -> None:
    """Hand a message to its channel. Raises DeliveryFailed for whatever goes wrong: one odd message stops no other."""
    if message.attempts > MOST_ATTEMPTS:
        raise DeliveryFailed("Its delivery was cut off every time.", is_final=True)
    try:
        _SENDERS[message.channel](message, get_settings())
    except DeliveryFailed:
        raise
    except Exception as error:
        LOG.exception("message %s could not be sent", message.message_id)
        raise DeliveryFailed(f"It could not be sent: {type(error).__name__}.") from None


def _tell_admins(db: Connection, message: Message, sentence: str, *, now: datetime) -> None:
    """One notice a day and channel: a mail server that is down for a week is one fact, not a thousand."""
    told = [
        NewNotice(
            user_id=admin,
            kind=NoticeKind.DELIVERY_FAILED,
            title="A message could not be delivered",
            body=f"{message.subject} (to {message.recipient}): {sentence}",
            dedupe_key=f"delivery_failed:{message.channel}:{now.date()}",
            is_mailed=False,
        )
        for admin in admins_of(db)
    ]
    notify_all(db, now=now, told=told)


def _attempt(message: Message, *, now: datetime, on: Engine | None) -> tuple[MessageStatus | None, bool]:
    """Send one message whose attempt is counted: where it stands now (None: somebody else has it), and whether its
    channel is away."""
    with unit_of_work(on) as db:
        if not outbox.hold(db, message):
            return None, False
        try:
            _send(message)
        except DeliveryFailed as failed:
            status = outbox.mark_failed(
                db, message, now=now, error=failed.sentence, is_final=failed.is_final, wait=failed.wait
            )
            if status is MessageStatus.GIVEN_UP:
                _tell_admins(db, message, failed.sentence, now=now)
            if failed.is_unreachable:
                outbox.postpone(db, message.channel, now=now)
            return status, failed.is_unreachable
        outbox.mark_sent(db, message, now=now)
        return MessageStatus.SENT, False


def deliver_due(now: datetime, *, on: Engine | None = None) -> DeliveryReport:
    """Send what is due, oldest first, each message in a transaction of its own. Safe to run twice at once.

    `now` is business time. Stops after two minutes; what is left is due in the next round.
    """
    ends_at = time.monotonic() + ROUND_SECONDS
    away: set[Channel] = {channel for channel in Channel if not outbox.is_configured(channel)}
    counts = dict.fromkeys(MessageStatus, 0)
    while time.monotonic() < ends_at:
        with unit_of_work(on) as db:
            message = outbox.begin_attempt(db, now=now, but_not=away)
        if message is None:
            break
        status, is_away = _attempt(message, now=now, on=on)
        if status is not None:
            counts[status] += 1
        if is_away:
            away.add(message.channel)
    return DeliveryReport(
        sent=counts[MessageStatus.SENT], failed=counts[MessageStatus.PENDING], given_up=counts[MessageStatus.GIVEN_UP]
    )
