"""Reports that are sent: by mail and onto servers, once if all goes well and never not at all."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.event import Event
from domain.outbox import (
    Report,
    ReportFile,
    ReportKind,
    ReportMade,
    ReportNotSent,
    ReportSent,
    report_stream,
)
from finance.context import Context
from finance.process.pickup import Place
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.process.report import ReportOrder
from finance.report.deliver import Delivery, DeliveryError, deliver_due, files_that_fit, last_date
from finance.report.mail import message_id
from finance.report.mail_settings import MailSecurity
from finance.settings import FinanceSettings
from ledger import Ledger, Recorded
from projections.outbox import Outbox
from projections.runner import ProjectionRunner
from tests.finance_context import finance_context
from tests.mail_server import PASSWORD, mail_server
from tests.transfer_servers import sftp_server

NOW = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
REPORT = "ipay-settlement-1"
CSV = b"H,8.3\r\n"
PDF = b"%PDF-1.7 " + bytes(range(256)) * 40
ANNA, BEN = "anna@ipay.example", "ben@ipay.example"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
async def context(database_url: str, ledger: Ledger, clock: Clock) -> Context:
    settings = FinanceSettings()
    return await finance_context(ledger, database_url, [], clock=clock, settings=settings)


def with_places(context: Context, *places: Place, mail: Sequence[str] = ()) -> Context:
    order = ReportOrder(report=ReportKind.SETTLEMENT, mail=tuple(mail), places=places)
    process = ReconciliationProcess(
        id="ipay", name="iPay", kind=ProcessKind.PROVIDER, party="ipay", reports=(order,)
    )
    return replace(context, processes={"ipay": process})


async def file(context: Context, name: str, *parts: bytes) -> ReportFile:
    async with context.connect() as connection:
        sums = [await context.archive.put(connection, part) for part in parts]
    whole = b"".join(parts)
    digest = hashlib.sha256(whole).hexdigest()
    return ReportFile(name.rpartition(".")[2], name, digest, len(whole), tuple(sums))


async def made(context: Context, *to: str) -> None:
    files = (
        await file(context, "statement.csv", CSV),
        await file(context, "statement.pdf", PDF[:700], PDF[700:]),
    )
    event = ReportMade(
        at=NOW,
        by="schedule",
        process="ipay",
        report_id=REPORT,
        report=ReportKind.SETTLEMENT,
        subject="ipay:2026-11-23:1",
        files=files,
        totals={"sales": 1234, "net_cents": 123_456_789},
        position=42,
        to=to,
    )
    await context.ledger.append(report_stream(REPORT), 0, [event])


async def told(context: Context) -> list[Event]:
    """What the report's stream has after ReportMade."""
    recorded: list[Recorded] = await context.ledger.read(report_stream(REPORT), 1)
    return [entry.event for entry in recorded if isinstance(entry.event, Event)]


async def test_each_recipient_gets_a_mail_of_their_own_with_the_files(context: Context) -> None:
    async with mail_server(sign_in=True) as mails:
        context = with_places(context, mail=[ANNA, BEN])
        await made(context, ANNA, BEN)
        delivery = Delivery(context, mails.settings(PASSWORD))
        for to in (ANNA, BEN):
            assert await delivery.attempt(REPORT, to)
    assert mails.recipients == [ANNA, BEN]
    for to, mail in mails.got:
        assert str(mail["To"]) == to, "nobody sees the others"
        assert mail["Cc"] is None
        assert str(mail["Subject"]) == "iPay: Settlement, ipay:2026-11-23:1"
        assert str(mail["Message-ID"]) == message_id(REPORT, to, "finance@switch.example")
        attached = {
            part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()
        }
        assert attached == {"statement.csv": CSV, "statement.pdf": PDF}
        body = mail.get_body()
        assert body is not None
        text = " ".join(body.get_content().split())
        assert "Net: 1 234 567.89" in text
        assert hashlib.sha256(PDF).hexdigest() in text
    assert [type(event) for event in await told(context)] == [ReportSent, ReportSent]


