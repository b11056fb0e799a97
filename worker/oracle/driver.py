"""Answers requests about an in-memory database: a JSON object per line in, one per line out."""

import datetime
import decimal
import json
import sys

import duckdb

EPOCH = datetime.datetime(1970, 1, 1)


def encode(v):
    """Gives a value as [kind, text], or null; see value.go."""
    if v is None:
        return None
    if isinstance(v, bool):
        return ["b", "true" if v else "false"]
    if isinstance(v, (int, decimal.Decimal)):
        return ["n", format(v, "f") if isinstance(v, decimal.Decimal) else str(v)]
    if isinstance(v, float):
        return ["f", repr(v)]
    if isinstance(v, datetime.datetime):
        if v.tzinfo is not None:
            v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return ["t", str((v - EPOCH) // datetime.timedelta(microseconds=1) * 1000)]
    if isinstance(v, datetime.date):
        return ["t", str((v - EPOCH.date()).days * 86400 * 10**9)]
    if isinstance(v, datetime.time):
        return ["t", str(((v.hour * 60 + v.minute) * 60 + v.second) * 10**9 + v.microsecond * 1000)]
    if isinstance(v, (bytes, bytearray)):
        return ["x", bytes(v).hex()]
    if isinstance(v, (list, tuple)):
        return ["l", [encode(e) for e in v]]
    return ["s", str(v)]


def answer(db, request):
    if "rows" in request:
        db.executemany(request["sql"], request["rows"])
        return {}
    result = db.execute(request["sql"]).fetchall() if request.get("fetch") else db.execute(request["sql"]) and []
    return {"rows": [[encode(v) for v in row] for row in result]}


def main():
    db = duckdb.connect(":memory:", config={"threads": 1})
    for line in sys.stdin:
        try:
            out = answer(db, json.loads(line))
        except Exception as e:  # An error of the engine is an answer.
            out = {"error": str(e).splitlines()[0] or "error"}
        sys.stdout.write(json.dumps(out) + "\n")
        sys.stdout.flush()


main()
