-- Which rows of `audit` say again what another row says → repeats(row). Contract: counting rule 4.
-- Needs reason_fold(reason, folded). The fuller record stays, whatever the order; content decides
-- ties, so that no answer hangs on which file came first. Times are cut by hand: DuckDB's date_trunc
-- rounds TIMESTAMP_NS.
CREATE OR REPLACE TEMP TABLE repeats AS
WITH twice AS (
    SELECT record_id FROM audit WHERE has_id GROUP BY record_id HAVING count(*) > 1),
told AS MATERIALIZED (
    SELECT a.* EXCLUDE (correlation_id), a.seq AS row, epoch_ns(time_utc) AS at_ns, f.folded,
        lower(trim(correlation_id)) AS correlation_id,
        COALESCE(NULLIF(target_id, '00000000-0000-0000-0000-000000000000'),
            NULLIF(initiator_id, '00000000-0000-0000-0000-000000000000')) AS who_id,
        COALESCE(upn_key(target_upn), upn_key(initiator_upn)) AS who_upn,
        hash(record_id, time_utc, digits, activity, a.reason, result, service, a.correlation_id,
            ip_text, client_type, agent, initiator_id, initiator_upn, initiator_app, target_id,
            target_upn, tenant_id) AS content
    FROM audit a LEFT JOIN reason_fold f ON f.reason = a.reason
    -- Only these can be repeats, and where every record has an id they are few.
    WHERE a.record_id IN (FROM twice) OR (SELECT bool_or(NOT has_id) FROM audit)),
alike AS (   -- the same id, time, activity and correlationId; without an id, all of the rule's facts
    SELECT row FROM told WHERE has_id
    QUALIFY row_number() OVER (
        PARTITION BY record_id, at_ns // 1000000, activity, correlation_id
        -- a cut time is never the later one
        ORDER BY facts DESC, time_utc DESC, digits DESC, content, row) > 1
    UNION ALL
    SELECT row FROM told WHERE NOT has_id
    QUALIFY row_number() OVER (
        PARTITION BY correlation_id, activity, folded, result, who_id, who_upn, at_ns, digits
        ORDER BY facts DESC, content, row) > 1),
nameless AS (
    SELECT DISTINCT correlation_id, activity, folded, result FROM told WHERE NOT has_id),
near AS (   -- rows that a row without id may repeat, or be repeated by
    SELECT t.* FROM told t
    SEMI JOIN nameless n
        ON n.correlation_id IS NOT DISTINCT FROM t.correlation_id
        AND n.activity IS NOT DISTINCT FROM t.activity
        AND n.folded IS NOT DISTINCT FROM t.folded
        AND n.result IS NOT DISTINCT FROM t.result
    WHERE t.row NOT IN (FROM alike)),
pairs AS (   -- rows that can be one event, each pair both ways round
    SELECT x.row AS x, y.row AS y, y.has_id > x.has_id AS y_alone_has_id,
        (x.facts, x.time_utc, x.digits, x.has_id, y.content, y.row)
            < (y.facts, y.time_utc, y.digits, y.has_id, x.content, x.row) AS y_is_fuller
    FROM near x JOIN near y
        ON x.correlation_id IS NOT DISTINCT FROM y.correlation_id
        AND x.activity IS NOT DISTINCT FROM y.activity
        AND x.folded IS NOT DISTINCT FROM y.folded
        AND x.result IS NOT DISTINCT FROM y.result
        AND x.at_ns // 1000000000 = y.at_ns // 1000000000
    WHERE x.row <> y.row AND NOT (x.has_id AND y.has_id)
        -- equal when cut to the fewer digits
        AND x.at_ns // CAST(pow(10, 9 - least(x.digits, y.digits)) AS BIGINT)
          = y.at_ns // CAST(pow(10, 9 - least(x.digits, y.digits)) AS BIGINT)
        AND CASE
            WHEN x.who_id IS NOT NULL AND y.who_id IS NOT NULL THEN x.who_id = y.who_id
            WHEN x.who_upn IS NOT NULL AND y.who_upn IS NOT NULL THEN x.who_upn = y.who_upn
            ELSE true END),
vague AS (   -- can be either of two rows that are not one event: says nothing that those do not
    SELECT DISTINCT one.x AS row
    FROM pairs one JOIN pairs two ON one.x = two.x AND one.y < two.y
    ANTI JOIN pairs same ON same.x = one.y AND same.y = two.y)
SELECT row FROM alike
UNION
SELECT x FROM pairs
WHERE CASE WHEN x IN (FROM vague) THEN y_alone_has_id OR y NOT IN (FROM vague)
    ELSE y_is_fuller AND y NOT IN (FROM vague) END
