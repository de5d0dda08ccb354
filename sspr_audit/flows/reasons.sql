-- Events and flows of a window → how many flows and people were given each reason, also after its end.
-- What the catalogue knows counts by its key and the method it names, everything else by its text;
-- told as most events write it.
WITH here AS (   -- numbers are quicker to tell apart than ids
    SELECT row_number() OVER () AS flow, flow_id, person FROM flows
    WHERE start_utc >= $start AND start_utc < $end),
given AS (   -- a key and a text that is spelled like one must not fall together
    SELECT COALESCE(reason_key, reason) AS name, reason_key IS NOT NULL AS known,
        COALESCE(events.method, '') AS method, reason, flow, here.person, count(*) AS events
    FROM events JOIN here USING (flow_id) WHERE reason IS NOT NULL GROUP BY ALL),
spelled AS (
    SELECT name, known, method, reason FROM given GROUP BY name, known, method, reason
    QUALIFY row_number() OVER (
        PARTITION BY name, known, method ORDER BY sum(events) DESC, reason) = 1),
counted AS (
    SELECT name, known, method, count(DISTINCT flow) AS flows, count(DISTINCT person) AS users
    FROM given GROUP BY ALL)
SELECT reason, CASE WHEN known THEN name END AS reason_key, flows, users
FROM counted JOIN spelled USING (name, known, method)
ORDER BY flows DESC, users DESC, reason, reason_key NULLS LAST
