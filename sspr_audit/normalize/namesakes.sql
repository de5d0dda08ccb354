-- One id can stand on several events; without a correlationId each is its own flow all the same.
UPDATE events SET flow_id = flow_id || '/' || again.nth
FROM (
    SELECT seq, row_number() OVER (
        PARTITION BY flow_id ORDER BY time_utc, activity, reason, person, result, ip, client_type,
            agent, actor, service, method, seq) AS nth
    FROM events WHERE starts_with(flow_id, 'event:')) AS again
WHERE events.seq = again.seq AND again.nth > 1
