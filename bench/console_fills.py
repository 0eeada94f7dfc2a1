"""What a big customer's read models hold, table by table; see console_data.py."""

from bench.console_data import AUDIT_ROWS, DAYS, SUPPORT_PER_METER, Fill
from projections.grain import HOUR, MINUTE, QUARTER
from projections.latency import BUCKETS

UTILITIES = 250
_OPERATIONS = 4
_PROVIDERS = 10
# As projections/grain.py has them: minutes for two days, quarters of an hour for sixteen, hours.
_SLOTS = {MINUTE: 2_880, QUARTER: 1_536, HOUR: DAYS * 24}

_OFFSET = 1_000_000_000_000
"""Added to positions: those of the sales that a run makes come before, and none is taken."""

_AT = f"now() - (%(all)s - n) * (interval '{DAYS} days' / %(all)s)"

# Of a hundred: 45 lookups, 52 purchases, 3 others. Of the purchases 96 are sold, 3 declined.
_TRANSACTIONS = f"""
    (message_id, kind, status, requested_at, finished_at, meter, utility_type, client, institution,
     merchant, terminal, channel, amount_cents, currency, provider, provider_reference, receipt,
     receipts, utility, utility_name, error_type, retries, recovered, terms, position)
    SELECT bench.id_of(n), kind,
           CASE WHEN kind = 'LOOKUP' THEN 'ANSWERED'
                WHEN kind <> 'PURCHASE' THEN 'DONE'
                WHEN luck < 30 THEN 'DECLINED' WHEN luck = 30 THEN 'UNKNOWN'
                ELSE 'APPROVED' END,
           at, at + took * interval '1 ms',
           bench.meter_of(1 + bench.pick(n, 3, %(all)s)),
           CASE bench.pick(n, 4, 50) WHEN 0 THEN 'WATER' WHEN 1 THEN 'GAS' ELSE 'ELECTRICITY' END,
           'client-' || bench.pick(n, 5, 3), 'institution-' || bench.pick(n, 5, 3),
           'MERCHANT' || lpad(bench.pick(n, 6, 5000)::text, 7, '0'), 'TERM0001',
           (ARRAY['till', 'app', 'bank'])[1 + bench.pick(n, 7, 3)],
           CASE WHEN kind = 'PURCHASE' THEN
                (ARRAY[1000, 2000, 5000, 10000, 10000, 20000])[1 + bench.pick(n, 8, 6)]
                + CASE WHEN bench.pick(n, 9, 4) = 0 THEN bench.pick(n, 10, 5000) ELSE 0 END END,
           CASE WHEN kind = 'PURCHASE' THEN '710' END,
           bench.provider_of(n), 'REF' || n, 'RCPT' || n, ARRAY['RCPT' || n],
           'utility-' || (bench.pick(n, 11, {UTILITIES}) * bench.pick(n, 12, {UTILITIES}))
                        / {UTILITIES},
           'Utility', CASE WHEN luck < 30 THEN 'INSUFFICIENT_FUNDS' END, 0, false,
           ARRAY['REF' || n, 'RCPT' || n, lpad(n::text, 12, '0')], n + {_OFFSET}
    FROM (SELECT n, {_AT} AS at, bench.pick(n, 13, 1000) AS luck,
                 50 + bench.pick(n, 14, 400) AS took,
                 CASE WHEN bench.pick(n, 1, 100) < 45 THEN 'LOOKUP'
                      WHEN bench.pick(n, 1, 100) < 97 THEN 'PURCHASE'
                      WHEN bench.pick(n, 1, 100) < 98 THEN 'REPRINT'
                      WHEN bench.pick(n, 1, 100) < 99 THEN 'FAULT_REPORT'
                      ELSE 'TRIAL' END AS kind
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS made
"""

_METERS = f"""
    (utility_type, number, utility, utility_name, rebroadcast, preference, first_seen_at,
     last_broadcast_at, supporters)
    SELECT 'ELECTRICITY', bench.meter_of(n), 'utility-' || bench.pick(n, 21, {UTILITIES}),
           'Utility ' || bench.pick(n, 21, {UTILITIES}), bench.pick(n, 22, 10000) = 0,
           CASE WHEN bench.pick(n, 23, 1000) = 0 THEN ARRAY[bench.provider_of(n)]
                ELSE '{{}}'::text[] END,
           now() - interval '300 days', now() - bench.pick(n, 24, 30) * interval '1 day',
           CASE WHEN bench.pick(n, 25, 2000) = 0 THEN 0 ELSE 2 END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""

_SUPPORT = f"""
    (utility_type, number, provider, status, last_response_at)
    SELECT 'ELECTRICITY', bench.meter_of(1 + (n - 1) / {SUPPORT_PER_METER}),
           (ARRAY['ipay','ontec','contour','syntell','sandulela','switchone','bluelabel',
                  'easypay','kazang','randa'])
               [1 + (bench.pick((n - 1) / {SUPPORT_PER_METER}, 26, 10)
                     + 3 * ((n - 1) %% {SUPPORT_PER_METER})) %% 10],
           CASE WHEN bench.pick(1 + (n - 1) / {SUPPORT_PER_METER}, 25, 2000) = 0
                     OR n %% {SUPPORT_PER_METER} = 0 THEN 'NOT_SUPPORTED' ELSE 'SUPPORTED' END,
           now() - bench.pick(n, 27, 30) * interval '1 day'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""

_UTILITY_METERS = """
    (utility, utility_name, meters)
    SELECT utility, min(utility_name), count(*) FROM projection_contract_table.meter
    WHERE %(first)s = 1 AND %(last)s = 1 AND utility IS NOT NULL GROUP BY utility
"""

