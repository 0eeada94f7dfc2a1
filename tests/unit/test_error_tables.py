"""The tables of result codes: every code that public sources name is there, with a meaning of the
interface, and nothing counts as a refusal that may follow a sale."""

from pathlib import Path

import msgspec
import pytest

import providers.protocols
from domain.failure import ErrorType
from providers.protocols.error_table import (
    OTHER,
    UNLISTED_CHARACTERS_MAX,
    UNLISTED_CODES_MAX,
    ErrorTable,
    load_error_table,
)


class Expected(msgspec.Struct, frozen=True):
    """`public` codes are named in public sources, `assumed` ones are ours. After an `unclear` one a
    sale may stand or come to stand; all others are definite."""

    public: str
    unclear: str
    assumed: str = ""


TABLES = {
    "ipaymsg": Expected(
        public="""elec001 elec002 elec003 elec004 elec010 elec011 elec012 elec013 elec014 elec015
            elec016 elec017 elec018 elec019 elec020 elec021 elec022 elec023 elec028 elec029 elec030
            elec031 elec032 elec033 elec034 elec038 elec041 elec900 elec901 elec902""",
        unclear="elec001 elec002 elec003 elec004 elec019 elec020 elec030 elec900 elec902",
    ),
    "xmlvend": Expected(
        public="""UnknownMeterEx BlockedMeterEx MSNOCheckDigitEx InsufficientMeterDataEx STSDataEx
            SGCAuthorisationEx LatestKRNEx RequireMeterCardEx ConfirmCustomerEx DebtEx
            ServiceChrgEx FBEEx VendorCreditEx RequestAuthorisationEx ClientIDAuthorisationEx
            ReprintEx ReprintDepositSlipEx ReprintEndBatchEx CancelEx VerifyTokenEx
            UpdateMtrKeySameEx UnknownMeterUpdateMtrKeyEx StartBatchEx EndBatchEx CheckBatchTotalEx
            BusinessRuleEx XMLVendSchemaEx ClientIDSSLEx LastResponseEx ConfirmationEx ReversalEx
            UseCaseSupportEx SystemEx""",
        unclear="""ReprintEx ReprintDepositSlipEx ReprintEndBatchEx CancelEx VerifyTokenEx
            UpdateMtrKeySameEx UnknownMeterUpdateMtrKeyEx LastResponseEx ConfirmationEx ReversalEx
            SystemEx SOAP_fault""",
        assumed="SOAP_fault",
    ),
    "aeon": Expected(
        public="3/103",
        unclear="5/A301 5/A302 5/A303 9/A900 9/A901",
        assumed="""3/A104 2/A001 4/A201 4/A202 4/A203 4/A204 4/A205 4/A206 5/A301 5/A302 5/A303
            6/A401 9/A900 9/A901""",
    ),
    "easypay": Expected(public="1 2 3 4 5", unclear="4 5 90 91", assumed="10 11 12 13 14 15 90 91"),
    "kazang": Expected(public="7 8 9 19 22 79", unclear="19 79"),
    "restvend": Expected(
        public="",
        unclear="""QUOTE_UNKNOWN QUOTE_CONSUMED DUPLICATE_REQUEST REQUEST_UNKNOWN
            TOO_MANY_REQUESTS SUPPLIER_UNAVAILABLE SYSTEM_ERROR""",
        assumed="""INVALID_REQUEST METER_NOT_FOUND METER_BLOCKED AMOUNT_TOO_LOW AMOUNT_TOO_HIGH
            INVALID_AMOUNT NO_FREE_UNITS_DUE PRODUCT_NOT_ALLOWED INSUFFICIENT_CREDIT QUOTE_UNKNOWN
            QUOTE_EXPIRED QUOTE_CONSUMED DUPLICATE_REQUEST REQUEST_UNKNOWN TOO_MANY_REQUESTS
            SUPPLIER_UNAVAILABLE SYSTEM_ERROR""",
    ),
}
"""By file. An underscore in XMLVend's stands for a blank."""

