-- Core Directory's "Reset user password" ↔ what caused it: → echoes(event_id, flow_id, act_id, gap_s),
-- one row an echo, and flow_echoes(flow_id, echo_id, echo_s). Contract: counting rule 6.
CREATE OR REPLACE TEMP TABLE echoes AS
WITH resets AS (
    SELECT event_id, time_utc, person, actor,
        actor LIKE 'fim_password_service@%' AS by_service
    FROM events WHERE role = 'echo' AND lower(activity) = 'reset user password'),
causes AS (
    SELECT event_id, time_utc, person, flow_id, role FROM events
    WHERE (flow_id IS NOT NULL AND stage = 60 AND meaning = 'step') OR role = 'admin-reset'),
fits AS (
    SELECT r.event_id, r.person IS NOT NULL AS known,
        COALESCE(c.flow_id, c.event_id) AS cause, c.flow_id,
        CASE WHEN c.role = 'admin-reset' THEN c.event_id END AS act_id,
        (epoch_ns(r.time_utc) - epoch_ns(c.time_utc)) / 1e9 AS gap_s
    FROM resets r JOIN causes c
        ON c.time_utc BETWEEN r.time_utc - INTERVAL 60 SECONDS AND r.time_utc + INTERVAL 60 SECONDS
        AND (r.person = c.person OR r.person IS NULL OR c.person IS NULL)
    WHERE r.by_service OR c.role = 'admin-reset'),
counted AS (
    SELECT *, count(DISTINCT cause) OVER (PARTITION BY event_id) AS causes FROM fits)
SELECT event_id, flow_id, act_id, gap_s FROM counted
WHERE known OR causes = 1
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY abs(gap_s), gap_s DESC, cause) = 1;

CREATE OR REPLACE TEMP TABLE flow_echoes AS
SELECT flow_id, last(event_id ORDER BY gap_s DESC, event_id) AS echo_id, min(gap_s) AS echo_s
FROM echoes WHERE flow_id IS NOT NULL GROUP BY flow_id
