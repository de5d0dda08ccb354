-- events → flows: one row an attempt. Contract: counting rule 5.
CREATE OR REPLACE TEMP TABLE flows AS
WITH timed AS (   -- one number for millisecond and step, with room for events that tie
    SELECT rowid AS event, flow_id, (epoch_ns(time_utc) // 1000000 * 128 + rank) * 4096 AS moment
    FROM events WHERE flow_id IS NOT NULL),
ties AS (
    SELECT flow_id, moment FROM timed GROUP BY flow_id, moment HAVING count(*) > 1),
tied AS (   -- by id; the rest only makes it certain
    SELECT event, row_number() OVER (
        PARTITION BY timed.flow_id, moment ORDER BY event_id, time_utc, activity, reason) AS nth
    FROM timed JOIN ties USING (flow_id, moment) JOIN events ON events.rowid = timed.event),
ordered AS (
    SELECT events.flow_id, time_utc, person, upn, begins, stage, rank, meaning, method, reason,
        reason_key, client, client_type, client_assumed, ip, ip_group, site, agent,
        moment + COALESCE(nth, 0) AS place
    FROM events JOIN timed ON events.rowid = timed.event LEFT JOIN tied USING (event)),
methods AS (
    SELECT flow_id, string_agg(method, ', ' ORDER BY first_place) AS methods FROM (
        SELECT flow_id, method, min(place) AS first_place FROM ordered
        WHERE method IS NOT NULL AND stage IN (30, 40) GROUP BY ALL)
    GROUP BY flow_id),
grouped AS (   -- arg_min passes over events that do not say it
    SELECT
        flow_id,
        arg_min(person, place) AS person, arg_min(upn, place) AS upn,
        min(time_utc) AS start_utc, max(time_utc) AS end_utc,
        arg_min(begins, place) AS has_head,
        max(COALESCE(stage, 0)) AS stage,
        bool_or(meaning = 'succeeded') AS succeeded, bool_or(meaning = 'blocked') AS blocked,
        bool_or(meaning = 'failed') AS failed, bool_or(meaning = 'cancelled') AS cancelled,
        bool_or(meaning = 'abandoned') AS abandoned,
        count(*) FILTER (rank = 60) AS password_tries,   -- the rank of a submitted password
        arg_min(client, place) AS client,
        arg_min(client_type, place) AS client_type,
        arg_min(client_assumed, place) AS client_assumed,
        count(DISTINCT client) > 1 AS client_mixed,
        arg_min(ip, place) AS ip,
        arg_min(ip_group, place) AS ip_group,
        arg_min({'site': site}, place) FILTER (ip IS NOT NULL) AS at_site,
        arg_min(agent, place) AS agent,
        count(*) AS events
    FROM ordered GROUP BY flow_id),
ended AS (
    SELECT *,
        CASE
            WHEN succeeded THEN 'succeeded' WHEN blocked THEN 'blocked' WHEN failed THEN 'failed'
            WHEN cancelled THEN 'cancelled' WHEN abandoned THEN 'abandoned'
            -- cut to the edge's microseconds, in which 20 minutes are 20 minutes
            WHEN make_timestamp(epoch_ns(end_utc) // 1000) > $edge - $flow_timeout THEN 'open'
            ELSE 'abandoned'
        END AS outcome
    FROM grouped
    -- A flow without its head that lies at the start of the data began before it.
    WHERE has_head OR start_utc >= $data_start + $flow_timeout),
decided AS (   -- the last reason that says the outcome, else the last reason of all
    SELECT flow_id,
        arg_max({'r': reason, 'k': reason_key},
            {'decides': o.meaning IS NOT DISTINCT FROM e.outcome, 'place': place}) AS why
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
