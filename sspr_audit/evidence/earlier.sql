-- For each cause or family and each period: how many people's flows met it, and when it was stated.
-- `said` are the rows of stated.sql from the first record to the window's end. Period 0 is the
-- window, 1 the span of equal length before it, and so on; a flow's period is that of its start.
WITH placed AS (
    SELECT s.target, s.person, s.flow_id, s.time_utc,
        -floor((epoch_us(COALESCE(f.start_utc, s.time_utc)) - $start_us)::DOUBLE / $length_us)::BIGINT AS period
    FROM {said} s LEFT JOIN flows f USING (flow_id))
SELECT target, period,
    count(DISTINCT person) FILTER (flow_id IS NOT NULL) AS people,
    min(time_utc) AS first_utc,
    max(time_utc) AS last_utc
FROM placed
GROUP BY target, period
ORDER BY target, period