MEANINGS = {
    ErrorType.UNKNOWN_METER_ID: {
        "ipaymsg": "elec010",
        "xmlvend": "UnknownMeterEx ConfirmCustomerEx MSNOCheckDigitEx",
    },
    ErrorType.METER_ID_BLOCKED: {"ipaymsg": "elec011 elec022", "xmlvend": "BlockedMeterEx"},
    ErrorType.METER_KEY_INVALID: {
        "ipaymsg": "elec032 elec033 elec038",
        "xmlvend": "LatestKRNEx STSDataEx RequireMeterCardEx InsufficientMeterDataEx",
    },
    ErrorType.AMOUNT_TOO_HIGH: {"ipaymsg": "elec015"},
    ErrorType.AMOUNT_TOO_LOW: {"ipaymsg": "elec016"},
    ErrorType.INVALID_AMOUNT: {"ipaymsg": "elec013", "easypay": "2"},
    ErrorType.NO_FREE_UNITS_DUE: {"ipaymsg": "elec017 elec031", "xmlvend": "FBEEx"},
    ErrorType.INSUFFICIENT_FUNDS: {"ipaymsg": "elec028", "xmlvend": "VendorCreditEx"},
    ErrorType.DO_NOT_HONOR: {
        "ipaymsg": "elec012",
        "xmlvend": "DebtEx RequestAuthorisationEx SGCAuthorisationEx",
    },
    ErrorType.UNABLE_TO_LOCATE_RECORD: {
        "ipaymsg": "elec003 elec902",
        "xmlvend": "LastResponseEx ConfirmationEx ReversalEx ReprintEx",
    },
    ErrorType.FUNCTION_NOT_SUPPORTED: {
        "ipaymsg": "elec004 elec018 elec034 elec901",
        "xmlvend": "UseCaseSupportEx",
    },
    ErrorType.DUPLICATE_RECORD: {"ipaymsg": "elec019 elec020", "easypay": "5"},
    ErrorType.FORMAT_ERROR: {
        "ipaymsg": "elec030 elec041 elec014 elec023",
        "xmlvend": "XMLVendSchemaEx",
    },
    ErrorType.UPSTREAM_UNAVAILABLE: {
        "ipaymsg": "elec002",
        "xmlvend": "SystemEx",
        "kazang": "19 79",
    },
    ErrorType.GENERAL_ERROR: {"ipaymsg": "elec001"},
    ErrorType.SYSTEM_MALFUNCTION: {"ipaymsg": "elec900"},
    ErrorType.INVALID_MERCHANT: {
        "xmlvend": "ClientIDSSLEx ClientIDAuthorisationEx",
        "aeon": "3/103",
        "kazang": "7 8 9 22",
    },
}
"""What public sources say that a code means in the interface's words."""


def codes(words: str) -> set[str]:
    return {word.replace("SOAP_fault", "SOAP fault") for word in words.split()}


@pytest.fixture(params=TABLES)
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def table(protocol: str) -> ErrorTable:
    return load_error_table(protocol)


def test_every_table_is_in_this_test() -> None:
    folder = Path(providers.protocols.__file__).parent
    named = {path.parent.name for path in folder.glob("*/errors.toml")}
    assert named == set(TABLES)


def test_it_lists_the_public_codes_and_what_is_assumed(protocol: str, table: ErrorTable) -> None:
    expected = TABLES[protocol]
    assert not codes(expected.public) & codes(expected.assumed)
    assert set(table) == codes(expected.public) | codes(expected.assumed)


def test_only_what_excludes_a_sale_is_definite(protocol: str, table: ErrorTable) -> None:
    assert {code for code in table if not table[code].definite} == codes(TABLES[protocol].unclear)
    assert all(table.excludes_a_sale(code) is table[code].definite for code in table)


def test_every_code_has_words_and_a_type(table: ErrorTable) -> None:
    for meaning in table.values():
        assert meaning.means.strip()
        assert isinstance(meaning.error_type, ErrorType)
        assert meaning.definite or meaning.because.strip()


@pytest.mark.parametrize("error_type", MEANINGS)
def test_the_public_codes_mean_what_public_sources_say(error_type: ErrorType) -> None:
    for protocol, words in MEANINGS[error_type].items():
        table = load_error_table(protocol)
        assert {table[code].error_type for code in codes(words)} == {error_type}


def test_what_is_not_listed_is_unclear_and_counted(table: ErrorTable) -> None:
    assert "unheard-of" not in table
    for times in (1, 2):
        meaning = table.meaning("unheard-of")
        assert (meaning.definite, meaning.error_type) == (False, ErrorType.GENERAL_ERROR)
        assert table.unlisted == {"unheard-of": times}
    assert not table.excludes_a_sale("unheard-of")
    assert table.meaning(next(iter(table))) is table[next(iter(table))]
    assert table.unlisted == {"unheard-of": 2}


def test_counting_has_a_limit(table: ErrorTable) -> None:
    """A provider decides how many codes it makes up, and how long they are."""
    for number in range(UNLISTED_CODES_MAX + 10):
        table.meaning(f"{number:0{UNLISTED_CHARACTERS_MAX}d}" + "x" * 10_000)
    assert len(table.unlisted) == UNLISTED_CODES_MAX + 1
    assert table.unlisted[OTHER] == 10
    assert max(map(len, table.unlisted)) == UNLISTED_CHARACTERS_MAX
