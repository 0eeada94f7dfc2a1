"""What an answer repeats of its request: the members that every transaction has."""

from datetime import datetime
from typing import TypedDict

from api.channel.fitting import fitted, required
from api.channel.message.party import Institution, Originator, ThirdPartyIdentifier
from api.channel.message.transaction import AccountType, Transaction, TranType
from switch.command import Party


class Envelope(TypedDict):
    """The members of a Transaction that an answer repeats."""

    id: str
    time: datetime
    originator: Originator
    client: Institution
    settlementEntity: Institution | None
    receiver: Institution | None
    thirdPartyIdentifiers: list[ThirdPartyIdentifier]
    basketRef: str | None
    tranType: TranType | None
    srcAccType: AccountType | None
    destAccType: AccountType | None
    stan: str | None
    rrn: str | None


def institution(party: Party) -> Institution:
    """The party as the interface names it."""
    return Institution(id=required(party.id), name=required(party.name, 40))


def identifiers(
    earlier: list[ThirdPartyIdentifier], *added: tuple[Party, str]
) -> list[ThirdPartyIdentifier]:
    """The earlier parties' entries as they were, then one of each party with a reference; an
    entry that a retry brings back is not added again."""
    known = list(earlier)
    for party, reference in added:
        text = fitted(reference)
        if text is None:
            continue
        entry = ThirdPartyIdentifier(institutionId=required(party.id), transactionIdentifier=text)
        if entry not in known:
            known.append(entry)
    return known


def envelope(
    request: Transaction,
    provider: Party,
    municipality: Party | None,
    known: list[ThirdPartyIdentifier],
) -> Envelope:
    """What an answer repeats of its request, with the parties that really handled it and the
    references `known`."""
    return Envelope(
        id=request.id,
        time=request.time,
        originator=request.originator,
        client=request.client,
        settlementEntity=institution(provider),
        receiver=institution(municipality) if municipality else request.receiver,
        thirdPartyIdentifiers=known,
        basketRef=request.basketRef,
        tranType=request.tranType,
        srcAccType=request.srcAccType,
        destAccType=request.destAccType,
        stan=request.stan,
        rrn=request.rrn,
    )
