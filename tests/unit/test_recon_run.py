"""Runs of a process: what they append, and how its records stand afterwards."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.event import Event
from domain.reconciliation import (
    REFS_MAX,
    DecisionKind,
    DifferencesResolved,
    ProcessConfigured,
    RecordsMatched,
    RecordsPartlyMatched,
    RunCounts,
    Winner,
    process_stream,
)
from domain.record import Side, record_ref
from domain.settlement import (
    Counterparty,
    SettlementDiscarded,
    SettlementLines,
    SettlementPrepared,
)
from finance.process.matching import Matching, Resolution, Tolerance
from finance.recon.run import FutureDateError
from finance.recon.state import RecordStanding
from finance.recon.status import Hand, Status
from ledger.decide import TooManyConflictsError
from tests.memory_log import MemoryLog
from tests.recon_office import DAY, NOW, ReconOffice, sale

CENT = Resolution(name="cents", within=Tolerance(cents=5), winner=Winner.THEIRS)


@pytest.fixture
def office() -> ReconOffice:
    return ReconOffice()


async def status(office: ReconOffice, ref: int) -> Status:
    return (await office.standing()).of(ref).status


def ref(file: int, line: int) -> int:
    return record_ref(file, line)


async def both(
    office: ReconOffice, ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]
) -> None:
    """Files 1 and 2."""
    await office.admit(Side.OURS, ours)
    await office.admit(Side.THEIRS, theirs)


async def test_a_run_says_how_every_record_stands(office: ReconOffice) -> None:
    await both(
        office,
        [sale(1), sale(2), sale(3), sale(4), sale(4)],
        [sale(1), sale(2, amount_minor=2_001), sale(5), sale(4)],
    )
    end = await office.run()
    assert end.counts == RunCounts(
        matched=1,
        partly_matched=1,
        unmatched_ours=1,
        unmatched_theirs=1,
        duplicates_ours=2,
        duplicates_theirs=1,
    )
    standing = await office.standing()
    assert standing.of(ref(1, 1)) == RecordStanding(status=Status.MATCHED, partner=ref(2, 1))
    assert standing.of(ref(2, 2)) == RecordStanding(
        status=Status.PARTIAL, partner=ref(1, 2), fields=("amount_minor",)
    )
    assert standing.of(ref(2, 3)) == RecordStanding(status=Status.UNMATCHED)
    assert standing.of(ref(2, 4)) == RecordStanding(status=Status.DUPLICATE, group=ref(1, 4))
    assert standing.of(ref(1, 9)) == RecordStanding(status=Status.NEW)


async def test_a_run_that_finds_nothing_new_appends_nothing(office: ReconOffice) -> None:
    await both(office, [sale(1), sale(2), sale(3)], [sale(1), sale(2, tax_minor=1), sale(9)])
    first = await office.run()
    before = len(office.kinds)
    assert await office.run() == first
    assert len(office.kinds) == before
    later = await office.run(DAY + timedelta(days=1))
    assert (later.run, later.as_of) == (2, "2026-03-03")
    assert office.kinds[before:] == ["RunFinished"]


async def test_settings_are_in_the_stream_before_what_was_done_by_them(
    office: ReconOffice,
) -> None:
    await both(office, [sale(1)], [sale(1)])
    await office.run()
    office.configure(Matching(compared=("amount_minor",)))
    await office.run()
    await office.run()
    configured = [
        entry.event
        for entry in office.log.streams[process_stream("p")]
        if isinstance(entry.event, ProcessConfigured)
    ]
    assert len(configured) == 2
    assert office.kinds.index("ProcessConfigured") < office.kinds.index("RecordsMatched")
    assert '"compared":["amount_minor"]' in configured[1].settings


async def test_a_late_file_picks_up_what_waits_and_a_better_key_takes_over(
    office: ReconOffice,
) -> None:
    weak = sale(1, transaction_id=None, provider_reference=None)
    await both(office, [sale(1), sale(2)], [weak])
    await office.run()
    assert await status(office, ref(1, 2)) is Status.UNMATCHED
    assert (await office.standing()).of(ref(1, 1)).partner == ref(2, 1)
    await office.admit(Side.THEIRS, [sale(2), sale(1)])
    await office.run()
    standing = await office.standing()
    assert standing.of(ref(1, 1)).partner == ref(3, 2)
    assert standing.of(ref(1, 2)).partner == ref(3, 1)
    assert standing.of(ref(2, 1)).status is Status.UNMATCHED
    assert office.kinds[-2:] == ["RecordsUnmatched", "RunFinished"], "who left is named, too"


async def test_a_withdrawn_file_frees_the_counterparts(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(1)])
    await office.run()
    await office.withdraw(2)
    standing = await office.standing()
    assert standing.of(ref(1, 1)) == standing.of(ref(2, 1)) == RecordStanding(status=Status.NEW)
    await office.admit(Side.THEIRS, [sale(2), sale(1)])
    await office.run()
    assert (await office.standing()).of(ref(1, 1)).partner == ref(3, 2)


async def test_a_rule_resolves_what_differs_by_little(office: ReconOffice) -> None:
    office.configure(Matching(resolve=(CENT,)))
    await both(
        office,
        [sale(1), sale(2), sale(3)],
        [
            sale(1, amount_minor=1_005),
            sale(2, amount_minor=2_006),
            sale(3, amount_minor=3_001, receiver_id="other"),
        ],
    )
    end = await office.run()
    assert end.counts == RunCounts(resolved=1, partly_matched=2)
    standing = await office.standing()
    assert standing.of(ref(1, 1)) == RecordStanding(
        status=Status.RESOLVED,
        partner=ref(2, 1),
        fields=("amount_minor",),
        winner=Winner.THEIRS,
        why="cents",
    )
    settleable = standing.settleable()
    assert [part.tolist() for part in settleable] == [[ref(1, 1)], [ref(2, 1)], [2]]
    before = len(office.kinds)
    await office.run()
    assert len(office.kinds) == before


async def test_a_rule_that_is_dropped_or_renamed_counts_from_the_next_run_on(
    office: ReconOffice,
) -> None:
    office.configure(Matching(resolve=(CENT,)))
    await both(office, [sale(1)], [sale(1, amount_minor=1_001)])
    await office.run()
    office.configure(Matching(resolve=(Resolution(name="other", within=CENT.within),)))
    await office.run()
    resolved = (await office.standing()).of(ref(1, 1))
    assert (resolved.why, resolved.winner) == ("other", Winner.OURS)
    office.configure(Matching())
    await office.run()
    assert (await office.standing()).of(ref(1, 1)) == RecordStanding(
        status=Status.PARTIAL, partner=ref(2, 1), fields=("amount_minor",)
    )


@pytest.mark.parametrize(
    ("rule", "resolves"),
    [
        (Resolution(name="r", fields=("business_date",), within=Tolerance(days=3)), False),
        (Resolution(name="r", fields=("business_date",), within=Tolerance(days=4)), True),
        (Resolution(name="r", fields=("business_date",)), False),
        (
            Resolution(
                name="r",
                fields=("business_date", "receiver_id", "amount_minor"),
                within=Tolerance(days=4),
            ),
            True,
        ),
        (Resolution(name="r", fields=("receiver_id",)), False),
    ],
)
async def test_a_rule_settles_what_its_fields_and_limits_cover(
    office: ReconOffice, rule: Resolution, resolves: bool
) -> None:
    office.configure(Matching(resolve=(rule,)))
    await both(office, [sale(1)], [sale(1, business_date=DAY - timedelta(days=4))])
    await office.run()
    assert (await status(office, ref(1, 1)) is Status.RESOLVED) is resolves


async def test_the_first_rule_that_fits_resolves(office: ReconOffice) -> None:
    small = Resolution(name="small", within=Tolerance(percent=Decimal("0.1")))
    office.configure(Matching(resolve=(small, CENT)))
    await both(
        office, [sale(1), sale(9)], [sale(1, amount_minor=1_003), sale(9, amount_minor=9_003)]
    )
    await office.run()
    standing = await office.standing()
    assert [standing.of(ref(1, line)).why for line in (1, 2)] == ["cents", "small"]


async def test_what_nobody_answers_expires_and_people_can_revive_it(office: ReconOffice) -> None:
    await both(office, [sale(1), sale(2)], [sale(2)])
    await office.run(date(2026, 3, 6))
    assert await status(office, ref(1, 1)) is Status.UNMATCHED
    end = await office.run(date(2026, 3, 9))  # the fifth business day after Monday the 2nd
    assert end.counts == RunCounts(matched=1, expired=1)
    await office.admit(Side.THEIRS, [sale(1, business_date=date(2026, 3, 9))])
    await office.run(date(2026, 3, 9))
    assert await status(office, ref(3, 1)) is Status.UNMATCHED, "what expired is not matched"
    await office.decide(DecisionKind.REVIVE, [ref(1, 1)])
    await office.run(date(2026, 3, 10))
    standing = await office.standing()
    assert standing.of(ref(1, 1)).partner == ref(3, 1)


async def test_what_was_revived_expires_again_in_its_time(office: ReconOffice) -> None:
    office.now = datetime(2026, 3, 10, 6, tzinfo=UTC)
    await both(office, [sale(1)], [])
    await office.run(date(2026, 3, 9))
    await office.decide(DecisionKind.REVIVE, [ref(1, 1)])
    await office.run(date(2026, 3, 10))
    assert await status(office, ref(1, 1)) is Status.UNMATCHED
    office.now = NOW
    await office.run(date(2026, 3, 16))
    assert await status(office, ref(1, 1)) is Status.UNMATCHED
    await office.run(date(2026, 3, 17))
    assert await status(office, ref(1, 1)) is Status.EXPIRED


async def test_later_sales_are_not_looked_at_and_no_run_goes_back(office: ReconOffice) -> None:
    next_day = DAY + timedelta(days=1)
    await both(office, [sale(1)], [sale(1, business_date=next_day)])
    assert (await office.run()).counts == RunCounts(unmatched_ours=1)
    assert (await office.run(next_day)).counts == RunCounts(matched=1)
    again = await office.run(DAY)
    assert (again.as_of, again.counts) == ("2026-03-03", RunCounts(matched=1))


async def test_a_date_in_the_future_is_refused(office: ReconOffice) -> None:
    await both(office, [sale(1)], [])
    with pytest.raises(FutureDateError, match="2026-03-21 is in the future; it is 2026-03-20"):
        await office.run(date(2026, 3, 21))
    assert office.kinds == ["FileAdmitted", "FileAdmitted"]


async def test_people_pair_and_the_next_run_compares(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(2, amount_minor=1_000, tax_minor=130)])
    await office.run()
    decision = await office.decide(DecisionKind.MATCH, [ref(1, 1)], [ref(2, 1)])
    standing = await office.standing()
    assert standing.of(ref(1, 1)) == RecordStanding(
        status=Status.NEW, partner=ref(2, 1), key=-1, hand=Hand.PAIRED, why=decision
    )
    assert standing.counts() == RunCounts(partly_matched=1)
    assert not standing.settleable().ours.size
    await office.run()
    paired = (await office.standing()).of(ref(2, 1))
    assert (paired.status, paired.key, paired.fields) == (Status.PARTIAL, -1, ("meter_id",))
    assert (paired.hand, paired.why) == (Hand.PAIRED, decision)


async def test_what_people_paired_stays_whatever_comes(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(2)])
    await office.decide(DecisionKind.MATCH, [ref(1, 1)], [ref(2, 1)])
    await office.admit(Side.THEIRS, [sale(1)])
    await office.run()
    standing = await office.standing()
    assert standing.of(ref(1, 1)).partner == ref(2, 1)
    assert standing.of(ref(3, 1)).status is Status.UNMATCHED
    await office.withdraw(2)
    await office.run()
    assert (await office.standing()).of(ref(1, 1)) == RecordStanding(
        status=Status.MATCHED, partner=ref(3, 1)
    )


async def test_people_take_a_pair_apart_for_good(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(1)])
    await office.run()
    await office.decide(DecisionKind.UNMATCH, [ref(1, 1)], [ref(2, 1)])
    await office.run()
    assert [await status(office, r) for r in (ref(1, 1), ref(2, 1))] == [Status.UNMATCHED] * 2
    await office.decide(DecisionKind.MATCH, [ref(1, 1)], [ref(2, 1)])
    await office.run()
    assert await status(office, ref(1, 1)) is Status.MATCHED, "until they think better of it"


async def test_taking_apart_what_people_resolved_undoes_that(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(1, amount_minor=900)])
    await office.run()
    await office.decide(DecisionKind.RESOLVE, [ref(1, 1)], [ref(2, 1)], Winner.OURS)
    await office.decide(DecisionKind.UNMATCH, [ref(1, 1)], [ref(2, 1)])
    await office.decide(DecisionKind.MATCH, [ref(1, 1)], [ref(2, 1)])
    await office.run()
    assert await status(office, ref(1, 1)) is Status.PARTIAL


@pytest.mark.parametrize(
    ("winner", "status", "settles"),
    [
        (Winner.OURS, Status.RESOLVED, [1]),
        (Winner.THEIRS, Status.RESOLVED, [2]),
        (Winner.NEITHER, Status.CLOSED, []),
    ],
)
async def test_people_resolve_a_pair(
    office: ReconOffice, winner: Winner, status: Status, settles: list[int]
) -> None:
    await both(office, [sale(1)], [sale(1, amount_minor=900)])
    await office.run()
    decision = await office.decide(DecisionKind.RESOLVE, [ref(1, 1)], [ref(2, 1)], winner)
    await office.run()
    standing = await office.standing()
    assert standing.of(ref(1, 1)) == RecordStanding(
        status=status,
        partner=ref(2, 1),
        fields=("amount_minor",),
        winner=winner,
        hand=Hand.RESOLVED,
        why=decision,
    )
    assert standing.settleable().winner.tolist() == settles
    assert standing.finished(1) is (status is Status.CLOSED)


@pytest.mark.parametrize(
    ("side", "winner", "status"),
    [
        (Side.OURS, Winner.OURS, Status.RESOLVED),
        (Side.OURS, Winner.THEIRS, Status.CLOSED),
        (Side.OURS, Winner.NEITHER, Status.CLOSED),
        (Side.THEIRS, Winner.OURS, Status.CLOSED),
        (Side.THEIRS, Winner.THEIRS, Status.RESOLVED),
        (Side.THEIRS, Winner.NEITHER, Status.CLOSED),
    ],
)
async def test_a_record_alone_settles_in_favour_of_its_own_side_only(
    office: ReconOffice, side: Side, winner: Winner, status: Status
) -> None:
    await both(office, [sale(1)], [sale(2)])
    await office.run()
    mine = ref(1 if side is Side.OURS else 2, 1)
    none: list[int] = []
    sides = ([mine], none) if side is Side.OURS else (none, [mine])
    await office.decide(DecisionKind.RESOLVE, *sides, winner)
    standing = await office.standing()
    assert standing.of(mine).status is status
    found = standing.settleable()
    settled = [*found.ours.tolist(), *found.theirs.tolist()]
    assert (mine in settled) is (status is Status.RESOLVED)


async def test_closing_a_duplicate_lets_the_others_match(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(1), sale(1)])
    await office.run()
    assert await status(office, ref(1, 1)) is Status.DUPLICATE
    await office.decide(DecisionKind.RESOLVE, [], [ref(2, 2)], Winner.NEITHER)
    await office.run()
    standing = await office.standing()
    assert standing.of(ref(1, 1)) == RecordStanding(status=Status.MATCHED, partner=ref(2, 1))


async def test_a_group_that_grows_is_one_question_again(office: ReconOffice) -> None:
    await both(office, [sale(1)], [sale(1), sale(1)])
    await office.run()
    await office.admit(Side.OURS, [sale(1)])
    await office.run()
    standing = await office.standing()
    groups = {standing.of(r).group for r in (ref(1, 1), ref(2, 1), ref(2, 2), ref(3, 1))}
    assert groups == {ref(1, 1)}


async def settled(office: ReconOffice, name: str, *lines: int) -> None:
    prepared = SettlementPrepared(
        at=NOW,
        by="mary",
        process="p",
        settlement_id=name,
        cycle="2026-03-02",
        until="2026-03-02",
        settings_sha256="",
        counterparty=Counterparty.PROVIDER,
        party="p",
    )
    zeros = (0,) * len(lines)
    made = SettlementLines(
        at=NOW,
        process="p",
        settlement_id=name,
        lines=lines,
        principal=zeros,
        commission=zeros,
        commission_vat=zeros,
        fees=(),
        fee=zeros,
    )
    await office.append(prepared, made)


async def test_what_is_in_a_settlement_is_left_alone_until_that_is_discarded(
    office: ReconOffice,
) -> None:
    await both(office, [sale(1), sale(2)], [sale(1), sale(2)])
    await office.run()
    await settled(office, "p:2026-03-02:1", ref(1, 1))
    await office.admit(Side.THEIRS, [sale(1)])
    end = await office.run()
    assert end.counts == RunCounts(matched=1, unmatched_theirs=1, settled=1)
    standing = await office.standing()
    assert standing.of(ref(2, 1)).settlement == "p:2026-03-02:1", "with its counterpart"
    assert standing.settleable().ours.tolist() == [ref(1, 2)]
    assert standing.in_settlement(2)
    assert not standing.finished(2)
    await office.append(
        SettlementDiscarded(at=NOW, by="mary", process="p", settlement_id="p:2026-03-02:1")
    )
    await office.run()
    assert (await office.standing()).counts() == RunCounts(
        matched=1, duplicates_ours=1, duplicates_theirs=2
    )


async def test_adjustments_wait_for_a_settlement(office: ReconOffice) -> None:
    decision = await office.decide(DecisionKind.ADJUST, amount_cents=-500)
    assert [*(await office.standing()).adjustments()] == [decision]


async def test_large_files_are_several_events(office: ReconOffice) -> None:
    count = REFS_MAX + 1
    sales = [sale(number, amount_minor=1) for number in range(1, count + 1)]
    office.configure(Matching(keys=(("transaction_id",),)))
    await office.admit(Side.OURS, sales, frames=3)
    await office.admit(Side.THEIRS, sales[::-1], frames=2)
    end = await office.run()
    assert end.counts == RunCounts(matched=count)
    assert office.kinds.count("RecordsMatched") == 2
    standing = await office.standing()
    assert standing.of(ref(1, 1)).partner == ref(2, count)


class KilledError(Exception):
    pass


class Killing(MemoryLog):
    """Dies at an append: `before` it is written or after."""

    def kill_at(self, append: int, moment: str) -> None:
        seen = 0

        def around(now: str, _events: Sequence[Event]) -> None:
            nonlocal seen
            seen += now == moment
            if seen == append and now == moment:
                raise KilledError

        self.around = around


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("append", [1, 2, 3, 4])
async def test_a_run_cut_off_is_finished_by_the_next(append: int, moment: str) -> None:
    def sides() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        theirs = [sale(1), sale(2, tax_minor=1), sale(3, amount_minor=3_001), sale(9), sale(4)]
        return [sale(number) for number in (1, 2, 3, 4, 4, 5)], theirs

    matching = Matching(resolve=(CENT,))
    whole = ReconOffice(matching)
    await both(whole, *sides())
    end = await whole.run()

    log = Killing()
    office = ReconOffice(matching, log=log)
    await both(office, *sides())
    log.kill_at(append, moment)
    with pytest.raises(KilledError):
        await office.run()
    log.around = lambda _moment, _events: None
    assert (await office.run()).counts == end.counts
    assert office.kinds.count("RunFinished") == 1
    left, right = await whole.standing(), await office.standing()
    for file, line in [(1, n) for n in range(1, 7)] + [(2, n) for n in range(1, 6)]:
        assert left.of(ref(file, line)) == right.of(ref(file, line))
    facts = RecordsMatched | RecordsPartlyMatched | DifferencesResolved
    said = [e.event for e in log.recorded if isinstance(e.event, facts)]
    assert len(said) == sum(isinstance(e.event, facts) for e in whole.log.recorded), "once each"


class Interfering(MemoryLog):
    """Somebody else appends to the stream right before the next append."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.office: ReconOffice | None = None

    async def append(self, stream: str, after_version: int, events: Sequence[Event]) -> Any:  # noqa: ANN401
        if self.office is not None and self.times:
            self.times -= 1
            office, self.office = self.office, None
            await office.admit(Side.THEIRS, [sale(2)])
            self.office = office
        return await super().append(stream, after_version, events)


async def test_a_run_starts_over_when_somebody_was_quicker() -> None:
    log = Interfering(times=1)
    office = ReconOffice(log=log)
    await both(office, [sale(1), sale(2)], [sale(1)])
    log.office = office
    end = await office.run()
    assert end.counts == RunCounts(matched=2), "with the file that came meanwhile"


async def test_a_run_gives_up_when_somebody_is_always_quicker() -> None:
    log = Interfering(times=1_000)
    office = ReconOffice(log=log)
    await both(office, [sale(1)], [sale(1)])
    log.office = office
    with pytest.raises(TooManyConflictsError):
        await office.run()
