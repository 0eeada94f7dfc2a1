"""What a simulated provider decides, whatever protocol it speaks: look up, sell, take back.

A reference sells at most once; a reversal of a reference that has not sold voids it, so a vend that
arrives late is refused. Nothing here waits, so each call is one indivisible step."""

import random
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from domain.fault import FaultLogged, FaultType
from domain.sale import (
    Customer,
    DebtRecovery,
    KeyChange,
    MeterDetail,
    Sale,
    ServiceCharge,
    Token,
    TokenType,
    UtilityDetail,
    UtilityType,
)
from providers.simulator.faults import FaultMode
from providers.simulator.fleet import Fleet, FleetMeter, FleetUtility
from providers.simulator.homes import MeterBook
from providers.simulator.pricing import History, Price, free_units_due, price
from providers.simulator.sales import IssuedSale, SalesLedger
from providers.simulator.sts.amount import AmountError
from providers.simulator.sts.dkga import KeyParameterError, next_revision
from providers.simulator.sts.tid import IdentifierError
from providers.simulator.tokens import SaleTokens


class Refusal(StrEnum):
    """Why a provider does not do what it was asked; each protocol has its code for it."""

    UNKNOWN_METER = "unknown meter"
    BLOCKED = "meter blocked"
    PARTIALLY_BLOCKED = "meter blocked for credit"
    TOO_LOW = "amount below the minimum"
    TOO_HIGH = "amount above the maximum"
    NO_FREE_UNITS = "no free units due"
    DUPLICATE = "reference already used"
    VOIDED = "reference was reversed"
    NO_RECORD = "no record of the reference"
    UNSUPPORTED = "function not supported"
    SYSTEM = "system error"


