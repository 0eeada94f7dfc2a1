"""The figures of each kind of report, before they take any form."""
