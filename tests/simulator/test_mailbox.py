"""The simulated mailbox: what is sent arrives, is shown as text, and a repeat is dropped."""

import asyncio
import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest
import uvicorn

from local.postgres import free_port
from simulator.config import Settings
from simulator.mailbox import MOST_KEPT, Mailbox, Received, listen
from tests.simulator.conftest import wait_until_served


class Served:
    """Addresses of a running mailbox."""

    def __init__(self) -> None:
        self.smtp_port = free_port()
        self.http_port = free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"

    def send(self, *, subject: str = "Two are late", text: str = "See the list.", message_id: str = "<1@here>") -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "no-reply@force24.example", "maya@force24.example", subject
        mail["Message-ID"] = message_id
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as server:
            server.send_message(mail)

    def messages(self, **query: str) -> list[dict[str, object]]:
        return httpx.get(f"{self.url}/messages", params=query).json()


@pytest.fixture
def served() -> Iterator[Served]:
    """A mailbox of this test, in a thread."""
    made, box = Served(), Mailbox()
    config = uvicorn.Config(box.application(), port=made.http_port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)

    async def run() -> None:
        mail_server = await listen(box, host="127.0.0.1", port=made.smtp_port)
        await server.serve()
        mail_server.close()
        await mail_server.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    wait_until_served(made.url)
    yield made
    server.should_exit = True
    thread.join(timeout=10)


def test_an_e_mail_arrives_with_its_text_and_umlauts(served: Served) -> None:
    served.send(subject="Übergabe", text="Grüße ✓")

    [mail] = served.messages()

    assert (mail["kind"], mail["subject"], mail["recipients"]) == ("email", "Übergabe", ["maya@force24.example"])
    assert str(mail["text"]).strip() == "Grüße ✓"


def test_a_repeat_with_the_same_message_id_is_counted_and_not_kept_again(served: Served) -> None:
    served.send()
    served.send()
    served.send(message_id="<2@here>")

    assert [mail["arrivals"] for mail in served.messages()] == [1, 2]


def test_a_chat_message_arrives_in_its_channel(served: Served) -> None:
    answer = httpx.post(f"{served.url}/hooks/customer-success", json={"text": "*3 actions are late*\nSee the list."})

    assert answer.text == "ok"
    [message] = served.messages(to="customer-success")
    assert (message["kind"], message["subject"]) == ("chat", "3 actions are late")


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"text": ""}', b'{"text": 3}', b'{"words": "x"}'])
def test_a_chat_message_without_text_is_refused(served: Served, body: bytes) -> None:
    assert httpx.post(f"{served.url}/hooks/customer-success", content=body).status_code == 400
    assert served.messages() == []


def test_markup_in_a_message_is_shown_as_text(served: Served) -> None:
    served.send(subject="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")

    page = httpx.get(served.url)

    assert "<script>" not in page.text
    assert "<img" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_list_can_be_emptied(served: Served) -> None:
    served.send()

    assert httpx.delete(f"{served.url}/messages").json() == []
    assert served.messages() == []


def test_the_oldest_go_when_there_are_too_many() -> None:
    box = Mailbox()
    for number in range(MOST_KEPT + 5):
        box.keep(
            Received(
                key=str(number), kind="chat", sender="", recipients=(), subject=str(number), text="", received_at=""
            )
        )

    kept = box.messages()

    assert len(kept) == MOST_KEPT
    assert (kept[0].subject, kept[-1].subject) == (str(MOST_KEPT + 4), "5")


def test_the_simulator_serves_the_mailbox_beside_the_vendors(served_settings: Settings) -> None:
    address = f"http://127.0.0.1:{served_settings.simulator_mailbox_port}"
    wait_until_served(address)
    with smtplib.SMTP("127.0.0.1", served_settings.simulator_smtp_port, timeout=10) as server:
        server.sendmail("a@force24.example", ["b@force24.example"], "Subject: Hello\r\n\r\nHello")

    assert [one["subject"] for one in httpx.get(f"{address}/messages?to=b@force24.example").json()] == ["Hello"]
