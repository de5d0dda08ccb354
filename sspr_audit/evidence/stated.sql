-- Events of a window whose reason or activity names a cause or family, with what they stand in.
-- Needs names(key, target, standing): key is a reason's key, or `activity:` and its folded name.
WITH naming AS (
    SELECT e.event_id, e.time_utc, e.flow_id, e.correlation_id, e.person, e.upn,
        COALESCE(n.target, b.target) AS target, COALESCE(n.standing, b.standing) AS standing,
        CASE WHEN n.target IS NOT NULL THEN e.reason ELSE e.activity END AS reason
    FROM events e
    LEFT JOIN names n ON n.key = e.reason_key
    LEFT JOIN names b ON b.key = 'blocked' AND e.meaning = 'blocked' AND n.target IS NULL
    WHERE COALESCE(n.target, b.target) IS NOT NULL),
in_flows AS (
    SELECT n.*, f.flow_id AS unit, f.person AS of_person, f.upn AS of_upn, f.site, f.ip_group,
        f.client, f.outcome
    FROM naming n JOIN flows f USING (flow_id)
    WHERE f.start_utc >= $start AND f.start_utc < $end),
in_acts AS (
    SELECT n.*, n.event_id AS unit, n.person AS of_person, n.upn AS of_upn, e.site, e.ip_group,
        CAST(NULL AS VARCHAR) AS client, 'failed' AS outcome
    FROM naming n JOIN events e USING (event_id)
    WHERE n.flow_id IS NULL AND e.role IN ('change', 'admin-reset')
        AND n.time_utc >= $start AND n.time_utc < $end)
SELECT target, event_id, time_utc, reason, standing, unit, flow_id,
    COALESCE(of_person, person) AS person, COALESCE(of_upn, upn) AS upn, site, ip_group, client,
    outcome
FROM (FROM in_flows UNION ALL FROM in_acts)
ORDER BY target, time_utc, event_id