_UTILITY_SUPPORT = """
    (utility, provider, supported, not_supported, unconfirmed)
    SELECT m.utility, s.provider, count(*) FILTER (WHERE s.status = 'SUPPORTED'),
           count(*) FILTER (WHERE s.status = 'NOT_SUPPORTED'), 0
    FROM projection_contract_table.meter AS m
    JOIN projection_contract_table.support AS s USING (utility_type, number)
    WHERE %(first)s = 1 AND %(last)s = 1 AND m.utility IS NOT NULL GROUP BY m.utility, s.provider
"""

_LEGS = f"""
    (position, leg, message_id, exchange, provider, operation, asked_at, answered_at, took_ms,
     outcome, answered, late)
    SELECT n + {_OFFSET}, 1, bench.id_of(n), 1, bench.provider_of(n),
           CASE WHEN bench.pick(n, 31, 2) = 0 THEN 'LOOKUP' ELSE 'VEND' END,
           {_AT}, {_AT} + interval '0.1 second', 50 + bench.pick(n, 32, 400),
           CASE bench.pick(n, 33, 1000) WHEN 0 THEN 'UNKNOWN' WHEN 1 THEN 'NOT_SENT'
                WHEN 2 THEN 'DECLINED' ELSE 'APPROVED' END, true, false
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""


def _traffic(grain: int) -> str:
    """One row for each time, provider and operation, as projections/grain.py numbers them."""
    kept = _SLOTS[grain] * _PROVIDERS * _OPERATIONS
    number = (
        f"(floor(extract(epoch FROM now()) / {grain})::bigint"
        f" - (n - 1) / {_PROVIDERS * _OPERATIONS})"
    )
    slot = number if grain == HOUR else f"{number} %% {_SLOTS[grain]}"
    return f"""
    (grain, slot, provider, operation, at, approved, declined, turned_away, unknown, not_sent, late,
     took)
    SELECT {grain}, {slot}, (ARRAY['ipay','ontec','contour','syntell','sandulela','switchone',
           'bluelabel','easypay','kazang','randa'])[1 + (n - 1) %% 10],
           (ARRAY['LOOKUP','VEND','RECOVER','CONFIRM'])[1 + ((n - 1) / 10) %% 4],
           to_timestamp({number} * {grain}), 90, 3, 0, 1, 0, 0,
           array_fill(2, ARRAY[{BUCKETS}])
    FROM generate_series(%(first)s::bigint, least(%(last)s::bigint, {kept})) AS n
"""


def _purchases(grain: int) -> str:
    return f"""
    (grain, at, currency, approved, declined, unknown, pending, approved_cents)
    SELECT {grain}, to_timestamp((floor(extract(epoch FROM now()) / {grain})::bigint - n + 1)
                                 * {grain}),
           '710', 900, 30, 1, 0, 9000000
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""


_QUEUE = f"""
    (message_id, kind, part, state, provider, since, attempts, last_attempt_at, next_attempt_at,
     detail, because, finished_at)
    SELECT bench.id_of(n), CASE WHEN n %% 3 = 0 THEN 'PURCHASE' ELSE 'REVERSAL' END,
           CASE WHEN n %% 3 = 0 THEN '' ELSE 'advice-' || n END,
           CASE WHEN n %% 10 > 0 THEN 'GIVEN_UP' WHEN n %% 3 = 0 THEN 'UNKNOWN' ELSE 'WAITING' END,
           bench.provider_of(n), {_AT}, 3, now(), now() + interval '5 minutes', 'no answer',
           CASE WHEN n %% 10 > 0 THEN 'NOT_SUPPORTED' END,
           CASE WHEN n %% 10 > 0 THEN {_AT} + interval '1 hour' END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""

_AUDIT = f"""
    (position, at, who, person, role, action, object_type, object_id, object_name, before, after,
     address, page, comment)
    SELECT n + {_OFFSET}, {_AT}, 'person-' || bench.pick(n, 41, 40), true, 'operator',
           (ARRAY['SIGNED_IN', 'WEIGHT_SET', 'TOKENS_VIEWED', 'PROVIDER_DISABLED'])
               [1 + bench.pick(n, 42, 4)],
           'provider', bench.provider_of(n), '', '{{"weight": 1}}', '{{"weight": 2}}', '10.0.0.1',
           '/providers', ''
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""

_PREFERENCES = f"""
    (utility, name, sort_name, ranked, excluded, version, changed_at, changed_by)
    SELECT 'utility-' || n - 1, 'Utility ' || n - 1, 'utility ' || n - 1,
           ARRAY['ipay', 'kazang'], ARRAY['randa'], 2, now(), 'routing-manager'
    FROM generate_series(%(first)s::bigint, least(%(last)s::bigint, {UTILITIES})) AS n
"""


def fills(transactions: int, meters: int) -> list[Fill]:
    """All tables, for so many transactions and meters."""
    return [
        Fill("transactions", "transaction", _TRANSACTIONS, transactions),
        Fill("contract_table", "meter", _METERS, meters),
        Fill("contract_table", "support", _SUPPORT, meters * SUPPORT_PER_METER),
        Fill("contract_table", "utility_meters", _UTILITY_METERS, 1),
        Fill("contract_table", "utility_support", _UTILITY_SUPPORT, 1),
        Fill("message_legs", "message_leg", _LEGS, transactions),
        *(
            Fill("provider_health", "traffic", _traffic(g), n * _PROVIDERS * _OPERATIONS)
            for g, n in _SLOTS.items()
        ),
        *(Fill("provider_health", "purchases", _purchases(g), n) for g, n in _SLOTS.items()),
        Fill("queue", "item", _QUEUE, transactions // 200),
        Fill("audit", "entry", _AUDIT, min(AUDIT_ROWS, transactions)),
        Fill("routing_preferences", "utility", _PREFERENCES, UTILITIES),
    ]
