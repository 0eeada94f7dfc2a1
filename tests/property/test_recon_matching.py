"""Matching, held against loops over dicts and against SQL, for any records and decisions."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.process.matching import Matching, Tolerance
from finance.recon.match import Pinned, match
from tests.brute_matching import told
from tests.recon_office import DAY, frame
from tests.unit.test_recon_match import outcome

RULES = Matching(
    compared=(
        "amount_minor",
        "tax_minor",
        "meter_id",
        "transaction_state",
        "receiver_id",
        "business_date",
        "transaction_id",
    ),
    tolerances={
        "amount_minor": Tolerance(cents=2),
        "tax_minor": Tolerance(cents=3, percent=Decimal("1.5")),
        "business_date": Tolerance(days=1),
    },
)

# Few values, so that records meet by every key and share them.
texts = st.sampled_from([None, "", "-", "a-1", "A1", "a 1", "b2", "B-2", "c3", "d4", "é5", "É-5"])
records = st.fixed_dictionaries(
    {
        "transaction_id": texts,
        "original_id": st.sampled_from([None, None, "o1", "o2"]),
        "message_type": st.sampled_from(["PURCHASE", "PURCHASE", "REVERSAL"]),
        "transaction_state": st.sampled_from(["APPROVED", "REVERSED"]),
        "provider_reference": texts,
        "rrn": st.sampled_from([None, "1", "2", "3"]),
        "meter_id": st.sampled_from(["m1", "M-1", "m2", None]),
        "receiver_id": st.sampled_from(["x", "X", "y", None]),
        "amount_minor": st.sampled_from([100, 101, 103, 10_000]),
        "tax_minor": st.sampled_from([None, 0, 100, 102, 200]),
        "business_date": st.integers(0, 3).map(lambda n: DAY + timedelta(days=n)),
    }
)


def refs(file: int, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**line, "ref": (file << 32) + 2 * number} for number, line in enumerate(lines, 1)]


sides = st.tuples(
    st.lists(records, max_size=12).map(lambda lines: refs(1, lines)),
    st.lists(records, max_size=12).map(lambda lines: refs(2, lines)),
)


def some_pairs(
    chance: Random, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]
) -> dict[int, int]:
    """A one-to-one choice of some of both."""
    many = chance.randrange(min(len(ours), len(theirs)) + 1) // 3
    left, right = chance.sample(ours, many), chance.sample(theirs, many)
    return {a["ref"]: b["ref"] for a, b in zip(left, right, strict=True)}


@settings(max_examples=200, deadline=None)
@given(sides, st.randoms(use_true_random=False))
def test_it_finds_what_loops_over_dicts_find(
    both: tuple[list[dict[str, Any]], list[dict[str, Any]]], chance: Random
) -> None:
    ours, theirs = both
    pinned, apart = some_pairs(chance, ours, theirs), some_pairs(chance, ours, theirs)
    forbidden = frozenset((a, b) for a, b in apart.items() if pinned.get(a) != b)
    decided = Pinned(
        np.array([*pinned], np.int64), np.array([*pinned.values()], np.int64), forbidden
    )
    expected = told(ours, theirs, RULES, pinned, forbidden)
    assert outcome(match(frame(ours), frame(theirs), RULES, decided)) == expected
    # Neither the order of rows counts, nor what files are called.
    mine, other = chance.sample(ours, len(ours)), chance.sample(theirs, len(theirs))
    assert outcome(match(frame(mine), frame(other), RULES, decided)) == expected
    names = list(range(1, 25))
    chance.shuffle(names)
    called = {record["ref"]: (names.pop() << 32) + 8 for record in (*ours, *theirs)}
    renamed = [[{**r, "ref": called[r["ref"]]} for r in side] for side in (ours, theirs)]
    again = told(renamed[0], renamed[1], RULES)
    found = outcome(match(frame(renamed[0]), frame(renamed[1]), RULES))
    assert found == again
    plain = told(ours, theirs, RULES)
    assert found.pairs == {(called[a], called[b]): value for (a, b), value in plain.pairs.items()}


_KEY_SQL = """
WITH a AS (SELECT {key}, count(*) n, min(ref) ref FROM ours
           WHERE ref NOT IN (SELECT ref FROM gone) AND {whole} GROUP BY ALL),
     b AS (SELECT {key}, count(*) n, min(ref) ref FROM theirs
           WHERE ref NOT IN (SELECT ref FROM gone) AND {whole} GROUP BY ALL)
SELECT coalesce(a.n, 0) AS left_n, coalesce(b.n, 0) AS right_n, a.ref, b.ref, {values}
FROM a FULL JOIN b USING ({key})
"""


@settings(max_examples=60, deadline=None)
@given(sides)
def test_it_counts_what_sql_counts(
    both: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    ours, theirs = both
    link = duckdb.connect()
    for name, lines in (("ours", ours), ("theirs", theirs)):
        _load(link, name, lines)
    link.execute("CREATE TABLE gone (ref BIGINT)")
    pairs, reviewed = 0, 0
    for fields in RULES.keys:
        key = ", ".join(fields)
        whole = " AND ".join(f"{field} IS NOT NULL" for field in fields)
        link.execute(
            "CREATE OR REPLACE TEMP TABLE met AS "
            + _KEY_SQL.format(key=key, whole=whole, values=key)
        )
        pairs += _one(link, "SELECT count(*) FROM met WHERE left_n = 1 AND right_n = 1")
        reviewed += _one(
            link,
            "SELECT coalesce(sum(left_n + right_n), 0) FROM met WHERE left_n > 1 OR right_n > 1",
        )
        for side in ("ours", "theirs"):
            link.execute(
                f"INSERT INTO gone SELECT s.ref FROM {side} s JOIN met USING ({key})"
                " WHERE (left_n > 0 AND right_n > 0 OR left_n > 1 OR right_n > 1)"
                " AND s.ref NOT IN (SELECT ref FROM gone)"
            )
    found = match(frame(ours), frame(theirs), RULES)
    assert len(found.pairs.ours) == pairs
    assert sum(len(side.refs) for side in found.duplicates) == reviewed


def _load(link: duckdb.DuckDBPyConnection, name: str, lines: list[dict[str, Any]]) -> None:
    texts = (
        "transaction_id",
        "original_id",
        "message_type",
        "provider_reference",
        "rrn",
        "meter_id",
    )
    columns = ", ".join(f"{field} VARCHAR" for field in texts)
    link.execute(
        f"CREATE TABLE raw_{name} (ref BIGINT, amount_minor BIGINT, business_date DATE, {columns})"
    )
    for line in lines:
        values = [line[f] for f in ("ref", "amount_minor", "business_date", *texts)]
        link.execute(f"INSERT INTO raw_{name} VALUES ({', '.join('?' * len(values))})", values)
    plain = ", ".join(
        f"nullif(upper(regexp_replace({field}, '[^\\pL\\pN]', '', 'g')), '') AS {field}"
        for field in texts
    )
    link.execute(
        f"CREATE TABLE {name} AS SELECT ref, amount_minor, business_date, {plain} FROM raw_{name}"
    )


def _one(link: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(link.execute(query).fetchall()[0][0])