async def test_what_was_sent_is_not_sent_again(context: Context) -> None:
    async with mail_server() as mails:
        await made(context, ANNA)
        delivery = Delivery(context, mails.settings())
        assert await delivery.attempt(REPORT, ANNA)
        assert not await delivery.attempt(REPORT, ANNA)
        assert not await delivery.attempt(REPORT, "nobody@asked.example")
    assert mails.recipients == [ANNA]


async def test_a_crash_before_the_ledger_knew_sends_the_same_mail_again(context: Context) -> None:
    async with mail_server() as mails:
        await made(context, ANNA)

        class Dying(Delivery):
            def _outcome(
                self, state: Report, report_id: str, to: str, failure: DeliveryError | None
            ) -> Event:
                del state, report_id, to, failure
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await Dying(context, mails.settings()).attempt(REPORT, ANNA)
        assert await told(context) == []
        assert await Delivery(context, mails.settings()).attempt(REPORT, ANNA)
    first, second = (mail for _, mail in mails.got)
    assert str(first["Message-ID"]) == str(second["Message-ID"])
    assert [type(event) for event in await told(context)] == [ReportSent]


async def test_a_server_that_is_away_is_tried_again_later_and_later(
    context: Context, clock: Clock
) -> None:
    async with mail_server() as mails:
        settings = mails.settings()
    context = replace(context, settings=FinanceSettings(send_attempts_max=4, send_last_seconds=70))
    await made(context, ANNA)
    delivery = Delivery(context, settings)
    pauses: list[float] = []
    while await delivery.attempt(REPORT, ANNA):
        event = (await told(context))[-1]
        assert isinstance(event, ReportNotSent)
        if event.next_attempt_at is None:
            break
        pauses.append((event.next_attempt_at - clock.now).total_seconds())
        clock.now = event.next_attempt_at - timedelta(seconds=1)
        assert not await delivery.attempt(REPORT, ANNA), "not before it is due"
        clock.now = event.next_attempt_at
    assert pauses == [30, 60, 70]
    last = (await told(context))[-1]
    assert isinstance(last, ReportNotSent)
    assert (last.attempt, last.final) == (4, True)
    assert str(settings.port) in last.reason
    clock.now += timedelta(days=30)
    assert not await delivery.attempt(REPORT, ANNA)


async def test_a_wrong_password_is_tried_again_and_not_told(context: Context) -> None:
    async with mail_server(sign_in=True) as mails:
        await made(context, ANNA)
        assert await Delivery(context, mails.settings("guessed")).attempt(REPORT, ANNA)
        assert mails.got == []
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert not event.final
    assert "guessed" not in event.reason


@pytest.mark.parametrize("tls", [MailSecurity.STARTTLS, MailSecurity.TLS])
async def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for(
    context: Context, tls: MailSecurity
) -> None:
    async with mail_server() as mails:
        await made(context, ANNA)
        settings = msgspec.structs.replace(mails.settings("secret"), tls=tls)
        assert await Delivery(context, settings).attempt(REPORT, ANNA)
        assert mails.got == []
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert not event.final


@pytest.mark.parametrize(("answer", "final"), [("550 no such user", True), ("450 later", False)])
async def test_a_refused_recipient_is_given_up_only_for_good_reason(
    context: Context, answer: str, *, final: bool
) -> None:
    async with mail_server() as mails:
        mails.refuse[ANNA] = answer
        await made(context, ANNA)
        assert await Delivery(context, mails.settings()).attempt(REPORT, ANNA)
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert (event.final, answer in event.reason) == (final, True)


async def test_without_a_mail_server_the_outbox_says_so(context: Context) -> None:
    await made(context, ANNA)
    assert await Delivery(context, None).attempt(REPORT, ANNA)
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert event.reason == "no mail server is set"


async def test_an_address_that_is_none_is_given_up_at_once(context: Context) -> None:
    hostile = "anna@ipay.example\nBcc: thief@evil.example"
    async with mail_server() as mails:
        await made(context, hostile)
        assert await Delivery(context, mails.settings()).attempt(REPORT, hostile)
        assert mails.got == []
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert event.final


