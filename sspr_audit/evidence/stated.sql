-- Events of a window whose reason or activity names a cause or family, with what they stand in.
-- Needs names(key, target, standing): key is a reason's key, or `blocked` for the activity that says
-- so by itself, in which case the activity stands for the reason and reason_key is null.
WITH naming AS (
    SELECT e.*, COALESCE(r.target, b.target) AS target, COALESCE(r.standing, b.standing) AS standing,
        CASE WHEN r.target IS NULL THEN e.activity ELSE e.reason END AS said,
        CASE WHEN r.target IS NOT NULL THEN e.reason_key END AS said_key
    FROM events e
    LEFT JOIN names r ON r.key = e.reason_key
    LEFT JOIN names b ON b.key = 'blocked' AND e.meaning = 'blocked'
    WHERE COALESCE(r.target, b.target) IS NOT NULL),
in_flows AS (   -- told as their flow is, whose client and place are those of its first event
    SELECT n.target, n.standing, n.said, n.said_key, n.method, n.event_id, n.time_utc, n.role, f.flow_id,
        COALESCE(f.person, n.person) AS person, COALESCE(f.upn, n.upn) AS upn,
        f.site, f.ip_group, f.client, f.outcome
    FROM naming n JOIN flows f USING (flow_id)
    WHERE f.start_utc >= $start AND f.start_utc < $end),
alone AS (
    SELECT target, standing, said, said_key, method, event_id, time_utc, role, flow_id, person, upn,
        site, ip_group, client, CAST(NULL AS VARCHAR) AS outcome
    FROM naming
    WHERE flow_id IS NULL AND time_utc >= $start AND time_utc < $end)
SELECT target, standing, said AS reason, said_key AS reason_key, method, event_id, time_utc, role,
    flow_id, person, upn, site, ip_group, client, outcome
FROM (FROM in_flows UNION ALL FROM alone)
ORDER BY target, time_utc, event_id, said
