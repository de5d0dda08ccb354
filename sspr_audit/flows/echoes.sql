-- Core Directory's "Reset user password" ↔ what caused it: → echoes(event_id, by_human, flow_id, gap_s),
-- one row a reset with a cause, and flow_echoes(flow_id, echo_id, echo_s). Contract: counting rule 6.
CREATE OR REPLACE TEMP TABLE echoes AS
WITH resets AS (
    SELECT event_id, epoch_ns(time_utc) AS at_ns, person, by_human
    FROM events
    WHERE known_as = 'Reset user password'
        AND (by_human OR starts_with(actor, 'fim_password_service@'))),
causes AS (   -- rank 60: a new password was submitted
    SELECT COALESCE(flow_id, event_id) AS cause, flow_id, epoch_ns(time_utc) AS at_ns, person
    FROM events WHERE (role = 'flow' AND rank = 60) OR role = 'admin-reset'),
fits AS (
    SELECT r.event_id, r.person, r.by_human, c.cause, c.flow_id, (r.at_ns - c.at_ns) / 1e9 AS gap_s
    FROM resets r JOIN causes c
        ON c.at_ns BETWEEN r.at_ns - 60000000000 AND r.at_ns + 60000000000
        AND (r.person = c.person OR r.person IS NULL)),
counted AS (
    SELECT *, count(DISTINCT cause) OVER (PARTITION BY event_id) AS causes FROM fits)
SELECT event_id, by_human, flow_id, gap_s FROM counted
WHERE person IS NOT NULL OR causes = 1
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY abs(gap_s), gap_s DESC, cause) = 1;

CREATE OR REPLACE TEMP TABLE flow_echoes AS
SELECT flow_id, event_id AS echo_id, gap_s AS echo_s
FROM echoes WHERE flow_id IS NOT NULL AND NOT by_human
QUALIFY row_number() OVER (PARTITION BY flow_id ORDER BY abs(gap_s), gap_s DESC, event_id) = 1
