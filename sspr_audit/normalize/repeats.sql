-- Which rows of `audit` say again what another row says → repeats(row). Contract: counting rule 4.
-- Needs reason_fold(reason, folded). The fuller record stays, whatever the order; content decides
-- ties, so that no answer hangs on which file came first. Times are cut by hand: DuckDB's date_trunc
-- rounds TIMESTAMP_NS.
CREATE OR REPLACE TEMP TABLE repeats AS
WITH ranked AS (
    SELECT a.seq AS row, a.*, epoch_ns(time_utc) // 1000000 AS time_ms, f.folded,
        COALESCE(target_id, NULLIF(initiator_id, '00000000-0000-0000-0000-000000000000')) AS who_id,
        lower(COALESCE(target_upn, initiator_upn)) AS who_upn,
        hash(record_id, time_utc, activity, a.reason, result, service, correlation_id, ip_text,
            client_type, agent, initiator_id, initiator_upn, target_id, target_upn) AS content
    FROM audit a LEFT JOIN reason_fold f ON f.reason IS NOT DISTINCT FROM a.reason),
by_id AS (   -- the same id with the same time, activity and correlationId
    SELECT row FROM ranked WHERE has_id
    QUALIFY row_number() OVER (
        PARTITION BY record_id, time_ms, activity, correlation_id
        -- a cut time is never the later one
        ORDER BY facts DESC, time_utc DESC, content, row) > 1),
nameless AS (
    SELECT DISTINCT correlation_id, activity, folded, result FROM ranked WHERE NOT has_id),
near AS (   -- rows that a row without id may repeat, or be repeated by
    SELECT r.* FROM ranked r
    SEMI JOIN nameless n
        ON n.correlation_id IS NOT DISTINCT FROM r.correlation_id
        AND n.activity IS NOT DISTINCT FROM r.activity
        AND n.folded IS NOT DISTINCT FROM r.folded
        AND n.result IS NOT DISTINCT FROM r.result
    WHERE r.row NOT IN (FROM by_id)),
pairs AS (
    SELECT x.row AS x, y.row AS y, x.has_id AS x_has_id, y.has_id AS y_has_id,
        (x.facts, x.time_utc, x.has_id, y.content, y.row)
            < (y.facts, y.time_utc, y.has_id, x.content, x.row) AS y_is_fuller,
        y.digits > x.digits OR (y.has_id AND NOT x.has_id) AS y_is_finer
    FROM near x JOIN near y
        ON x.correlation_id IS NOT DISTINCT FROM y.correlation_id
        AND x.activity IS NOT DISTINCT FROM y.activity
        AND x.folded IS NOT DISTINCT FROM y.folded
        AND x.result IS NOT DISTINCT FROM y.result
        AND x.time_ms // 1000 = y.time_ms // 1000
    WHERE x.row <> y.row AND NOT (x.has_id AND y.has_id)
        -- equal when cut to the fewer digits
        AND (epoch_ns(x.time_utc) % 1000000000) // CAST(pow(10, 9 - least(x.digits, y.digits)) AS BIGINT)
          = (epoch_ns(y.time_utc) % 1000000000) // CAST(pow(10, 9 - least(x.digits, y.digits)) AS BIGINT)
        AND CASE
            WHEN x.who_id IS NOT NULL AND y.who_id IS NOT NULL THEN x.who_id = y.who_id
            WHEN x.who_upn IS NOT NULL AND y.who_upn IS NOT NULL THEN x.who_upn = y.who_upn
            ELSE true END),
coarse AS (   -- fits several finer rows, which differ: a repeat of one of them
    SELECT x AS row FROM pairs WHERE y_is_finer GROUP BY x HAVING count(DISTINCT y) > 1)
SELECT row FROM by_id
UNION
SELECT row FROM coarse WHERE row NOT IN (SELECT row FROM ranked WHERE has_id)
UNION
SELECT x FROM pairs
WHERE y_is_fuller AND y NOT IN (FROM coarse) AND x NOT IN (FROM coarse)
