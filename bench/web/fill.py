"""Runs by the million into a record, which only SQL writes in reasonable time: fill.py slipway.db EXPERIMENT COUNT"""
import contextlib, sqlite3, sys

path, experiment, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
    database.execute("BEGIN")
    first = database.execute("SELECT coalesce(max(number), 0) + 1 FROM runs").fetchone()[0]
    database.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) SELECT i FROM n", (count,))
    database.execute("INSERT INTO runs(number, id, experiment, name, user, status, deleted, started_ms, ended_ms, config) SELECT ?1 + i, lower(hex(randomblob(16))), ?2, 'r' || i, 'me', 'finished', 0, i + 1, i + 2, '{}' FROM n", (first, experiment))
    for key, factor in (("acc", 7), ("f1", 13), ("loss", 11)):
        database.execute("INSERT INTO latest_metrics(run, key, time_ms, step, value, nan) SELECT ?1 + i, ?2, 1, 0, (i * ?3) % 1000 / 1000.0, 0 FROM n", (first, key, factor))
    database.execute("INSERT INTO params(run, key, value) SELECT ?1 + i, 'lr', i % 10 FROM n", (first,))
    database.execute("INSERT INTO params(run, key, value) SELECT ?1 + i, 'seed', i FROM n", (first,))
    database.execute("COMMIT")
