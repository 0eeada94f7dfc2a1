"""Which operation a question stands for."""

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Operation,
    Question,
    RecoverQuestion,
    ReverseQuestion,
    VendQuestion,
)

_OPERATIONS: dict[type[Question], Operation] = {
    LookupQuestion: Operation.LOOKUP,
    VendQuestion: Operation.VEND,
    RecoverQuestion: Operation.RECOVER,
    ConfirmQuestion: Operation.CONFIRM,
    ReverseQuestion: Operation.REVERSE,
}


def operation_of(question: Question) -> Operation:
    """The operation that a question stands for."""
    return _OPERATIONS[type(question)]