class RefusedError(Exception):
    """The provider refuses, and sold nothing."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class KnownMeter(msgspec.Struct, frozen=True):
    """A meter with its utility and whether free units are due."""

    meter: FleetMeter
    utility: FleetUtility
    detail: MeterDetail
    free_units_due: bool


class Reversal(StrEnum):
    """How a reversal ended."""

    REVERSED = "reversed"
    ALREADY_REVERSED = "already reversed"
    VOIDED = "nothing to reverse"
    UNSUPPORTED = "not supported"


class Vending:
    """The decisions of all simulated providers, over one ledger."""

    def __init__(
        self,
        fleet: Fleet,
        sales: SalesLedger,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self.sales = sales
        self._clock = clock
        self._rng = rng
        self._faults_logged = 0
        self._meters = MeterBook(fleet)
        self._utilities = {utility.id: utility for utility in fleet.utilities}
        self._tariffs = {tariff.id: tariff for tariff in fleet.tariffs}

    def now(self) -> datetime:
        return self._clock()

    def behaviour(self, number: str) -> tuple[FaultMode, int]:
        """The meter's own behaviour and its latency in milliseconds."""
        meter = self._meters.get(number)
        return (FaultMode.NONE, 0) if meter is None else (meter.behaviour, meter.latency_ms)

    def look_up(self, provider: str, number: str) -> KnownMeter:
        """Raises RefusedError for a meter that this provider does not serve or that is blocked."""
        meter = self._served(provider, number)
        history = self.sales.history(number, self._clock())
        return KnownMeter(
            meter=meter,
            utility=self._utilities[meter.utility],
            detail=self._detail(meter),
            free_units_due=free_units_due(meter, history) is not None,
        )

    def sell(
        self,
        provider: str,
        reference: str,
        number: str,
        cents: int,
        *,
        resource: UtilityType | None = None,
        change_key: bool = False,
    ) -> IssuedSale:
        """Issues a sale. Raises RefusedError, with nothing sold."""
        if self.sales.voided(provider, reference):
            raise RefusedError(Refusal.VOIDED)
        if self.sales.find(provider, reference) is not None:
            raise RefusedError(Refusal.DUPLICATE)
        at = self._clock()
        meter, priced = self._priced(provider, number, cents, resource, at)
        sale, identifier = self._sale(meter, priced, at, change_key=change_key)
        issued = IssuedSale(
            provider=provider,
            reference=reference,
            meter=number,
            amount_cents=cents,
            at=at,
            sale=sale,
            identifier=identifier,
        )
        self.sales.issue(issued)
        return issued

    def trial(
        self, provider: str, number: str, cents: int, *, resource: UtilityType | None = None
    ) -> Sale:
        """What `cents` would buy now, with tokens that have no digits. Nothing is sold. Raises
        RefusedError."""
        at = self._clock()
        meter, priced = self._priced(provider, number, cents, resource, at)
        sale, _ = self._sale(meter, priced, at, change_key=False, receipt="")
        tokens = tuple(msgspec.structs.replace(token, digits="") for token in sale.tokens)
        return msgspec.structs.replace(sale, tokens=tokens)

    def change_key(
        self, provider: str, reference: str, number: str, wanted: KeyChange | None = None
    ) -> IssuedSale:
        """Issues key-change tokens to the parameters `wanted`, to those that are due, or to the
        next key revision. Raises RefusedError, with nothing issued."""
        if self.sales.find(provider, reference) is not None:
            raise RefusedError(Refusal.DUPLICATE)
        meter, at = self._served(provider, number), self._clock()
        if wanted is None:
            change = self._key_change(meter, forced=True)
        else:
            change = self._completed(meter, wanted)
        priced = price(meter, self._tariffs[meter.tariff], 0, History(free_units_had=True))
        sale, identifier = self._sale(meter, priced, at, change=change)
        keys = tuple(token for token in sale.tokens if token.token_type is TokenType.KC)
        issued = IssuedSale(
            provider=provider,
            reference=reference,
            meter=number,
            amount_cents=0,
            at=at,
            kind="key_change",
            sale=msgspec.structs.replace(sale, tokens=keys),
            identifier=identifier,
        )
        self.sales.issue(issued)
        return issued

    def report_fault(
        self, provider: str, number: str | None, fault_type: FaultType, description: str
    ) -> FaultLogged:
        """Logs a fault of a meter (blocked or not) or of the network. Raises RefusedError."""
        meter = None if number is None else self._meters.get(number)
        if number is not None and (meter is None or provider not in meter.providers):
            raise RefusedError(Refusal.UNKNOWN_METER)
        self._faults_logged += 1
        words = f"{fault_type.value.replace('_', ' ').capitalize()}. {description}".strip()
        return FaultLogged(f"F{self._faults_logged:09d}", words[:160])

    def reverse(self, provider: str, reference: str, *, supported: bool) -> Reversal:
        """Takes a sale back or voids the reference; without support a sale stands."""
        issued = self.sales.find(provider, reference)
        if issued is None:
            if not self.sales.voided(provider, reference):
                self.sales.void(provider, reference, self._clock())
            return Reversal.VOIDED
        if issued.status == "reversed":
            return Reversal.ALREADY_REVERSED
        unsupported = self.behaviour(issued.meter)[0] is FaultMode.REVERSAL_UNSUPPORTED
        if unsupported or not supported:
            return Reversal.UNSUPPORTED
        self.sales.reverse(issued, self._clock())
        return Reversal.REVERSED

    def confirm(self, provider: str, reference: str) -> None:
        """Raises RefusedError when there is no standing sale. Confirming twice changes nothing."""
        issued = self.sales.find(provider, reference)
        if issued is None:
            raise RefusedError(Refusal.NO_RECORD)
        if issued.status == "reversed":
            raise RefusedError(Refusal.VOIDED)
        if not issued.confirmed:
            self.sales.confirm(issued, self._clock())

    def _priced(
        self, provider: str, number: str, cents: int, resource: UtilityType | None, at: datetime
    ) -> tuple[FleetMeter, Price]:
        meter = self._served(provider, number)
        if resource is not None and resource != meter.utility_type:
            raise RefusedError(Refusal.UNKNOWN_METER)
        history = self.sales.history(number, at)
        if cents == 0 and free_units_due(meter, history) is None:
            raise RefusedError(Refusal.NO_FREE_UNITS)
        if cents != 0 and meter.credit_blocked:
            raise RefusedError(Refusal.PARTIALLY_BLOCKED)
        if cents != 0 and cents < meter.min_cents:
            raise RefusedError(Refusal.TOO_LOW)
        if cents > meter.max_cents:
            raise RefusedError(Refusal.TOO_HIGH)
        priced = price(meter, self._tariffs[meter.tariff], cents, history)
        assert priced.total_cents == cents, "the parts add up to what was tendered"
        return meter, priced

    def _served(self, provider: str, number: str) -> FleetMeter:
        meter = self._meters.get(number)
        if meter is None or provider not in meter.providers:
            raise RefusedError(Refusal.UNKNOWN_METER)
        if meter.behaviour == FaultMode.UNKNOWN_METER:
            raise RefusedError(Refusal.UNKNOWN_METER)
        if meter.behaviour == FaultMode.BLOCKED:
            raise RefusedError(Refusal.BLOCKED)
        return meter

    def _detail(self, meter: FleetMeter, key_change: KeyChange | None = None) -> MeterDetail:
        key = self._key(meter)
        return MeterDetail(
            number=meter.number,
            utility_type=meter.utility_type,
            supply_group_code=key.supply_group_code,
            key_revision=key.key_revision,
            tariff_index=key.tariff_index,
            token_technology=meter.token_technology,
            algorithm=meter.algorithm,
            key_change=key_change,
        )

    def _sale(
        self,
        meter: FleetMeter,
        priced: Price,
        at: datetime,
        *,
        change_key: bool = False,
        change: KeyChange | None = None,
        receipt: str | None = None,
    ) -> tuple[Sale, int]:
        """The sale, and the highest identifier that its meter was given with it. Raises
        RefusedError for what no token can say."""
        if receipt is None:
            receipt = f"{len(self.sales) + 1:015d}"
        if change is None and priced.energy.cents:
            change = self._key_change(meter, forced=change_key)
        utility = self._utilities[meter.utility]
        tokens, identifier = self._tokens(meter, priced, at, change, receipt)
        sale = Sale(
            tokens=tokens,
            customer=Customer(meter.first_name, meter.last_name, meter.address, meter.account),
            utility=UtilityDetail(
                name=utility.name,
                address=utility.address,
                vat_number=utility.vat_number,
                client_id=utility.client_id,
                message=utility.message,
            ),
            meter=self._detail(meter, change),
            provider_reference=receipt,
            sold_at=at,
            debts=tuple(
                DebtRecovery(part.description, part.amount, part.balance_cents, receipt)
                for part in priced.debts
            ),
            charges=tuple(
                ServiceCharge(part.description, part.amount, receipt) for part in priced.charges
            ),
            customer_message=meter.message,
        )
        return sale, identifier

    def _tokens(
        self, meter: FleetMeter, priced: Price, at: datetime, change: KeyChange | None, receipt: str
    ) -> tuple[tuple[Token, ...], int]:
        last, tariff = self.sales.identifier(meter.number), self._tariffs[meter.tariff].name
        taken = self.sales.tokens.__contains__
        try:
            issuing = SaleTokens(
                meter, self._key(meter), at=at, last=last, rng=self._rng, taken=taken
            )
            tokens = issuing.issue(priced, change, receipt=receipt, tariff=tariff)
        except KeyParameterError:
            raise RefusedError(Refusal.UNSUPPORTED) from None
        except AmountError:
            raise RefusedError(Refusal.TOO_HIGH) from None
        except IdentifierError:
            raise RefusedError(Refusal.SYSTEM) from None
        return tokens, issuing.last

    def _key(self, meter: FleetMeter) -> KeyChange:
        """The parameters of the meter's key: the fleet's, or those of its last key change."""
        changed = self.sales.key_change(meter.number)
        if changed is not None:
            return changed
        group = self._utilities[meter.utility].supply_group_code
        return KeyChange(group, meter.key_revision, meter.tariff_index)

    def _completed(self, meter: FleetMeter, wanted: KeyChange) -> KeyChange:
        """`wanted`, with what it leaves open as it is."""
        key = self._key(meter)
        return KeyChange(
            wanted.supply_group_code or key.supply_group_code,
            wanted.key_revision or key.key_revision,
            wanted.tariff_index or key.tariff_index,
        )

    def _key_change(self, meter: FleetMeter, *, forced: bool) -> KeyChange | None:
        due, changed = meter.key_change, self.sales.key_change(meter.number)
        if due is not None and changed is None:
            return KeyChange(due.supply_group_code, due.key_revision, due.tariff_index)
        if forced or (due is not None and due.repeats):
            key = self._key(meter)
            revision = key.key_revision or ""
            following = str(next_revision(int(revision))) if revision.isdecimal() else revision
            return KeyChange(key.supply_group_code, following, key.tariff_index)
        return None
