"""The till slip as it prints, from a message's events; its tokens are masked as the events are."""

from api.console.transaction.words import Words
from api.slip import Occasion, SlipKind, till_slip
from api.slip.line import Line
from api.slip.slip import DEFAULT_WIDTH
from domain.key_change import KeyChangeDone, KeyChangeRequested
from domain.purchase import Purchase
from domain.reprint import ReprintDone, ReprintRequested
from domain.sale import Sale
from domain.service import Service
from domain.trial import TrialDone, TrialRequested

WIDTH = DEFAULT_WIDTH


def slip_of(state: object, words: Words) -> tuple[Line, ...]:
    """The slip of what was sold, shown again, issued or quoted; none where nothing was."""
    match state:
        case Purchase(approval=approval, request=request) if approval and request:
            found = (SlipKind.SALE, approval.sale, approval.provider, approval.at)
            who = (request.purchase_id, request.merchant, request.terminal)
        case Service(done=done, request=request) if done is not None and request is not None:
            match done, request:
                case TrialDone(), TrialRequested():
                    found = (SlipKind.TRIAL, done.quote, done.provider, done.at)
                    who = (request.trial_id, request.merchant, request.terminal)
                case ReprintDone(), ReprintRequested():
                    found = (SlipKind.REPRINT, done.sale, done.provider, done.at)
                    who = (request.reprint_id, request.merchant, request.terminal)
                case KeyChangeDone(), KeyChangeRequested():
                    found = (SlipKind.KEY_CHANGE, done.sale, done.provider, done.at)
                    who = (request.key_change_id, request.merchant, request.terminal)
                case _:
                    return ()
        case _:
            return ()
    kind, sale, provider, at = found
    message_id, merchant, terminal = who
    occasion = Occasion(kind, at, message_id, words.provider(provider), merchant, terminal)
    return till_slip(sale, occasion, WIDTH)


def sale_of(state: object) -> Sale | None:
    """What was sold, shown again, issued or quoted."""
    match state:
        case Purchase(approval=approval) if approval is not None:
            return approval.sale
        case Service(done=TrialDone(quote=sale)):
            return sale
        case Service(done=ReprintDone(sale=sale) | KeyChangeDone(sale=sale)):
            return sale
        case _:
            return None
