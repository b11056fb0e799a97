"""Measures queries of an in-memory database on one thread: a JSON object per line in, one per line out."""

import json
import resource
import sys
import time

import duckdb


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    db = duckdb.connect(":memory:", config={"threads": 1})
    db.execute("SET enable_progress_bar = false")
    for line in sys.stdin:
        try:
            start, used = time.perf_counter(), cpu()
            db.execute(json.loads(line)["sql"]).fetchall()
            out = {"cpu": cpu() - used, "wall": time.perf_counter() - start}
        except Exception as e:  # An error of the engine is an answer.
            out = {"error": str(e).splitlines()[0] or "error"}
        sys.stdout.write(json.dumps(out) + "\n")
        sys.stdout.flush()


main()
