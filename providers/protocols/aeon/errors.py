"""What AEON's error codes mean; all but 3/103 are assumed (see errors.toml)."""

from providers.protocols.error_table import load_error_table

NO_TRANSACTION = "5/A302"
NOT_SUPPORTED = "6/A401"

AEON_ERRORS = load_error_table("aeon")
