-- events → flows: one row an attempt. Events of equal time are ordered by step, then by id.
CREATE OR REPLACE TEMP TABLE flows AS
WITH ordered AS (
    SELECT *, epoch_ns(time_utc) // 1000000 AS time_ms FROM events
    WHERE flow_id IS NOT NULL),
methods AS (
    SELECT flow_id, string_agg(method, ', ' ORDER BY first_ms, method) AS methods FROM (
        SELECT flow_id, method, min(time_ms) AS first_ms FROM ordered
        WHERE method IS NOT NULL AND stage IN (30, 40) GROUP BY ALL)
    GROUP BY flow_id),
grouped AS (
    SELECT
        flow_id,
        first(person ORDER BY time_ms, rank, event_id) FILTER (person IS NOT NULL) AS person,
        first(upn ORDER BY time_ms, rank, event_id) FILTER (upn IS NOT NULL) AS upn,
        min(time_utc) AS start_utc, max(time_utc) AS end_utc,
        first(COALESCE(stage, 0) ORDER BY time_ms, rank, event_id) AS first_stage,
        first(COALESCE(meaning, '') ORDER BY time_ms, rank, event_id) AS first_meaning,
        max(COALESCE(stage, 0)) AS stage,
        bool_or(meaning = 'succeeded') AS succeeded, bool_or(meaning = 'blocked') AS blocked,
        bool_or(meaning = 'failed') AS failed, bool_or(meaning = 'cancelled') AS cancelled,
        bool_or(meaning = 'abandoned') AS abandoned,
        count(*) FILTER (stage = 60 AND meaning = 'step') AS password_tries,
        max(time_utc) FILTER (stage = 60 AND meaning = 'step') AS submitted_utc,
        first(client ORDER BY time_ms, rank, event_id) FILTER (client IS NOT NULL) AS client,
        first(client_type ORDER BY time_ms, rank, event_id) FILTER (client IS NOT NULL)
            AS client_type,
        first(client_assumed ORDER BY time_ms, rank, event_id) FILTER (client IS NOT NULL)
            AS client_assumed,
        count(DISTINCT client) > 1 AS client_mixed,
        first(ip ORDER BY time_ms, rank, event_id) FILTER (ip IS NOT NULL) AS ip,
        first(ip_group ORDER BY time_ms, rank, event_id) FILTER (ip IS NOT NULL) AS ip_group,
        first({'site': site} ORDER BY time_ms, rank, event_id) FILTER (ip IS NOT NULL) AS at_site,
        first(agent ORDER BY time_ms, rank, event_id) FILTER (agent IS NOT NULL) AS agent,
        count(*) AS events
    FROM ordered GROUP BY flow_id),
ended AS (
    SELECT *,
        CASE
            WHEN succeeded THEN 'succeeded' WHEN blocked THEN 'blocked' WHEN failed THEN 'failed'
            WHEN cancelled THEN 'cancelled' WHEN abandoned THEN 'abandoned'
            WHEN end_utc > $edge - $flow_timeout THEN 'open'
            ELSE 'abandoned'
        END AS outcome
    FROM grouped
    -- A flow without its head that lies at the start of the data began before it. A block can be
    -- all that there is of a flow.
    WHERE first_stage = 10 OR first_meaning = 'blocked'
        OR start_utc >= $data_start + $flow_timeout),
decided AS (   -- the last reason that says the outcome, else the last reason of all
    SELECT flow_id,
        last({'r': reason, 'k': reason_key} ORDER BY o.meaning IS NOT DISTINCT FROM e.outcome,
            o.time_ms, o.rank, o.event_id) AS why
    FROM ordered o JOIN ended e USING (flow_id) WHERE o.reason IS NOT NULL GROUP BY flow_id)
SELECT
    e.flow_id, e.person, e.upn, e.start_utc, e.end_utc,
    (epoch_ns(e.end_utc) - epoch_ns(e.start_utc)) / 1e9 AS length_s,
    e.outcome,
    CASE e.stage
        WHEN 10 THEN 'user ID' WHEN 20 THEN 'options' WHEN 30 THEN 'method started'
        WHEN 40 THEN 'method completed' WHEN 50 THEN 'verified' WHEN 60 THEN 'password submitted'
        WHEN 70 THEN 'reset' WHEN 80 THEN 'done' ELSE 'unknown' END AS step,
    e.stage, m.methods, e.password_tries, d.why.r AS reason, d.why.k AS reason_key,
    COALESCE(e.client, 'not-recorded') AS client, e.client_type,
    COALESCE(e.client_assumed, false) AS client_assumed, e.client_mixed,
    e.ip, e.ip_group, e.at_site.site AS site, e.agent, ec.echo_id, ec.echo_s, e.events
FROM ended e
LEFT JOIN methods m USING (flow_id)
LEFT JOIN decided d USING (flow_id)
LEFT JOIN flow_echoes ec USING (flow_id)
ORDER BY e.start_utc, e.flow_id
