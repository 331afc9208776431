"""The HTTP client: what it repeats, what it refuses, and what it never sends anywhere."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from extract.config import HttpSettings
from extract.errors import SourceRejected, SourceUnavailable
from extract.http import HttpClient, Session, Throttle, Vendor, retry_after
from extract.sources import hubspot_client, stripe_client, zendesk_client
from extract.stream import Journal

QUICK = HttpSettings(
    retry_budget_seconds=1.5, connect_budget_seconds=0.2, wait_initial_seconds=0.01, wait_max_seconds=0.02
)
PLAIN = Vendor("plain", "Plain", "PLAIN_BASE_URL", "PLAIN_TOKEN", "x-request-id")
Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer, vendor: Vendor = PLAIN, **options) -> HttpClient:
    """A client of https://vendor.example/base whose network is `answer`."""
    transport = httpx.MockTransport(answer)
    session = Session(vendor, "https://vendor.example/base", patience=QUICK, transport=transport, **options)
    return HttpClient(session, Journal())


def one_after_the_other(*answers: httpx.Response | Exception) -> tuple[Answer, list[httpx.Request]]:
    """A network that gives `answers` in order, and the requests it got."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        given = answers[min(len(asked), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    return answer, asked


def ok(**body) -> httpx.Response:
    return httpx.Response(200, json=body)


@pytest.mark.parametrize("status", [408, 423, 425, 429, 500, 502, 503, 504, 520, 524])
def test_a_passing_failure_is_tried_again(status: int) -> None:
    answer, asked = one_after_the_other(httpx.Response(status), httpx.Response(status), ok(fine=True))

    reply = client(answer).get("/things")

    assert reply.body == {"fine": True}
    assert len(asked) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 501])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    answer, asked = one_after_the_other(httpx.Response(status, json={"message": "no such thing"}))

    with pytest.raises(SourceRejected, match=f'https://vendor.example/base/things answered {status} "no such thing"'):
        client(answer).get("/things")

    assert len(asked) == 1


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]
)
def test_a_broken_connection_is_tried_again(failure: Exception) -> None:
    answer, asked = one_after_the_other(failure, ok())

    client(answer).get("/things")

    assert len(asked) == 2


def test_a_source_that_is_down_is_one_clear_sentence_soon() -> None:
    answer, asked = one_after_the_other(httpx.ConnectError("refused"))

    with pytest.raises(SourceUnavailable) as raised:
        client(answer).get("/things")

    assert str(raised.value) == (
        "Plain at https://vendor.example/base/things does not answer: connection refused or name unknown (gave up "
        "after 0 s). What was committed stays; start the source or check PLAIN_BASE_URL, then run again."
    )
    assert len(asked) > 2


def test_the_budget_ends_the_waiting_and_the_request_id_is_told() -> None:
    answer, _ = one_after_the_other(httpx.Response(503, headers={"x-request-id": "req_7", "retry-after": "3600"}))

    with pytest.raises(SourceUnavailable, match=r"answered 503 \(request req_7\) \(gave up after 0 s\)"):
        client(answer).get("/things")


def test_half_a_body_is_tried_again_but_not_for_ever() -> None:
    half = httpx.Response(200, content=b'{"results": [1, 2')
    answer, asked = one_after_the_other(half, ok(results=[1, 2, 3]))
    assert client(answer).get("/things").body == {"results": [1, 2, 3]}

    answer, asked = one_after_the_other(httpx.Response(200, content=b"<html>proxy</html>"))
    with pytest.raises(SourceUnavailable, match="body that is not JSON"):
        client(answer).get("/things")
    assert len(asked) == 5


def test_an_expired_credential_is_renewed_once() -> None:
    answer, asked = one_after_the_other(httpx.Response(401), ok())
    given = iter(["old", "new"])

    def sign_in(http: httpx.Client, again: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {next(given)}"}

    client(answer, sign_in=sign_in).get("/things")

    assert [request.headers["authorization"] for request in asked] == ["Bearer old", "Bearer new"]


def test_a_second_401_names_the_variable_to_check() -> None:
    answer, asked = one_after_the_other(httpx.Response(401))

    with pytest.raises(SourceRejected, match=r"Check PLAIN_TOKEN and what it is allowed to read"):
        client(answer).get("/things")

    assert len(asked) == 2


def test_a_redirect_is_not_followed() -> None:
    answer, asked = one_after_the_other(httpx.Response(302, headers={"location": "https://elsewhere.example/"}))

    with pytest.raises(SourceRejected, match="redirects are not followed"):
        client(answer).get("/things")

    assert len(asked) == 1


def test_a_next_link_to_another_host_is_refused_and_one_to_ours_is_pinned() -> None:
    http = client(one_after_the_other(ok())[0])

    assert http.pinned("https://vendor.example/base/things?after=5") == "/things?after=5"
    with pytest.raises(
        SourceRejected, match=r"next link to another host \(api\.vendor\.example\); it was not followed"
    ):
        http.pinned("https://api.vendor.example/base/things?after=5")


def test_every_request_is_journaled_without_its_credentials() -> None:
    answer, _ = one_after_the_other(httpx.Response(500, headers={"x-request-id": "a"}), ok(n=1))
    http = client(answer, headers={"Authorization": "Bearer secret"})

    http.get("/things", {"limit": 5})

    first, second = http.journal.entries
    assert (first.status, first.request_id, first.attempt) == (500, "a", 1)
    assert (second.status, second.path, second.attempt, second.byte_count) == (200, "/base/things?limit=5", 2, 7)
    assert "secret" not in repr(http.journal.entries)


def test_the_clock_of_the_source_is_its_date_header() -> None:
    answer, _ = one_after_the_other(httpx.Response(200, json={}, headers={"date": "Fri, 20 Nov 2026 12:00:00 GMT"}))
    http = client(answer)

    http.get("/things")

    assert http.journal.source_now is not None
    assert http.journal.source_now.isoformat() == "2026-11-20T12:00:00+00:00"


def test_retry_after_may_be_a_date_on_the_servers_clock() -> None:
    headers = {"retry-after": "Fri, 20 Nov 2026 12:00:07 GMT", "date": "Fri, 20 Nov 2026 12:00:00 GMT"}

    assert retry_after(httpx.Response(429, headers=headers)) == 7.0
    assert retry_after(httpx.Response(429, headers={"retry-after": "2.5"})) == 2.5
    assert retry_after(httpx.Response(429, headers={"retry-after": "soon"})) is None


def test_a_throttled_bucket_spaces_its_requests() -> None:
    throttle = Throttle({"search": 50.0})
    begin = time.monotonic()

    for _ in range(6):
        throttle.wait("search")

    assert time.monotonic() - begin >= 0.095


@pytest.mark.parametrize(
    ("body", "attempt", "wait"),
    [
        ({"policyName": "SECONDLY"}, 1, 1.0),
        ({"message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}, 2, 2.0),
        (
            {"policyName": "TEN_SECONDLY_ROLLING", "message": "You have reached your ten_secondly_rolling limit."},
            1,
            2.5,
        ),
        ({"policyName": "TEN_SECONDLY_ROLLING"}, 9, 10.0),
    ],
)
def test_hubspot_waits_as_long_as_the_named_limit_needs(body: dict, attempt: int, wait: float) -> None:
    advice = hubspot_client.VENDOR.advise(httpx.Response(429, json=body), body, attempt)

    assert advice is not None
    assert (advice.retry, advice.wait) == (True, wait)


def test_hubspots_daily_limit_ends_the_run_at_once() -> None:
    body = {"policyName": "DAILY", "message": "You have reached your daily limit."}
    answer, asked = one_after_the_other(httpx.Response(429, json=body))

    with pytest.raises(SourceUnavailable, match="the next run continues where this one ended"):
        client(answer, hubspot_client.VENDOR).get("/crm/v3/objects/companies")

    assert len(asked) == 1


@pytest.mark.parametrize(
    ("status", "headers", "tries"),
    [
        (429, {"stripe-should-retry": "true"}, 2),
        (429, {"stripe-should-retry": "false"}, 1),
        (429, {}, 2),
        (409, {}, 2),
        (500, {"stripe-should-retry": "false"}, 1),
        (400, {"stripe-should-retry": "true"}, 2),
    ],
)
def test_stripes_own_header_decides_first(status: int, headers: dict[str, str], tries: int) -> None:
    error = {"error": {"code": "lock_timeout", "message": "busy"}}
    answer, asked = one_after_the_other(httpx.Response(status, json=error, headers=headers), ok())
    http = client(answer, stripe_client.VENDOR)

    if tries == 2:
        http.get("/v1/customers")
    else:
        with pytest.raises((SourceRejected, SourceUnavailable)):
            http.get("/v1/customers")

    assert len(asked) == tries


def test_zendesk_waits_for_its_bucket_when_the_header_promises_too_much() -> None:
    headers = {"retry-after": "1", "zendesk-ratelimit-incremental-exports": "total=10; remaining=0; resets=23"}
    response = httpx.Response(429, text="Number of allowed API requests per minute exceeded", headers=headers)

    advice = zendesk_client.VENDOR.advise(response, None, 1)

    assert advice is not None
    assert (advice.retry, advice.wait) == (True, 23.0)
    later = zendesk_client.VENDOR.advise(httpx.Response(429, headers={"retry-after": "1"}), None, 4)
    assert later is not None
    assert later.wait == 8.0


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        ({"error": "RecordNotFound", "description": "Not found"}, "Not found"),
        ({"error": {"title": "Forbidden", "message": "You do not have access"}}, "You do not have access"),
        ({"errors": [{"code": "InvalidPaginationDepth", "detail": "Too deep"}]}, "Too deep"),
        ({"error": "Couldn't authenticate you"}, "Couldn't authenticate you"),
    ],
)
def test_each_error_envelope_becomes_one_readable_sentence(envelope: dict, said: str) -> None:
    answer, _ = one_after_the_other(httpx.Response(404, json=envelope, headers={"x-request-id": "r1"}))

    with pytest.raises(SourceRejected, match=f'"{said}" \\(request r1\\)'):
        client(answer, zendesk_client.VENDOR).get("/api/v2/tickets")


@contextmanager
def broken_server(*answers: bytes) -> Iterator[str]:
    """A real server that sends raw bytes, one answer per connection, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join(timeout=5)
        listener.close()


def test_a_connection_cut_in_the_middle_of_a_body_is_tried_again() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
    cut, whole = head + b'40\r\n\r\n{"results": [', head + b'11\r\n\r\n{"rows": 3}'

    with broken_server(b"", cut, whole) as url:
        session = Session(PLAIN, url, patience=QUICK)
        reply = HttpClient(session, Journal()).get("/things")
        session.close()

    assert reply.body == {"rows": 3}
