"""Transactions: every message that asked something of a provider, newest first."""

from api.console.page import View


async def build(view: View) -> None:
    """The list."""
    rows = await view.console.reading.rows(
        "SELECT message_id, kind, status, requested_at, amount_cents FROM"
        " projection_transactions.transaction ORDER BY requested_at DESC LIMIT 50"
    )
    shown = view.html("transactions.html", rows=rows)

    async def refresh() -> None:
        rows = await view.console.reading.rows(
            "SELECT message_id, kind, status, requested_at, amount_cents FROM"
            " projection_transactions.transaction ORDER BY requested_at DESC LIMIT 50"
        )
        shown.set_content(view.render("transactions.html", rows=rows))

    view.on_change(["transactions"], refresh)
