"""The operations of the interface as data: paths, request types, statuses."""

from typing import NamedTuple

from api.channel.message.error import RequestType

BASE = "/prepaidutility/v3"


class Operation(NamedTuple):
    """One operation. `path` follows BASE; every operation is a POST. One that is not `offered`
    is part of the interface and answers 501."""

    name: str
    path: str
    summary: str
    request_type: RequestType
    offered: bool = True


LOOK_UP = Operation(
    "createMeterLookup",
    "/meterLookups/{lookupId}",
    "Look up a meter",
    RequestType.METER_LOOKUP_REQUEST,
)
BUY = Operation(
    "createTokenPurchaseRequest",
    "/tokenPurchases/{purchaseId}",
    "Buy tokens",
    RequestType.TOKEN_PURCHASE_REQUEST,
)
RETRY = Operation(
    "retryPurchaseRequest",
    "/tokenPurchases/{purchaseId}/retry",
    "Finish a purchase whose outcome is unknown",
    RequestType.TOKEN_PURCHASE_RETRY_REQUEST,
)
CONFIRM = Operation(
    "confirmTokenPurchase",
    "/tokenPurchases/{purchaseId}/confirmations/{confirmationId}",
    "Confirm a purchase",
    RequestType.CONFIRMATION_ADVICE,
)
REVERSE = Operation(
    "reverseTokenPurchase",
    "/tokenPurchases/{purchaseId}/reversals/{reversalId}",
    "Reverse a purchase",
    RequestType.REVERSAL_ADVICE,
)

TRIAL = Operation(
    "trialTokenPurchaseRequest",
    "/tokenPurchases/{trialId}/trial",
    "Quote a purchase without financial effect",
    RequestType.TOKEN_PURCHASE_TRIAL_REQUEST,
)
REPRINT = Operation(
    "requestTokenReprint",
    "/tokenReprints/{reprintId}",
    "Reprint issued tokens",
    RequestType.TOKEN_REPRINT_REQUEST,
)
REPORT_FAULT = Operation(
    "createFaultReport",
    "/faultReports/{requestId}",
    "Report a meter fault",
    RequestType.FAULT_REPORT_REQUEST,
)
CHANGE_KEY = Operation(
    "createKeyChangeTokenRequest",
    "/keyChangeTokenRequests/{requestId}",
    "Ask for key change tokens",
    RequestType.KEY_CHANGE_TOKEN_REQUEST,
)
# The interface has no request type of its own for this one.
CONFIRM_KEY_CHANGE = Operation(
    "confirmKeyChange",
    "/keyChangeTokenRequests/{requestId}/confirmations/{confirmationId}",
    "Confirm a key change",
    RequestType.CONFIRMATION_ADVICE,
)
# The switch sends these notifications and takes none.
NOTIFY = Operation(
    "notifyTokenPurchase",
    "/events/tokenPurchases",
    "Notification that a purchase succeeded",
    RequestType.NOTIFY_TOKEN_PURCHASE,
    offered=False,
)

OPERATIONS = (
    LOOK_UP,
    BUY,
    RETRY,
    CONFIRM,
    REVERSE,
    TRIAL,
    REPRINT,
    REPORT_FAULT,
    CHANGE_KEY,
    CONFIRM_KEY_CHANGE,
    NOTIFY,
)


class Match(NamedTuple):
    """An operation found by path: `ids` are the path's parameters in order."""

    operation: Operation
    ids: tuple[str, ...]

    @property
    def message_id(self) -> str:
        """The id that the path gives the message itself: its last."""
        return self.ids[-1] if self.ids else ""


def _fixed(segment: str) -> bool:
    return not segment.startswith("{")


def _shape(segments: list[str], fixed: tuple[int, ...]) -> tuple[int, tuple[str, ...]]:
    return len(segments), tuple(segments[place] for place in fixed)


def _routes() -> dict[tuple[int, ...], dict[tuple[int, tuple[str, ...]], Operation]]:
    """Operations by their fixed segments, grouped by where in the path these stand."""
    routes: dict[tuple[int, ...], dict[tuple[int, tuple[str, ...]], Operation]] = {}
    for operation in OPERATIONS:
        segments = operation.path.split("/")
        fixed = tuple(place for place, segment in enumerate(segments) if _fixed(segment))
        routes.setdefault(fixed, {})[_shape(segments, fixed)] = operation
    return routes


_ROUTES = _routes()


def find(path: str) -> Match | None:
    """The operation at `path` (decoded, without BASE); None where there is none."""
    segments = path.split("/")
    if not all(segments[1:]):
        return None
    for fixed, operations in _ROUTES.items():
        if fixed[-1] < len(segments) and (operation := operations.get(_shape(segments, fixed))):
            ids = (segment for place, segment in enumerate(segments) if place not in fixed)
            return Match(operation, tuple(ids))
    return None


def request_type_near(path: str) -> RequestType:
    """The request type for an error at a path that names no operation: that of its collection."""
    collection = "/".join(path.split("/")[:2])
    for operation in OPERATIONS:
        if operation.path.startswith(collection + "/"):
            return operation.request_type
    return RequestType.TOKEN_PURCHASE_REQUEST
