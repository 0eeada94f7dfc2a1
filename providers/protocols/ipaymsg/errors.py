"""The ipayMsg result codes: `CODES`, as errors.toml has them, and those that steer the
adapter by name."""

from providers.protocols.error_table import load_error_table

OK = "elec000"
NO_RECORD = "elec003"
NOT_REVERSIBLE = "elec004"
ALREADY_REVERSED = "elec019"
ALREADY_COMPLETED = "elec020"
VERSION_UNSUPPORTED = "elec901"

CODES = load_error_table("ipaymsg")