async def test_what_is_too_large_for_a_mail_is_left_out_and_said(context: Context) -> None:
    context = replace(context, settings=FinanceSettings(mail_bytes_max=1000))
    async with mail_server() as mails:
        await made(context, ANNA)
        assert await Delivery(context, mails.settings()).attempt(REPORT, ANNA)
    ((_, mail),) = mails.got
    assert [part.get_filename() for part in mail.iter_attachments()] == ["statement.csv"]
    body = mail.get_body()
    assert body is not None
    assert "statement.pdf" in body.get_content()
    assert "too large for a mail" in body.get_content()


def test_small_forms_go_before_large_ones() -> None:
    small, large = ReportFile("csv", "a.csv", "", 2, ()), ReportFile("pdf", "a.pdf", "", 3, ())
    assert files_that_fit([large, small], 4) == [small]
    assert files_that_fit([large, small], 5) == [large, small]
    assert files_that_fit([large, small], 1) == []


async def test_files_are_put_on_a_server_and_found_there_again(
    context: Context, tmp_path: Path
) -> None:
    async with sftp_server(tmp_path) as place:
        target = msgspec.structs.replace(place, folder="Reports/{date}")
        context = with_places(context, target)
        await made(context, target.address)
        # As after a crash: one file of two is there, and nothing in the ledger.
        there = tmp_path / "root/Reports/2026-11-23"
        there.mkdir(parents=True)
        (there / "statement.csv").write_bytes(CSV)
        assert await Delivery(context, None).attempt(REPORT, target.address)
        assert {one.name: one.read_bytes() for one in there.iterdir()} == {
            "statement.csv": CSV,
            "statement.pdf": PDF,
        }
    (event,) = await told(context)
    assert isinstance(event, ReportSent)
    assert "password" not in event.to


@pytest.mark.parametrize(
    ("subject", "day"),
    [
        ("ipay:2026-11-23:1", "2026-11-23"),
        ("ipay:2026-W47:2", "2026-11-22"),
        ("2026-10", "2026-10-31"),
        ("whatever", "2026-11-24"),
    ],
)
def test_a_reports_folder_has_the_last_date_that_it_is_about(subject: str, day: str) -> None:
    report = ReportMade(
        at=NOW,
        by="schedule",
        process="ipay",
        report_id=REPORT,
        report=ReportKind.SETTLEMENT,
        subject=subject,
        files=(),
        totals={},
        position=42,
    )
    assert last_date(report).isoformat() == day


async def test_another_file_of_that_name_is_left_alone(context: Context, tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as place:
        context = with_places(context, place)
        await made(context, place.address)
        other = tmp_path / "root/in/statement.csv"
        other.write_bytes(b"somebody else's")
        assert await Delivery(context, None).attempt(REPORT, place.address)
        assert other.read_bytes() == b"somebody else's"
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert "statement.csv is there already" in event.reason


async def test_a_place_that_left_the_settings_is_given_up(context: Context) -> None:
    await made(context, "sftp://ipay@gone.example:22/in")
    assert await Delivery(context, None).attempt(REPORT, "sftp://ipay@gone.example:22/in")
    (event,) = await told(context)
    assert isinstance(event, ReportNotSent)
    assert event.final


async def test_the_outbox_says_what_is_due(
    context: Context, ledger: Ledger, database_url: str, clock: Clock
) -> None:
    runner = ProjectionRunner(ledger, database_url, [Outbox()])
    async with mail_server() as mails:
        mails.refuse[BEN] = "450 later"
        await made(context, ANNA, BEN)
        await runner.catch_up()
        assert await deliver_due(context, mails.settings()) == 2
        await runner.catch_up()
        assert await deliver_due(context, mails.settings()) == 0
        mails.refuse.clear()
        clock.now += timedelta(seconds=30)
        assert await deliver_due(context, mails.settings()) == 1
        # The read model doesn't know yet; the report's own events do.
        assert await deliver_due(context, mails.settings()) == 0
    assert mails.recipients == [ANNA, BEN]
    state = await context.state(report_stream(REPORT), Report())
    assert state.sent == {ANNA, BEN}
