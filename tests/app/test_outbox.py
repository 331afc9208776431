"""The outbox on a real mail server and a real web server: refused, slow, cut off, twice at once, and never in clear."""

import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.auth import Role
from app.errors import IllegalTransition, NotPermitted
from app.notices import delivery, outbox, service
from app.notices.delivery import DeliveryReport, deliver_due
from app.notices.outbox import Channel, Message, MessageStatus
from app.settings import get_settings
from local.postgres import free_port
from tests.app.factories import NOW, Estate, a_key

MAYA = "maya.lind@force24.example"
LATER = NOW + timedelta(days=1)


class Mailbox:
    """What arrived, and what the server answers: one answer per message, "250 OK" when there are none left."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}
        self.before_answer: Callable[[], object] = lambda: None

    async def handle_RCPT(  # noqa: N802  # aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.before_answer()
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.mails.append(message_from_bytes(content, policy=policy.default))  # pyright: ignore[reportArgumentType]
        return answer


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server on loopback that the settings name."""
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    configure(monkeypatch, SMTP_HOST="127.0.0.1", SMTP_PORT=str(port), SMTP_STARTTLS="false")
    yield box
    server.stop()


class Hook(BaseHTTPRequestHandler):
    """A chat channel: keeps what it is sent and answers as told."""

    got: list[tuple[str, str, str]]
    answers: list[tuple[int, dict[str, str]]]

    def do_POST(self) -> None:
        text = json.loads(self.rfile.read(int(self.headers["content-length"])))["text"]
        self.got.append((self.path, text, self.headers["idempotency-key"]))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hook]]:
    """A chat channel on loopback that the settings name."""
    hook = type("OneHook", (Hook,), {"got": [], "answers": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(monkeypatch, NOTIFY_WEBHOOK_URL=f"http://127.0.0.1:{server.server_port}/hooks/secret-token")
    yield hook
    server.shutdown()
    server.server_close()


def configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()


def put(estate: Estate, key: str = "one", *, by: Channel = Channel.EMAIL, **values: object) -> bool:
    defaults = {"recipient": MAYA, "subject": "Two actions are late", "body": "See the list.\n"}
    with estate.work() as db:
        made = outbox.enqueue(db, now=NOW, channel=by, dedupe_key=key, **(defaults | values))  # pyright: ignore[reportArgumentType]
    return made is not None


def messages(estate: Estate, status: str | None = None) -> list[Message]:
    with estate.work() as db:
        return outbox.list_messages(db, actor=estate.user("Ada Boss", Role.ADMIN), status=status)


def test_a_message_arrives_once_with_sender_subject_and_a_lasting_id(estate: Estate, mailbox: Mailbox) -> None:
    put(estate, subject="Übergabe:\n2 Aktionen", body="Grüße ✓\n")

    first, again = deliver_due(NOW, on=estate.engine), deliver_due(LATER, on=estate.engine)

    assert (first, again) == (DeliveryReport(sent=1), DeliveryReport())
    [mail] = mailbox.mails
    assert (mail["To"], mail["Subject"], mail["Auto-Submitted"]) == (MAYA, "Übergabe: 2 Aktionen", "auto-generated")
    assert mail.get_content().strip() == "Grüße ✓"
    assert mail["Message-ID"] == delivery.message_id_header(messages(estate)[0], get_settings())
    assert messages(estate)[0].sent_at == NOW


def test_the_same_event_is_enqueued_once(estate: Estate, mailbox: Mailbox) -> None:
    assert put(estate)
    assert not put(estate, subject="Again")

    assert deliver_due(NOW, on=estate.engine).sent == 1


def test_a_channel_that_is_not_configured_keeps_nothing(estate: Estate, mailbox: Mailbox) -> None:
    assert not put(estate, by=Channel.WEBHOOK, recipient=outbox.TEAM_CHANNEL)

    assert messages(estate) == []


def test_a_refusal_for_now_is_tried_again_after_a_pause_and_not_before(estate: Estate, mailbox: Mailbox) -> None:
    put(estate)
    mailbox.answers = ["451 greylisted, try later"]

    refused = deliver_due(NOW, on=estate.engine)
    too_early = deliver_due(NOW + timedelta(seconds=59), on=estate.engine)
    in_time = deliver_due(NOW + timedelta(minutes=1), on=estate.engine)

    assert (refused, too_early, in_time) == (DeliveryReport(failed=1), DeliveryReport(), DeliveryReport(sent=1))
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


def test_an_address_that_is_refused_for_good_is_given_up_and_the_admins_are_told_once(
    estate: Estate, mailbox: Mailbox
) -> None:
    ada = estate.user("Ada Boss", Role.ADMIN)
    mailbox.refused = {MAYA: "550 no such user"}
    put(estate)
    put(estate, "two")

    report = deliver_due(NOW, on=estate.engine)

    assert report == DeliveryReport(given_up=2)
    assert messages(estate)[0].last_error == "The address was refused: 550 no such user"
    with estate.work() as db:
        [notice] = service.inbox(db, identity=ada)
    assert notice.kind == service.NoticeKind.DELIVERY_FAILED
    assert len(messages(estate)) == 2  # of a failed message no message is sent


def test_a_message_is_given_up_after_eight_attempts(estate: Estate, mailbox: Mailbox) -> None:
    put(estate)
    mailbox.answers = ["451 not now"] * 20
    now, reports = NOW, []

    for _ in range(10):
        reports.append(deliver_due(now, on=estate.engine))
        now += outbox.LONGEST_PAUSE

    assert reports == [DeliveryReport(failed=1)] * 7 + [DeliveryReport(given_up=1)] + [DeliveryReport()] * 2


def test_a_dead_mail_server_costs_one_attempt_a_round_and_the_rest_wait(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, SMTP_HOST="127.0.0.1", SMTP_PORT=str(free_port()), SMTP_STARTTLS="false")
    for number in range(5):
        put(estate, str(number))

    report = deliver_due(NOW, on=estate.engine)

    assert report == DeliveryReport(failed=1)
    assert sorted(one.attempts for one in messages(estate)) == [0, 0, 0, 0, 1]
    with estate.work() as db:
        assert not outbox.is_waiting(db, now=NOW + timedelta(seconds=30))
        assert outbox.is_waiting(db, now=NOW + outbox.REST)


def test_a_mail_server_that_says_nothing_is_left_after_the_time_out(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SMTP_TIMEOUT_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        configure(monkeypatch, SMTP_HOST="127.0.0.1", SMTP_PORT=str(silent.getsockname()[1]), SMTP_STARTTLS="false")
        put(estate)

        report = deliver_due(NOW, on=estate.engine)

    assert report == DeliveryReport(failed=1)
    assert messages(estate)[0].last_error == "The mail server took too long, or hung up."


def test_a_mail_server_without_starttls_is_not_written_to_in_the_clear(
    estate: Estate, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, SMTP_STARTTLS="true")
    put(estate)

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(failed=1)
    assert mailbox.mails == []
    assert "STARTTLS" in (messages(estate)[0].last_error or "")


def test_a_password_does_not_travel_in_the_clear_to_another_machine(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, SMTP_HOST="192.0.2.1", SMTP_USERNAME="us", SMTP_PASSWORD="hush", SMTP_STARTTLS="false")
    put(estate)

    deliver_due(NOW, on=estate.engine)

    assert messages(estate)[0].last_error == "The password would travel in the clear: set SMTP_STARTTLS=true."


OVER_TLS = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
"""The server of the tests does not know of the TLS beneath it when it speaks it from the first byte."""


@dataclass
class SafeServer:
    """A mail server that speaks TLS: its mailbox, and the sign-ins it heard."""

    mailbox: Mailbox
    sign_ins: list[LoginPassword] = field(default_factory=list)

    def judge(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        """Whom the server lets in."""
        assert isinstance(data, LoginPassword)
        assert server.transport
        assert server.transport.get_extra_info("sslcontext"), "a password in the clear"
        self.sign_ins.append(data)
        return AuthResult(success=data == LoginPassword(b"us", b"hush"), handled=False)


@pytest.fixture(params=["STARTTLS", "TLS from the first byte"])
def safe_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[SafeServer]:
    """A mail server with a certificate of its own authority, which takes mail from those who sign in."""
    authority, port, made = trustme.CA(), free_port(), SafeServer(Mailbox())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if request.param == "STARTTLS":
        safety = {"tls_context": context, "require_starttls": True}
    else:
        monkeypatch.setattr(delivery, "IMPLICIT_TLS_PORT", port)
        safety = {"ssl_context": context, "auth_require_tls": False}  # it looks for STARTTLS only
    server = Controller(
        made.mailbox, hostname="127.0.0.1", port=port, authenticator=made.judge, auth_required=True, **safety
    )
    server.start()
    configure(monkeypatch, SMTP_HOST="127.0.0.1", SMTP_PORT=str(port), SMTP_STARTTLS="true", SMTP_USERNAME="us")
    with authority.cert_pem.tempfile() as trusted:
        configure(monkeypatch, SMTP_PASSWORD="hush", SSL_CERT_FILE=trusted)
        yield made
    server.stop()


@OVER_TLS
def test_mail_goes_by_tls_to_a_server_that_asks_for_a_sign_in(estate: Estate, safe_server: SafeServer) -> None:
    put(estate)

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(sent=1)
    assert [mail["To"] for mail in safe_server.mailbox.mails] == [MAYA]
    assert safe_server.sign_ins == [LoginPassword(b"us", b"hush")]


@OVER_TLS
def test_a_server_that_refuses_the_sign_in_gets_nothing_and_the_message_waits(
    estate: Estate, safe_server: SafeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, SMTP_PASSWORD="guess")
    put(estate)

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(failed=1)
    assert safe_server.mailbox.mails == []
    assert messages(estate, "pending")[0].last_error == "The mail server refused our sign-in."


@OVER_TLS
def test_a_server_whose_certificate_nobody_we_trust_has_signed_hears_no_password(
    estate: Estate, safe_server: SafeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trustme.CA().cert_pem.tempfile() as others:
        configure(monkeypatch, SSL_CERT_FILE=others)
        put(estate)
        deliver_due(NOW, on=estate.engine)

    assert (safe_server.sign_ins, safe_server.mailbox.mails) == ([], [])
    assert (messages(estate)[0].last_error or "").startswith("No safe connection")


def test_a_deliverer_that_dies_after_sending_sends_again_under_the_same_id(
    estate: Estate, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(estate)

    def killed(*arguments: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "mark_sent", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver_due(NOW, on=estate.engine)
    at_once = deliver_due(NOW, on=estate.engine)
    after_a_pause = deliver_due(NOW + timedelta(minutes=1), on=estate.engine)

    assert (at_once, after_a_pause) == (DeliveryReport(), DeliveryReport(sent=1))
    assert len(mailbox.mails) == 2
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1
    assert messages(estate)[0].attempts == 2


def test_a_message_that_kills_its_deliverer_every_time_is_given_up(
    estate: Estate, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(estate)
    now = NOW

    def killed(*arguments: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(smtplib.SMTP, "send_message", killed)
        for _ in range(outbox.MOST_ATTEMPTS):
            with pytest.raises(KeyboardInterrupt):
                deliver_due(now, on=estate.engine)
            now += outbox.LONGEST_PAUSE

    assert deliver_due(now, on=estate.engine) == DeliveryReport(given_up=1)
    assert mailbox.mails == []


def test_one_odd_message_does_not_hold_up_the_others(
    estate: Estate, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    put(estate, "odd", recipient="no address at all\r\nBcc: everybody@elsewhere.example")
    put(estate, "good")

    report = deliver_due(NOW, on=estate.engine)

    assert report == DeliveryReport(sent=1, given_up=1)
    assert [mail["To"] for mail in mailbox.mails] == [MAYA]


def test_two_deliverers_at_once_never_send_one_message_twice(estate: Estate, mailbox: Mailbox) -> None:
    for number in range(30):
        put(estate, str(number), subject=f"Message {number}")
    start = threading.Barrier(4)

    def deliver(_: int) -> DeliveryReport:
        start.wait()
        return deliver_due(NOW, on=estate.engine)

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(deliver, range(4)))

    assert sum(report.sent for report in reports) == 30
    assert sorted(mail["Subject"] for mail in mailbox.mails) == sorted(f"Message {number}" for number in range(30))


def test_a_message_in_hand_is_not_touched_by_another_deliverer_however_long_it_takes(
    estate: Estate, mailbox: Mailbox
) -> None:
    put(estate)
    seen: list[DeliveryReport] = []
    # in the middle of the sending another deliverer comes by, a day later by its clock
    mailbox.before_answer = lambda: seen or seen.append(deliver_due(LATER, on=estate.engine))

    first = deliver_due(NOW, on=estate.engine)

    assert (first, seen) == (DeliveryReport(sent=1), [DeliveryReport()])
    assert len(mailbox.mails) == 1


def test_the_channel_gets_text_and_its_address_is_shown_to_nobody(estate: Estate, channel: type[Hook]) -> None:
    put(estate, by=Channel.WEBHOOK, recipient=outbox.TEAM_CHANNEL)

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(sent=1)
    [(path, text, name)] = channel.got
    assert path == "/hooks/secret-token"
    assert text == "*Two actions are late*\nSee the list.\n"
    assert name
    assert "secret-token" not in repr(messages(estate))


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_channel_that_is_ill_is_asked_again(estate: Estate, channel: type[Hook], status: int) -> None:
    put(estate, by=Channel.WEBHOOK)
    channel.answers.append((status, {"retry-after": "600"}))

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(failed=1)
    assert deliver_due(NOW + timedelta(seconds=599), on=estate.engine) == DeliveryReport()
    assert deliver_due(NOW + timedelta(seconds=600), on=estate.engine) == DeliveryReport(sent=1)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_channel_that_refuses_is_not_asked_again(estate: Estate, channel: type[Hook], status: int) -> None:
    put(estate, by=Channel.WEBHOOK)
    channel.answers.append((status, {}))

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(given_up=1)
    assert messages(estate)[0].last_error == f"The channel refused the message: {status}."


def test_a_redirect_is_not_followed(estate: Estate, channel: type[Hook]) -> None:
    put(estate, by=Channel.WEBHOOK)
    channel.answers.append((307, {"location": "/elsewhere"}))

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(given_up=1)
    assert [path for path, _, _ in channel.got] == ["/hooks/secret-token"]


@pytest.mark.parametrize(
    "address", ["http://hooks.example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "nonsense"]
)
def test_a_channel_without_https_is_never_called(estate: Estate, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    configure(monkeypatch, NOTIFY_WEBHOOK_URL=address)
    put(estate, by=Channel.WEBHOOK)

    assert deliver_due(NOW, on=estate.engine) == DeliveryReport(failed=1)
    assert messages(estate)[0].last_error == "The address of the channel must begin with https."


def test_only_admins_see_messages_and_send_them_again(estate: Estate, mailbox: Mailbox) -> None:
    put(estate)

    with estate.work() as db, pytest.raises(NotPermitted):
        outbox.list_messages(db, actor=estate.user())
    with estate.work() as db, pytest.raises(NotPermitted):
        outbox.retry(db, actor=estate.user(), now=NOW, message_id=messages(estate)[0].message_id, idempotency_key="k")


def test_a_message_that_was_given_up_gets_all_its_attempts_again_and_the_trail_says_who_asked(
    estate: Estate, mailbox: Mailbox
) -> None:
    ada = estate.user("Ada Boss", Role.ADMIN)
    mailbox.refused = {MAYA: "550 no such user"}
    put(estate)
    deliver_due(NOW, on=estate.engine)
    [message] = messages(estate, MessageStatus.GIVEN_UP)
    mailbox.refused = {}
    key = a_key()

    for _ in range(2):  # a double click
        with estate.work() as db:
            again = outbox.retry(db, actor=ada, now=NOW, message_id=message.message_id, idempotency_key=key)
    report = deliver_due(NOW, on=estate.engine)

    assert (again.status, again.attempts) == (MessageStatus.PENDING, 0)
    assert report == DeliveryReport(sent=1)
    assert estate.one("select actor_name from app.audit_events where subject_kind = 'message' limit 1") == "Ada Boss"


def test_a_message_that_was_sent_is_not_sent_again(estate: Estate, mailbox: Mailbox) -> None:
    put(estate)
    deliver_due(NOW, on=estate.engine)

    with estate.work() as db, pytest.raises(IllegalTransition):
        outbox.retry(
            db,
            actor=estate.user("Ada Boss", Role.ADMIN),
            now=NOW,
            message_id=messages(estate)[0].message_id,
            idempotency_key=a_key(),
        )


def test_pauses_grow_to_six_hours() -> None:
    minutes = [outbox.pause_after(attempts) / timedelta(minutes=1) for attempts in range(1, 9)]

    assert minutes == [1, 4, 16, 64, 256, 360, 360, 360]
