-- events → flows: one row an attempt. Contract: counting rule 5.
CREATE OR REPLACE TEMP TABLE flows AS
WITH ties AS (   -- by id; the rest only makes it certain
    SELECT event, row_number() OVER (
        PARTITION BY flow_id, moment ORDER BY event_id, time_utc, activity, reason) AS nth
    FROM (
        SELECT rowid AS event, flow_id, event_id, time_utc, activity, reason,
            epoch_ns(time_utc) // 1000000 * 128 + rank AS moment
        FROM events WHERE flow_id IS NOT NULL)
    WHERE moment IN (   -- of whatever flows: numbers are quick to group, texts are not
        SELECT epoch_ns(time_utc) // 1000000 * 128 + rank AS moment FROM events
        WHERE flow_id IS NOT NULL GROUP BY moment HAVING count(*) > 1)),
ordered AS (   -- one number for millisecond and step, with room for events that tie
    SELECT *, (epoch_ns(time_utc) // 1000000 * 128 + rank) * 4096 + COALESCE(nth, 0) AS place,
        CASE meaning WHEN 'succeeded' THEN 5 WHEN 'blocked' THEN 4 WHEN 'failed' THEN 3
            WHEN 'cancelled' THEN 2 WHEN 'abandoned' THEN 1 ELSE 0 END AS strength
    FROM events LEFT JOIN ties ON event = events.rowid
    WHERE flow_id IS NOT NULL),
grouped AS (   -- arg_min passes over events that do not say it
    SELECT
        flow_id,
        arg_min(person, place) AS person, arg_min(upn, place) AS upn,
        min(time_utc) AS start_utc, max(time_utc) AS end_utc,
        arg_min(begins, place) AS has_head,
        max(strength) AS strength,
        max(COALESCE(stage, 0)) AS stage,
        list(method ORDER BY place) FILTER (method IS NOT NULL AND stage IN (30, 40)) AS methods,
        count(*) FILTER (rank = 60) AS password_tries,   -- the rank of a submitted password
        arg_max({'text': reason, 'key': reason_key}, place) FILTER (reason IS NOT NULL) AS last,
        -- the strongest, of these the last: no place is longer than 19 digits
        arg_max({'text': reason, 'key': reason_key, 'strength': strength},
            strength * 10000000000000000000 + place) FILTER (reason IS NOT NULL) AS strongest,
        arg_min({'name': client, 'type': client_type, 'assumed': client_assumed}, place)
            FILTER (client IS NOT NULL) AS first_client,
        count(DISTINCT client) > 1 AS client_mixed,
        arg_min({'ip': ip, 'ip_group': ip_group, 'site': site}, place)
            FILTER (ip IS NOT NULL) AS first_ip,
        arg_min(agent, place) AS agent,
        count(*) AS events
    FROM ordered GROUP BY flow_id),
decided AS (   -- by the last reason that says the outcome, else the last reason of all
    SELECT *, CASE WHEN strongest.strength = strength
        THEN {'text': strongest.text, 'key': strongest.key} ELSE last END AS why
    FROM grouped
    -- A flow without its head that lies at the start of the data began before it.
    WHERE has_head OR start_utc >= $data_start + $flow_timeout)
SELECT
    flow_id, person, upn, start_utc, end_utc,
    (epoch_ns(end_utc) - epoch_ns(start_utc)) / 1e9 AS length_s,
    CASE
        WHEN strength = 5 THEN 'succeeded' WHEN strength = 4 THEN 'blocked'
        WHEN strength = 3 THEN 'failed' WHEN strength = 2 THEN 'cancelled'
        WHEN strength = 1 THEN 'abandoned'
        -- cut to the edge's microseconds, in which 20 minutes are 20 minutes
        WHEN make_timestamp(epoch_ns(end_utc) // 1000) > $edge - $flow_timeout THEN 'open'
        ELSE 'abandoned'
    END AS outcome,
    CASE stage
        WHEN 10 THEN 'user ID' WHEN 20 THEN 'options' WHEN 30 THEN 'method started'
        WHEN 40 THEN 'method completed' WHEN 50 THEN 'verified' WHEN 60 THEN 'password submitted'
        WHEN 70 THEN 'reset' WHEN 80 THEN 'done' ELSE 'unknown' END AS step,
    stage,
    array_to_string(list_filter(methods, lambda m, nth: list_position(methods, m) = nth), ', ')
        AS methods,
    password_tries, why.text AS reason, why.key AS reason_key,
    COALESCE(first_client.name, 'not-recorded') AS client, first_client.type AS client_type,
    COALESCE(first_client.assumed, false) AS client_assumed, client_mixed,
    first_ip.ip, first_ip.ip_group, first_ip.site, agent, echo_id, echo_s, events
FROM decided LEFT JOIN flow_echoes USING (flow_id)
ORDER BY start_utc, flow_id
